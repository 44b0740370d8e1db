internal import CResolv
package import Names

/// A server's word on how it took a question (RFC 1035, section 4.1.1; RFC 2136, section 2.2).
package struct ResponseCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let noError = ResponseCode(rawValue: 0)
    package static let formatError = ResponseCode(rawValue: 1)
    package static let noSuchName = ResponseCode(rawValue: 3)
    package static let notImplemented = ResponseCode(rawValue: 4)
    package static let refused = ResponseCode(rawValue: 5)

    package var description: String {
        let names = [
            "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
            "NOTAUTH", "NOTZONE",
        ]
        return names.indices.contains(rawValue) ? names[rawValue] : "RCODE \(rawValue)"
    }
}

/// A message that answers a question, as far as it matters here.
package struct Answer: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case alias(DNSName)
        case server(DNSName)
        /// The strings of a TXT record, joined (RFC 7208, section 3.3).
        case text([UInt8])
        /// The serial of a SOA record.
        case serial(UInt32)
        /// 4 or 16 bytes.
        case address([UInt8])
        case authorization(CAARecord)
    }

    package struct Record: Sendable, Equatable {
        package let owner: DNSName
        package let value: Value
    }

    package let code: ResponseCode
    package let isTruncated: Bool
    package let isAuthoritative: Bool
    /// The records of the answer section whose type is known here, in the server's order.
    package let records: [Record]

    /// Follows the aliases of a name through the records: the last name that they lead to.
    package func end(of name: DNSName) throws(DNSError) -> DNSName {
        var seen: Set<DNSName> = [name]
        var current = name
        while let next = alias(of: current) {
            guard seen.insert(next).inserted else { throw .endlessAliases(name) }
            current = next
        }
        return current
    }

    private func alias(of name: DNSName) -> DNSName? {
        for record in records where record.owner == name {
            if case .alias(let next) = record.value { return next }
        }
        return nil
    }

    /// The CAA records of exactly this name.
    func authorizations(of name: DNSName) -> [CAARecord] {
        records.compactMap { record in
            if record.owner == name, case .authorization(let authorization) = record.value {
                authorization
            } else {
                nil
            }
        }
    }

    /// The texts that the records hold for exactly this name.
    package func texts(of name: DNSName) -> [[UInt8]] {
        records.compactMap { record in
            if record.owner == name, case .text(let text) = record.value { text } else { nil }
        }
    }
}
