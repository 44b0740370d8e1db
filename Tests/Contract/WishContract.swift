import AnsibleModule
import Foundation
import Platform
import TestSupport
import Testing

/// Certificates of other kinds than the usual one, from a real ACME server.
@Suite struct WishContract {
    @Test func `keys of every kind are certified, each as its certificate wishes`() throws {
        try withWorld { world in
            let types = ["ec-256", "ec-384", "rsa-2048", "rsa-3072", "rsa-4096"]
            let certs = Dictionary(
                uniqueKeysWithValues: types.map { type -> (String, JSONValue) in
                    (type, ["domains": .strings(["\(type).example.org"]), "key_type": .string(type)])
                })
            try world.issue(world.options([:], ["certs": .object(certs)]))
            for type in types {
                try world.verify("\(type).example.org")
                let key = world.path("\(type).example.org", "\(type).example.org.key")
                let said = try Program.run(["openssl", "pkey", "-noout", "-text", "-in", key]).stdout
                #expect(said.contains("(\(type.split(separator: "-")[1]) bit"), "\(said.prefix(80))")
            }
        }
    }

    @Test func `a renewal keeps the key where that is wished, and makes a new one otherwise`() throws {
        try withWorld { world in
            let key = world.path("a.example.org", "a.example.org.key")
            try world.issue(world.options(["web": ["a.example.org"]]))
            let first = try Files.read(key)
            try world.issue(world.options(["web": ["a.example.org"]], ["force": true, "reuse_key": true]))
            #expect(try Files.read(key) == first)
            try world.verify("a.example.org")
            try world.issue(world.options(["web": ["a.example.org"]], ["force": true]))
            #expect(try Files.read(key) != first)
        }
    }

    @Test func `a name with other letters is ordered as the CA knows it, and shown both ways`() throws {
        try withWorld { world in
            let options = world.options(["web": ["bücher.example.org", "*.Straße.example.org"]])
            let finalized = try world.issue(options)
            let certificate = finalized["certificates"]?.array?.first
            #expect(certificate?["domains"] == ["xn--bcher-kva.example.org", "*.xn--strae-oqa.example.org"])
            #expect(certificate?["domains_unicode"] == ["bücher.example.org", "*.straße.example.org"])
            try world.verify("xn--bcher-kva.example.org")
            #expect(try !world.request(options).changed)
        }
    }

    @Test func `a run with nothing due asks the CA nothing`() throws {
        try withWorld { world in
            let options = world.options(["web": ["a.example.org"]])
            try world.issue(options)
            let before = try world.server.log()
            #expect(try !world.request(options).changed)
            #expect(try !world.finalize(options).changed)
            #expect(try world.server.log() == before)
        }
    }
}
