internal import AcmeModules
internal import AnsibleModule
internal import DNS
internal import Names

/// What hosts ask to have published, and what DNS says of where their challenge names lead.
enum Claims {
    /// The first line is the option `hosts` of `acme_publish_txt`; the rest is the answer to every question.
    static func judge(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
        guard let zone = try? DNSName("acme.example.org"), let server = try? ServerAddress("192.0.2.1"),
            let hosts = JSONValue.parse(parts[0])
        else { return }
        var options = Options(["hosts": hosts])
        guard let claims = try? HostClaims(&options, zone: zone) else { return }
        let resolver = Resolver(server) { answer($0, parts.count == 2 ? parts[1] : [], server) }
        let judged = claims.judged(resolver)
        for record in judged.records {
            require(record.name.isInside(zone), "a record lies in the zone")
            require(record.value.text.utf8.count == 43, "a record is a token")
        }
        require(!judged.refusals.contains { $0.sentence.isEmpty }, "a refusal has a reason")
        let said = hosts["txt_required"]?.object ?? [:]
        require(judged.refusals.allSatisfy { said[$0.host] != nil }, "only who asks is refused")
        require(judged.records.isEmpty || judged.refusals.count < said.count, "who is refused gets nothing")
    }

    private static func answer(_ question: Question, _ bytes: [UInt8], _ server: ServerAddress) -> Result<
        Answer, DNSError
    > {
        let id = bytes.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
        guard let answer = try? AnswerParser.parse(bytes, id: id, question: question) else {
            return .failure(.timedOut(server: server, question: question))
        }
        return .success(answer)
    }
}
