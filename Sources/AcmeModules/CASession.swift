internal import ACME
internal import HTTP
internal import PKI
internal import Platform

/// Clients of one CA with different keys, which ask for its directory once between them.
final class CASession {
    let directory: String
    private let transport: any Transport
    private let deadline: Deadline
    private var last: Client?

    init(_ directory: String, transport: any Transport, deadline: Deadline) {
        self.directory = directory
        self.transport = transport
        self.deadline = deadline
    }

    /// A client that signs with this key, and with the account's URL where the account is given.
    func client(_ key: PrivateKey, account: AccountRecord? = nil) -> Client {
        var known = last?.cache
        // The other client may still use its nonces itself.
        known?.nonces = []
        let client = Client(
            directoryURL: directory, key: key, transport: transport, deadline: deadline, cache: known)
        client.account = account
        last = client
        return client
    }
}
