internal import AnsibleModule
internal import DNS
internal import Names

/// What hosts ask to have published, in their own words. A host may have been taken over by somebody who wants
/// certificates of other hosts' names: it is held to the certificates that the inventory gives it. What one host says
/// wrong costs itself its records, and no other.
struct HostClaims {
    struct Refusal {
        let host: String
        /// A clause that quotes nothing of what the host said but names.
        let reason: String

        var sentence: String { "nothing that \(host) asked for was published: \(reason)" }
    }

    /// A token for a name of the host's own.
    private struct Claim {
        let host: String
        let challenge: DNSName
        let record: TXTRecord
        let mustBeAlias: Bool
    }

    private struct Refused: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    private let claims: [Claim]
    private var refusals: [Refusal]

    /// Reads the option `hosts`; nil where it is not given.
    init?(_ options: inout Options, zone: DNSName) throws(OptionError) {
        guard var hosts = try options.mapping("hosts") else { return nil }
        let said = try hosts.mapping("txt_required") ?? Options([:])
        var inventory = Inventory(
            certificates: try hosts.mapping("certs") ?? Options([:]), facts: try hosts.mapping("facts") ?? Options([:]),
            unchecked: Set(try hosts.strings("unchecked") ?? []))
        try hosts.rejectUnknown()
        var claims: [Claim] = []
        var refusals: [Refusal] = []
        for host in said.names {
            var said = said
            do throws(Refused) {
                claims += try Self.read(said.value(host) ?? [], of: host, inventory.host(host), zone)
            } catch {
                refusals.append(Refusal(host: host, reason: error.reason))
            }
        }
        (self.claims, self.refusals) = (claims, refusals)
    }

    /// What may be published, once the resolver has said where the challenge names lead, and what may not.
    func judged(_ zone: DNSName, _ resolver: Resolver) -> (
        records: [TXTRecord], refusals: [Refusal], warnings: [String]
    ) {
        let names = Set(claims.filter(\.mustBeAlias).map(\.challenge)).sorted()
        let ends = names.isEmpty ? [:] : resolver.aliases(of: names)
        var refusals = refusals
        var warnings: Set<String> = []
        for claim in claims where claim.mustBeAlias && !refusals.contains(where: { $0.host == claim.host }) {
            switch ends[claim.challenge] {
            case .success(claim.record.name), nil: continue
            case .success(let end):
                let reason = "\(claim.challenge) leads to \(end), and it wants a record at \(claim.record.name)"
                refusals.append(Refusal(host: claim.host, reason: reason))
            case .failure(let reason):
                warnings.insert("cannot find out whether \(claim.challenge) is \(claim.host)'s to answer: \(reason)")
            }
        }
        let refused = Set(refusals.map(\.host))
        return (claims.filter { !refused.contains($0.host) }.map(\.record).unique, refusals, warnings.sorted())
    }
}

// MARK: - What one host says

extension HostClaims {
    /// What the inventory says of the hosts, as far as they have not talked into it.
    private struct Inventory {
        var certificates: Options
        var facts: Options
        let unchecked: Set<String>

        /// The names that a host may ask for, how many records that can be, and whether each must be an alias.
        mutating func host(_ host: String) throws(Refused) -> (names: Set<DNSName>, most: Int, mustBeAlias: Bool) {
            do throws(OptionError) {
                let facts = try facts.strings(host) ?? []
                if let fact = facts.first(where: { $0.hasPrefix("letsencrypt_") }) {
                    throw OptionError(
                        "it gave itself the variable \(fact.prefix(64)), which is the inventory's to give")
                }
                guard let certs = try certificates.mapping(host) else {
                    throw OptionError("the inventory has no letsencrypt_certs for it")
                }
                let names = try CertificateOptions.read(certs, .standard).flatMap(\.names)
                let challenges = Set(names.compactMap { try? $0.challengeName() })
                return (challenges, names.count, !unchecked.contains(host))
            } catch {
                throw Refused(error.description)
            }
        }
    }

    private static func read(
        _ said: JSONValue, of host: String, _ own: (names: Set<DNSName>, most: Int, mustBeAlias: Bool), _ zone: DNSName
    ) throws(Refused) -> [Claim] {
        guard let entries = said.array else { throw Refused("its acme_txt_required is no list") }
        guard entries.count <= own.most else {
            throw Refused("it asks for \(entries.count) records, and its certificates have \(own.most) names")
        }
        var claims: [Claim] = []
        for (index, entry) in entries.enumerated() {
            let place = "its acme_txt_required.\(index)"
            guard let challenge = name(entry["record"]), let target = name(entry["target"] ?? entry["record"]) else {
                throw Refused("\(place) has no record and target that are names")
            }
            guard own.names.contains(challenge) else {
                throw Refused("\(challenge) belongs to none of the names in its letsencrypt_certs")
            }
            guard let value = entry["value"]?.string, let text = try? TXTValue(value), isToken(value) else {
                throw Refused("\(place) has a value that is no token of RFC 8555")
            }
            // A target elsewhere is another server's business.
            guard target.isInside(zone) else { continue }
            claims.append(
                Claim(
                    host: host, challenge: challenge, record: TXTRecord(name: target, value: text),
                    mustBeAlias: own.mustBeAlias && target != challenge))
        }
        return claims
    }

    private static func name(_ value: JSONValue?) -> DNSName? { value?.string.flatMap { try? DNSName($0) } }

    /// The SHA-256 of a key authorization in base64url (RFC 8555, section 8.4).
    private static func isToken(_ value: String) -> Bool {
        value.utf8.count == 43
            && value.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
