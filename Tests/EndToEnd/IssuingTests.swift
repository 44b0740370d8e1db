import Foundation
import Testing

extension TheFiveSteps {
    /// First certificates, cases (a) to (d) of the specification.
    @Suite struct Issuing {
        /// The names of each CA are its own, so that what the others have published does not count.
        @Test(arguments: zip(CA.difficult, [10, 20, 30]))
        func `several names, a shared name, a wildcard with its apex and a name of another host`(
            ca: CA, first: Int
        ) throws {
            let names = (0...6).map { "n\(first + $0)" }
            var inventory = try Inventory(
                [
                    // n5 points to web03, which web01 is about to replace.
                    "web01": [
                        "several": [names[1], names[2], names[3]], "shared": [names[4]], "taken-over": [names[5]],
                    ],
                    "web02": ["shared": [names[4]]],
                    "web03": ["wildcard": [names[6], "*." + names[6]]],
                ], from: ca)
            let run = try inventory.play()
            try #require(run.isFine, "\(run)")
            let shared = try Self.certificates(ca, names)
            #expect(shared[0].serial != shared[1].serial)
            #expect(try Zone.texts(names[4]).count == 2)
            #expect(try Zone.texts(names[6]).count == 2)

            // Now authorizations are there to be reused: an order may be born ready.
            let orders = try CALog(ca)
            inventory.variables["letsencrypt_force"] = true
            let again = try inventory.play()
            try #require(again.isFine, "\(again)")
            #expect(try orders.certificates == 5)
            #expect(again.handlers == run.handlers)
            #expect(again.handlers.count == 5)
            let renewed = try Self.certificates(ca, names)
            #expect(Set(renewed.map(\.serial)).isDisjoint(with: shared.map(\.serial)))
        }

        /// Those of the shared name first.
        private static func certificates(_ ca: CA, _ names: [String]) throws -> [InstalledCertificate] {
            let root = try ca.root
            let installed = [
                try InstalledCertificate(.web01, names[4], root: root),
                try InstalledCertificate(.web02, names[4], root: root),
                try InstalledCertificate(.web01, names[1], names[2], names[3], root: root),
                try InstalledCertificate(.web01, names[5], root: root),
                try InstalledCertificate(.web03, names[6], "*." + names[6], root: root),
            ]
            for certificate in installed { certificate.expectPromised() }
            return installed
        }

        @Test func `two runs at the same time for two hosts that share a name`() async throws {
            let inventory = try Inventory(["web01": ["shared": ["n40"]], "web02": ["shared": ["n40"]]])
            // A run that is limited to a host does not install the agent on the name server.
            try #require(try inventory.play("--tags", "letsencrypt_install").isFine)
            async let first = inventory.playInParallel("--limit", "web01")
            async let second = inventory.playInParallel("--limit", "web02")
            for run in try await [first, second] {
                #expect(run.isFine, "\(run)")
            }
            try InstalledCertificate(.web01, "n40").expectPromised()
            try InstalledCertificate(.web02, "n40").expectPromised()
            #expect(try Zone.texts("n40").count == 2)
        }
    }
}
