internal import AnsibleModule
internal import DNS
internal import HTTP
internal import Names
internal import Platform

/// The nouns of Rackspace Cloud DNS v1 that TXT records need: domains, their records, and the jobs that change them.
/// https://docs.rackspace.com/docs/cloud-dns has the service's own words.
final class CloudDNS {
    static let defaultIdentity = "https://identity.api.rackspacecloud.com"

    /// Who asks, and where a token is to be had.
    struct Account {
        let username: String
        let apiKey: Secret<String>
        /// `https://host[:port][/path]`, without a slash at its end.
        let identityURL: String
    }

    /// A domain of the account.
    struct Domain: Equatable {
        let id: String
        let name: DNSName
    }

    /// A TXT record as the service holds it.
    struct TextRecord: Equatable {
        let id: String
        let record: TXTRecord
    }

    /// Entries of a page; offsets are multiples of it.
    private static let page = 100
    /// Seconds between two looks at a job: at first, and at most. The service allows five looks a second.
    private static let firstLook = 0.25
    private static let longestLook = 5.0

    private let session: CloudDNSSession
    private let deadline: Deadline
    private let username: String
    private var found: Domain?

    init(account: Account, transport: any Transport, deadline: Deadline) {
        session = CloudDNSSession(account: account, transport: transport, deadline: deadline)
        self.deadline = deadline
        username = account.username
    }

    // MARK: Reading

    /// The account's domain that holds the names of a zone: the zone itself, or the nearest name above it.
    func domain(of zone: DNSName) throws(CloudDNSError) -> Domain {
        if let found { return found }
        var name = zone
        while true {
            if let domain = try domain(named: name) {
                found = domain
                return domain
            }
            guard let parent = name.parent, parent.labels.count > 1 else { break }
            name = parent
        }
        throw CloudDNSError(
            "the account of \(username) has no domain \(zone) in Cloud DNS, nor one above it: create the domain "
                + "there, or correct zone or username")
    }

    private func domain(named name: DNSName) throws(CloudDNSError) -> Domain? {
        let purpose = "look for the domain \(name)"
        for entry in try list("/domains?name=\(name)", member: "domains", purpose) {
            guard let text = entry["name"]?.string, (try? DNSName(text)) == name else { continue }
            return Domain(id: try CloudDNSMessage.identifier(of: entry, purpose), name: name)
        }
        return nil
    }

    /// All TXT records of a domain that could be ours. A search by name finds none with an underscore, so that all of
    /// them are listed.
    func textRecords(of domain: Domain) throws(CloudDNSError) -> [TextRecord] {
        let purpose = "list the TXT records of \(domain.name)"
        var records: [TextRecord] = []
        for entry in try list("/domains/\(domain.id)/records?type=TXT", member: "records", purpose) {
            guard entry["type"]?.string == "TXT", let name = try? DNSName(entry["name"]?.string ?? ""),
                let value = try? TXTValue(entry["data"]?.string ?? "")
            else { continue }
            let id = try CloudDNSMessage.identifier(of: entry, purpose)
            records.append(TextRecord(id: id, record: TXTRecord(name: name, value: value)))
        }
        return records
    }

    /// How many records of any type a domain has.
    func recordCount(of domain: Domain) throws(CloudDNSError) -> Int {
        let purpose = "count the records of \(domain.name)"
        let answer = try session.send(.get, "/domains/\(domain.id)/records?limit=1&offset=0", purpose)
        guard let total = answer["totalEntries"]?.integer else { throw CloudDNSError(unreadable: purpose) }
        return total
    }

    /// All entries of a list that is read page by page; `path` has a query already.
    private func list(
        _ path: String, member: String, _ purpose: String
    ) throws(CloudDNSError) -> [JSONValue] {
        var all: [JSONValue] = []
        var offset = 0
        while true {
            let answer = try session.send(.get, "\(path)&limit=\(Self.page)&offset=\(offset)", purpose)
            guard let entries = answer[member]?.array else { throw CloudDNSError(unreadable: purpose) }
            all += entries
            offset += Self.page
            let isLast = answer["totalEntries"]?.integer.map { offset >= $0 } ?? (entries.count < Self.page)
            if entries.isEmpty || isLast { return all }
        }
    }

    // MARK: Changing

    /// Adds records, all or none, and waits until that is done. At most 100.
    func add(_ records: [TXTRecord], ttl: Int, to domain: Domain) throws(CloudDNSError) {
        let list = records.map { record -> JSONValue in
            [
                "name": .string(record.name.description), "type": "TXT", "data": .string(record.value.text),
                "ttl": .integer(ttl),
            ]
        }
        try run(
            .post, "/domains/\(domain.id)/records", ["records": .array(list)],
            "add \(Self.count(records.count)) to \(domain.name)")
    }

    /// Removes records and waits until that is done. At most 100; a refusal may have removed some of them.
    func remove(_ records: [TextRecord], from domain: Domain) throws(CloudDNSError) {
        let query = records.map { "id=\($0.id)" }.joined(separator: "&")
        try run(
            .delete, "/domains/\(domain.id)/records?\(query)", nil,
            "remove \(Self.count(records.count)) from \(domain.name)")
    }

    private static func count(_ number: Int) -> String { number == 1 ? "1 TXT record" : "\(number) TXT records" }

    /// Has the service do something that it answers with a job, and follows the job to its end. It is asked for by its
    /// number at the service's own endpoint: the URL that comes with it may be plain http, or anybody's.
    private func run(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, _ purpose: String
    ) throws(CloudDNSError) {
        var answer = try session.send(method, path, body: body, purpose)
        var job = try CloudDNSJob(answer, purpose)
        let id = job.id
        var pause = Self.firstLook
        while true {
            switch job.state {
            case .completed: return
            case .failed(let fault): throw CloudDNSError(purpose, refusedWith: session.hidingSecrets(fault.text))
            case .initialized, .running:
                guard let id else { throw CloudDNSError(unreadable: purpose) }
                guard pause < deadline.remaining else { throw CloudDNSError(unfinished: id, purpose) }
                deadline.pause(seconds: pause)
                pause = min(pause * 1.5, Self.longestLook)
                answer = try session.send(.get, "/status/\(id)?showDetails=true", "follow the job to \(purpose)")
                job = try CloudDNSJob(answer, purpose)
            }
        }
    }
}
