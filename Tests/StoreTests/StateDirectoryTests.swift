import ACME
import Names
import PKI
import Platform
import Store
import TestSupport
import Testing

@Suite struct StateDirectoryTests {
    private func withState(_ body: (StateDirectory) throws -> Void) throws {
        try withTemporaryDirectory { try body(StateDirectory(path: $0 + "/state")) }
    }

    private let deadline = Deadline(seconds: 1, clock: ManualClock())
    private let authority = Authority.directory("https://ca.test:14000/dir")

    @Test func `the state is made 0700 with its lock`() throws {
        try withState { state in
            _ = try state.lock(purpose: "test", deadline: deadline)
            #expect(try Files.status(state.path)?.access.mode == 0o700)
            #expect(try Files.list(state.path) == ["lock"])
        }
    }

    @Test func `what a killed run was writing is gone with the next lock, and nothing else`() throws {
        try withState { state in
            try withExtendedLifetime(try state.lock(purpose: "test", deadline: deadline)) {
                let name = try DomainName("a.example.org")
                let record = OrderRecord(names: [name], keyType: .ec256, work: .selfSigned([]))
                try state.orders(of: .selfSigned).save(record, key: try .generate(.ec256), for: name)
            }
            let before = try everything(below: state.path)
            for directory in ["", "/orders", "/orders/self-signed/a.example.org"] {
                try Files.makeDirectory(state.path + directory, access: .own(mode: 0o700))
                let path = state.path + directory + "/x"
                _ = try AtomicFile.create([1], beside: path, access: .own(mode: 0o600))
            }
            #expect(try everything(below: state.path).count == before.count + 3)
            _ = try state.lock(purpose: "test", deadline: deadline)
            #expect(try everything(below: state.path) == before)
        }
    }

    @Test func `a state that others can enter is refused, with the cure`() throws {
        try withState { state in
            try Files.makeDirectory(state.path, access: .own(mode: 0o755))
            do {
                _ = try state.lock(purpose: "test", deadline: deadline)
                Issue.record("an open state directory was accepted")
            } catch {
                #expect("\(error)".contains("chmod 700 \(state.path)"))
            }
        }
    }

    @Test func `an order is found again with its key, and only by its first name`() throws {
        try withState { state in
            _ = try state.lock(purpose: "test", deadline: deadline)
            let name = try DomainName("*.example.org")
            let key = try PrivateKey.generate(.ec256)
            let record = OrderRecord(names: [name], keyType: .ec256, work: .selfSigned([]))
            try state.orders(of: authority).save(record, key: key, for: name)

            let found = try state.orders(of: authority).find(name)
            #expect(found?.key.publicKeyInfo == key.publicKeyInfo)
            #expect(found?.record.serves([name], .ec256) == true)
            #expect(found?.record.serves([name], .ec384) == false)
            #expect(try state.orders(of: authority).find(try DomainName("example.org")) == nil)
            #expect(try state.orders(of: .directory("https://ca.test:14000/other")).find(name) == nil)
        }
    }

    @Test func `keys and orders are readable to nobody else`() throws {
        try withState { state in
            _ = try state.lock(purpose: "test", deadline: deadline)
            let name = try DomainName("a.example.org")
            let record = OrderRecord(names: [name], keyType: .ec256, work: .selfSigned([]))
            try state.orders(of: authority).save(record, key: try .generate(.ec256), for: name)
            _ = try state.accounts(of: authority).makeKey(source: nil)
            for path in try everything(below: state.path) {
                #expect(try (Files.status(path)?.access.mode ?? 0o777) & 0o077 == 0, "\(path)")
            }
        }
    }

    private func everything(below path: String) throws -> [String] {
        try Files.list(path).flatMap { name in
            let child = path + "/" + name
            let isDirectory = try Files.status(child)?.kind == .directory
            return [child] + (isDirectory ? try everything(below: child) : [])
        }
    }

    @Test func `an order whose key is lost is none, and one that is removed is gone`() throws {
        try withState { state in
            _ = try state.lock(purpose: "test", deadline: deadline)
            let name = try DomainName("a.example.org")
            let orders = state.orders(of: .selfSigned)
            let record = OrderRecord(names: [name], keyType: .ec256, work: .selfSigned([]))
            try orders.save(record, key: try .generate(.ec256), for: name)
            try Files.remove(state.path + "/orders/self-signed/a.example.org/private.key")
            #expect(try orders.find(name) == nil)
            try orders.save(record, key: try .generate(.ec256), for: name)
            try orders.remove(name)
            #expect(try Files.list(state.path + "/orders/self-signed") == [])
        }
    }

    @Test func `a damaged order says which file and how to go on`() throws {
        try withState { state in
            _ = try state.lock(purpose: "test", deadline: deadline)
            let name = try DomainName("a.example.org")
            let orders = state.orders(of: .selfSigned)
            let record = OrderRecord(names: [name], keyType: .ec256, work: .selfSigned([]))
            try orders.save(record, key: try .generate(.ec256), for: name)
            let file = state.path + "/orders/self-signed/a.example.org/order.json"
            try AtomicFile.write(Array("{".utf8), to: file, access: .own(mode: 0o600))
            do {
                _ = try orders.find(name)
                Issue.record("a damaged order was read")
            } catch {
                #expect("\(error)".hasPrefix("\(file) is damaged; remove it"))
            }
        }
    }

    @Test func `the next account key waits beside the old one, and takes its place with its access`() throws {
        try withTemporaryDirectory { directory in
            let state = StateDirectory(path: directory + "/state")
            try Files.makeDirectory(state.path, access: .own(mode: 0o700))
            let accounts = state.accounts(of: authority)
            for source in [nil, directory + "/own.pem"] {
                let old = try accounts.makeKey(source: source, type: .rsa2048)
                try Files.set(.own(mode: 0o400), on: accounts.keyPath(source))
                let next = try PrivateKey.generate(.ec384)
                try accounts.saveNextKey(next, source: source)
                #expect(try Files.status(accounts.nextKeyPath(source))?.access.mode == 0o600)
                #expect(try accounts.key(source: source)?.publicKeyInfo == old.publicKeyInfo)
                #expect(try accounts.nextKey(source: source)?.publicKeyInfo == next.publicKeyInfo)
                try accounts.adoptNextKey(source: source)
                #expect(try accounts.key(source: source)?.publicKeyInfo == next.publicKeyInfo)
                #expect(try accounts.nextKey(source: source)?.publicKeyInfo == nil)
                #expect(try Files.status(accounts.keyPath(source))?.access.mode == 0o400)
            }
        }
    }

    @Test func `a key behind a link is not exchanged for another`() throws {
        try withTemporaryDirectory { directory in
            let accounts = StateDirectory(path: directory).accounts(of: authority)
            let source = directory + "/link.pem"
            try AtomicFile.link(source, to: directory + "/real.pem")
            let error = #expect(throws: StoreError.self) {
                try accounts.saveNextKey(try .generate(.ec256), source: source)
            }
            #expect(error?.description.contains(source) == true)
            #expect(try Files.list(directory) == ["link.pem"])
        }
    }

    @Test func `an account that has ended leaves nothing, but for a key of the operator's`() throws {
        try withTemporaryDirectory { directory in
            let accounts = StateDirectory(path: directory).accounts(of: authority)
            #expect(try !accounts.keepsAnything(source: nil))
            let source = directory + "/own.pem"
            let own = try accounts.makeKey(source: source)
            try accounts.save(AccountRecord(url: "https://ca.test/acct/1", contacts: []), of: own)
            try accounts.forgetEverything(source: source)
            #expect(try !accounts.keepsAnything(source: source))
            #expect(try accounts.key(source: source) != nil)
            _ = try accounts.makeKey(source: nil)
            #expect(try accounts.keepsAnything(source: nil))
            try accounts.forgetEverything(source: nil)
            #expect(try accounts.key(source: nil)?.publicKeyInfo == nil)
        }
    }

    @Test func `an account belongs to its key`() throws {
        try withState { state in
            _ = try state.lock(purpose: "test", deadline: deadline)
            let accounts = state.accounts(of: authority)
            let key = try accounts.makeKey(source: nil)
            let account = AccountRecord(url: "https://ca.test/acct/1", contacts: [])
            try accounts.save(account, of: key)
            #expect(try accounts.account(of: key) == account)
            #expect(try accounts.makeKey(source: nil).publicKeyInfo == key.publicKeyInfo)
            #expect(try accounts.account(of: try .generate(.ec256)) == nil)
            let other = try PrivateKey.generate(.ec256)
            try accounts.save(AccountRecord(url: "https://ca.test/acct/2", contacts: []), of: other)
            #expect(try accounts.account(of: key) == account)
            try accounts.forgetAccount(of: other)
            #expect(try accounts.account(of: key) == account)
            try accounts.forgetAccount(of: key)
            #expect(try accounts.account(of: key) == nil)
        }
    }
}
