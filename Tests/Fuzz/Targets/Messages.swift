internal import AnsibleModule
internal import DNS
internal import FoundationEssentials
internal import HTTP
internal import Names
internal import Platform
internal import YAML

/// What servers and people write on a line or in a message.
enum Messages {
    /// Each kind of question might have had this answer.
    static func readAnswer(_ bytes: [UInt8]) {
        guard let name = try? DNSName("_acme-challenge.example.org"), bytes.count >= 2 else { return }
        let id = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        for type: RecordType in [.txt, .cname, .ns, .soa, .a, .aaaa, .caa] {
            let question = Question(name, type, recursion: true)
            guard
                case .success(let answer) = Result(catching: {
                    try AnswerParser.parse(bytes, id: id, question: question)
                })
            else { continue }
            _ = answer.code.description
            _ = answer.texts(of: name)
            if let end = try? answer.end(of: name) {
                require(end == name || answer.records.contains { $0.value == .alias(end) }, "an alias leads somewhere")
            }
        }
    }

    static func readField(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let fields = ["Link", "Retry-After", "Content-Type"].map { HTTPField($0, text) }
        let response = HTTPResponse(status: 200, fields: fields)
        _ = response.links("alternate")
        _ = response.mediaType
        if let date = HTTPDate.parse(text) { _ = date.timeIntervalSince1970 }
        _ = HTTPRequest(.get, text).host
    }

    static func readName(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let name = try? DNSName(text) { require((try? DNSName(name.description)) == name, "a name reads as itself") }
        if let name = try? DomainName(text) {
            require((try? DomainName(name.description)) == name, "a domain reads as itself")
            require(!name.fileName.contains("/") && !name.fileName.hasPrefix("."), "a domain is a safe file name")
            _ = name.unicode
            _ = try? name.challengeName()
            _ = RegisteredDomains().domain(of: name)
        }
        _ = try? ServerAddress(text)
        if let words = try? CommandWords.split(text) {
            require((try? CommandWords.split(CommandWords.join(words))) == words, "a command reads as itself")
        }
    }

    static func readDocument(_ bytes: [UInt8]) {
        guard let value = try? YAML.parse(bytes) else { return }
        _ = value.rendered
    }
}
