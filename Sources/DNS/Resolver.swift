package import Names
package import Platform

/// Asks servers that look things up for others (recursive resolvers), many names at once.
package struct Resolver {
    private let servers: [ServerAddress]
    private let exchange: ([Transport.Errand]) -> [Result<Answer, DNSError>]

    /// Uses these servers in their order, the next where one fails; those of resolv.conf where none is given.
    package init(servers: [ServerAddress], deadline: Deadline) {
        self.servers = servers.isEmpty ? ServerAddress.system() : servers
        exchange = { Transport.run($0, deadline: deadline) }
    }

    /// Uses what is said here to have been this server's answers, and asks nobody.
    package init(_ server: ServerAddress, answering: @escaping (Question) -> Result<Answer, DNSError>) {
        servers = [server]
        exchange = { errands in errands.map { answering($0.question) } }
    }

    /// Where each name leads: the last name of its chain of CNAME records, the name itself where it is no alias.
    /// Whether there is anything at the end of the chain does not matter.
    package func aliases(of names: [DNSName]) -> [DNSName: Result<DNSName, DNSError>] {
        let answers = ask(names.map { Question($0, .txt, recursion: true) })
        var ends: [DNSName: Result<DNSName, DNSError>] = [:]
        for (question, answer) in answers {
            ends[question.name] = Result { () throws(DNSError) -> DNSName in try answer.get().end(of: question.name) }
        }
        return ends
    }

    /// The CAA records at the end of each name's aliases; none where the answer has none.
    func authorizations(of names: some Sequence<DNSName>) -> [DNSName: Result<CAARecordSet, DNSError>] {
        var sets: [DNSName: Result<CAARecordSet, DNSError>] = [:]
        for (question, answer) in ask(names.map { Question($0, .caa, recursion: true) }) {
            sets[question.name] = Result { () throws(DNSError) -> CAARecordSet in
                let answer = try answer.get()
                let end = try answer.end(of: question.name)
                return CAARecordSet(owner: end, records: answer.authorizations(of: end))
            }
        }
        return sets
    }

    /// The servers that a zone's NS records name, sorted. Throws where there are none.
    package func nameServers(of zone: DNSName) throws(DNSError) -> [DNSName] {
        let question = Question(zone, .ns, recursion: true)
        guard let answer = try ask([question])[question]?.get() else { throw .noServers }
        let names = answer.records.compactMap { record in
            if record.owner == zone, case .server(let name) = record.value { name } else { nil }
        }
        guard let server = servers.first else { throw .noServers }
        guard !names.isEmpty else { throw .noRecord(server: server, question: question) }
        return names.sorted()
    }

    /// The IPv4 and IPv6 addresses of each name, as servers at port 53. An error where neither kind could be had.
    package func addresses(of names: [DNSName]) -> [DNSName: Result<[ServerAddress], DNSError>] {
        let answers = ask(names.flatMap { [Question($0, .a, recursion: true), Question($0, .aaaa, recursion: true)] })
        var all: [DNSName: Result<[ServerAddress], DNSError>] = [:]
        for name in names {
            let both = [RecordType.a, .aaaa].compactMap { answers[Question(name, $0, recursion: true)] }
            all[name] = Result { () throws(DNSError) -> [ServerAddress] in try addresses(in: both, of: name) }
        }
        return all
    }

    private func addresses(
        in answers: [Result<Answer, DNSError>], of name: DNSName
    ) throws(DNSError) -> [ServerAddress] {
        var found: [ServerAddress] = []
        var failure: DNSError?
        for answer in answers {
            do throws(DNSError) {
                found += try addresses(in: answer.get(), of: name)
            } catch {
                failure = failure ?? error
            }
        }
        if !found.isEmpty { return found }
        guard let server = servers.first else { throw .noServers }
        throw failure ?? .noRecord(server: server, question: Question(name, .a, recursion: true))
    }

    private func addresses(in answer: Answer, of name: DNSName) throws(DNSError) -> [ServerAddress] {
        let end = try answer.end(of: name)
        return answer.records.compactMap { record in
            guard record.owner == end, case .address(let bytes) = record.value else { return nil }
            return ServerAddress(binary: bytes)
        }
    }

    /// Asks the first server everything, the next what that one left unanswered, and so on.
    private func ask(_ questions: [Question]) -> [Question: Result<Answer, DNSError>] {
        var results: [Question: Result<Answer, DNSError>] = [:]
        for question in questions { results[question] = .failure(.noServers) }
        var open = Array(results.keys)
        for server in servers where !open.isEmpty {
            let errands = open.map { Transport.Errand(question: $0, server: server) }
            for (errand, result) in zip(errands, exchange(errands)) {
                results[errand.question] = result.flatMap { Self.judge($0, errand) }
            }
            open.removeAll { if case .success = results[$0] { true } else { false } }
        }
        return results
    }

    /// A resolver's answer counts where it knows the name, or knows that there is none.
    private static func judge(_ answer: Answer, _ errand: Transport.Errand) -> Result<Answer, DNSError> {
        if answer.code == .noError || answer.code == .noSuchName { return .success(answer) }
        return .failure(.answered(server: errand.server, question: errand.question, code: answer.code))
    }
}
