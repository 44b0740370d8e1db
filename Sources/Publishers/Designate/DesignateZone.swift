internal import AnsibleModule
internal import HTTP
internal import Names
internal import Platform

/// The zone in Designate: its TXT record sets are read and brought to what is wanted, all names at once.
final class DesignateZone {
    /// Seconds that another look needs: with less left, what was seen last is the news.
    private static let leastRound = 1.0

    private let name: DNSName
    private let client: DesignateClient
    private let ttl: Int
    private var identifier: String?

    init(_ name: DNSName, _ client: DesignateClient, ttl: Int) {
        self.name = name
        self.client = client
        self.ttl = ttl
    }

    typealias Read = Result<RecordSet?, PublishError>

    // MARK: Reading

    /// The sets of these names, nil where a name has none.
    func sets(of names: [DNSName]) throws(PublishError) -> [DNSName: Read] {
        let path = try path()
        let calls = names.map { DesignateClient.Call(method: .get, path: "\(path)?name=\($0).&type=TXT") }
        var sets: [DNSName: Read] = [:]
        for (name, outcome) in zip(names, client.perform(calls)) {
            sets[name] = Result { () throws(PublishError) in try set(of: name, in: outcome.get()) }
        }
        return sets
    }

    private func set(of name: DNSName, in reply: DesignateClient.Reply) throws(PublishError) -> RecordSet? {
        let found = try list("recordsets", from: reply).filter { Self.isNamed($0, name) && $0["type"]?.string == "TXT" }
        guard let json = found.first else { return nil }
        guard let set = RecordSet(json) else {
            throw client.failure("\(client.place) lists a record set of \(name) without id or records")
        }
        return set
    }

    /// `/zones/<id>/recordsets`.
    private func path() throws(PublishError) -> String {
        if let identifier { return "/zones/\(identifier)/recordsets" }
        let reply = try client.perform(.init(method: .get, path: "/zones?name=\(name)."))
        let zones = try list("zones", from: reply).filter { Self.isNamed($0, name) }
        guard let found = zones.first?["id"]?.string, !found.isEmpty, !found.contains("/") else {
            throw client.failure(
                "\(client.place) has no zone \(name). that this project can see: make it there, or choose the project "
                    + "that has it")
        }
        identifier = found
        return "/zones/\(found)/recordsets"
    }

    private static func isNamed(_ json: JSONValue, _ name: DNSName) -> Bool {
        json["name"]?.string?.lowercased() == name.description + "."
    }

    /// The members of a list and of the pages that follow it. Of a link only the query is used: what is before it may
    /// be the name of a server behind a proxy, or of anybody.
    private func list(_ member: String, from first: DesignateClient.Reply) throws(PublishError) -> [JSONValue] {
        var reply = first
        var elements: [JSONValue] = []
        for _ in 0..<1000 {
            guard reply.isSuccess else {
                throw client.failure("\(client.place) does not list \(member) (\(reply.description))")
            }
            guard let page = reply.json[member]?.array else {
                throw client.failure("\(client.place) answered without \(member): is it Designate's version 2?")
            }
            elements += page
            guard let next = reply.json["links"]?["next"]?.string, let mark = next.firstIndex(of: "?") else {
                return elements
            }
            let path = try member == "zones" ? "/zones" : self.path()
            reply = try client.perform(.init(method: .get, path: path + next[mark...]))
        }
        throw client.failure("\(client.place) lists \(member) without an end")
    }

    // MARK: Writing

    /// Brings all sets to where they are to be; the names that did not get there, and why.
    func perform(_ works: [DNSName: RecordSetWork]) throws(PublishError) -> [DNSName: PublishError] {
        var open = works
        var failures: [DNSName: PublishError] = [:]
        var rounds = 0
        while !open.isEmpty {
            let writes = try steps(&open, &failures)
            // What gets smaller makes room in the zone's quota for what grows.
            write(writes.filter(\.shrinks), &open, &failures)
            write(writes.filter { !$0.shrinks }, &open, &failures)
            guard !open.isEmpty else { break }
            rounds += 1
            client.deadline.pause(seconds: min(0.25 * Double(rounds), 2) * Double.random(in: 0.5...1))
            guard client.deadline.remaining > Self.leastRound else {
                for name in open.keys { failures[name] = late(name) }
                break
            }
        }
        return failures
    }

    private struct Write {
        let name: DNSName
        let set: RecordSet?
        let records: [String]

        var shrinks: Bool { records.count < set?.records.count ?? 0 }
    }

    /// Reads all and returns what is to be written now.
    private func steps(
        _ open: inout [DNSName: RecordSetWork], _ failures: inout [DNSName: PublishError]
    ) throws(PublishError) -> [Write] {
        var writes: [Write] = []
        let now = client.deadline.clock.uptime
        for (name, read) in try sets(of: open.keys.sorted()) {
            do throws(PublishError) {
                let set = try read.get()
                switch open[name]?.step(after: set, now: now) ?? .done {
                case .done: open[name] = nil
                case .wait: break
                case .write(let records): writes.append(Write(name: name, set: set, records: records))
                case .failed: throw erroneous(name)
                }
            } catch {
                failures[name] = error
                open[name] = nil
            }
        }
        return writes
    }

    private func write(
        _ writes: [Write], _ open: inout [DNSName: RecordSetWork], _ failures: inout [DNSName: PublishError]
    ) {
        guard !writes.isEmpty, let identifier else { return }
        let outcomes = client.perform(writes.map { call($0, "/zones/\(identifier)/recordsets") })
        let now = client.deadline.clock.uptime
        for (write, outcome) in zip(writes, outcomes) {
            do throws(PublishError) {
                let reply = try outcome.get()
                if reply.isSuccess {
                    open[write.name]?.noteWrite(at: now)
                } else if reply.status == 404 || reply.status == 409 {
                    open[write.name]?.lose(now)
                } else {
                    throw refused(write, reply)
                }
            } catch {
                failures[write.name] = error
                open[write.name] = nil
            }
        }
    }

    private func call(_ write: Write, _ path: String) -> DesignateClient.Call {
        var body: [String: JSONValue] = ["records": .strings(write.records), "ttl": .integer(ttl)]
        guard let set = write.set else {
            body["name"] = .string(write.name.description + ".")
            body["type"] = "TXT"
            return .init(method: .post, path: path, body: .object(body))
        }
        if write.records.isEmpty { return .init(method: .delete, path: "\(path)/\(set.id)") }
        return .init(method: .put, path: "\(path)/\(set.id)", body: .object(body))
    }

    // MARK: What went wrong

    private func refused(_ write: Write, _ reply: DesignateClient.Reply) -> PublishError {
        let start = "\(client.place) does not take \(write.records.count) TXT records of \(write.name)"
        switch (reply.status, reply.kind) {
        case (413, _):
            return client.failure("\(start): its quota is used up (\(reply.description)); \(Self.advice(reply))")
        case (400, "invalid_recordset_location"):
            return client.failure(
                "\(start): another record is in the way there (\(reply.description)); remove the CNAME \(write.name)")
        case (403, _):
            return client.failure(
                "\(start) (\(reply.description)): give the credential a role that may change the zone")
        default: return client.failure("\(start) (\(reply.description))")
        }
    }

    /// Quotas are `recordset_records` for one name, `zone_recordsets` and `zone_records` for the whole zone.
    private static func advice(_ reply: DesignateClient.Reply) -> String {
        let isOfZone = reply.description.contains("zone_record")
        return isOfZone
            ? "remove what is not needed from the zone, or have the project's quota for it raised"
            : "let each _acme-challenge name be a CNAME to a label of its own, or have the project's quota for records "
                + "in a set raised"
    }

    private func erroneous(_ name: DNSName) -> PublishError {
        client.failure(
            "\(client.place) took the TXT records of \(name) and then set them to ERROR: its name servers did not take "
                + "them; ask its operators and try again")
    }

    private func late(_ name: DNSName) -> PublishError {
        client.failure(
            "\(client.place) did not make the TXT records of \(name) ACTIVE in time; try again, or raise timeout")
    }
}
