package import AnsibleModule
package import DNS
package import Names

/// What hosts ask to have published, in their own words. A host may have been taken over by somebody who wants
/// certificates of other hosts' names: it is held to the certificates that the inventory gives it. What one host says
/// wrong costs itself its records, and no other.
package struct HostClaims {
    package struct Refusal {
        package let host: String
        /// A clause that quotes nothing of what the host said but names.
        let reason: String

        package var sentence: String { "nothing that \(host) asked for was published: \(reason)" }
    }

    /// What came of all hosts' claims.
    package struct Judgement {
        package var records: [TXTRecord] = []
        package var refusals: [Refusal]
        var warnings: [String] = []
    }

    /// A token for a name of the host's own.
    private struct Claim {
        let host: String
        let own: Own
        let challenge: DNSName
        let record: TXTRecord
    }

    /// What the inventory gives a host.
    private struct Own {
        let challenges: Set<DNSName>
        /// How many records it may ask for.
        let most: Int
        /// Whether a record must be where the CNAME of its challenge name leads.
        let isChecked: Bool
    }

    private struct Refused: Error {
        let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    private let claims: [Claim]
    private let refusals: [Refusal]
    /// The challenge names of all hosts that the inventory speaks of.
    private let known: Set<DNSName>

    /// Reads the option `hosts`; nil where it is not given.
    package init?(_ options: inout Options, zone: DNSName) throws(OptionError) {
        guard var hosts = try options.mapping("hosts") else { return nil }
        let said = try hosts.mapping("txt_required") ?? Options([:])
        let certificates = try hosts.mapping("certs") ?? Options([:])
        var inventory = Inventory(
            certificates: certificates, facts: try hosts.mapping("facts") ?? Options([:]),
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
        known = certificates.names.reduce(into: []) { known, host in
            if let own = try? inventory.host(host) { known.formUnion(own.challenges) }
        }
    }
}

// MARK: - What may be published

extension HostClaims {
    private typealias Ends = [DNSName: Result<DNSName, DNSError>]

    private enum Verdict {
        case publish
        case withhold(String)
        case refuse(String)
    }

    /// What may be published, once the resolver has said where the challenge names lead, and what may not.
    package func judged(_ resolver: Resolver) -> Judgement {
        let ends = ends(resolver)
        var judgement = Judgement(refusals: refusals)
        var published: [Claim] = []
        for claim in claims where !judgement.refusals.contains(where: { $0.host == claim.host }) {
            switch verdict(on: claim, ends) {
            case .publish: published.append(claim)
            case .withhold(let reason): judgement.warnings.append(reason)
            case .refuse(let reason): judgement.refusals.append(Refusal(host: claim.host, reason: reason))
            }
        }
        let refused = Set(judgement.refusals.map(\.host))
        published.removeAll { refused.contains($0.host) }
        judgement.records = published.map(\.record).unique
        if let warning = Self.crowd(among: published, ends) { judgement.warnings.append(warning) }
        return judgement
    }

    /// Where challenge names lead; all that are known where somebody's word would be taken.
    private func ends(_ resolver: Resolver) -> Ends {
        let elsewhere = claims.filter { $0.record.name != $0.challenge }
        let names = Set(elsewhere.map(\.challenge))
        let isTrusting = elsewhere.contains { !$0.own.isChecked }
        return names.isEmpty ? [:] : resolver.aliases(of: (isTrusting ? names.union(known) : names).sorted())
    }

    private static func isProven(_ claim: Claim, _ ends: Ends) -> Bool {
        claim.record.name == claim.challenge || ends[claim.challenge] == .success(claim.record.name)
    }

    private func verdict(on claim: Claim, _ ends: Ends) -> Verdict {
        if Self.isProven(claim, ends) { return .publish }
        let (challenge, target) = (claim.challenge, claim.record.name)
        if !claim.own.isChecked {
            let others = known.lazy.filter { ends[$0] == .success(target) && !claim.own.challenges.contains($0) }
            guard let other = others.min() else { return .publish }
            return .withhold(
                "a record of \(claim.host) was not published: it would be at \(target), where \(other) of another host "
                    + "leads, and \(challenge) does not")
        }
        switch ends[challenge] ?? .failure(.noServers) {
        case .success(let end): return .refuse("\(challenge) leads to \(end), and it wants a record at \(target)")
        case .failure(let reason):
            return .refuse(
                "cannot find out whether \(challenge) leads to \(target) (\(reason)); name resolvers that can tell in "
                    + "letsencrypt_dns_servers of the name server, or set letsencrypt_check_cname to false for the host "
                    + "if it is trusted")
        }
    }

    /// The warning that hosts can get each other's certificates, since their challenge names lead to the same name.
    private static func crowd(among claims: [Claim], _ ends: Ends) -> String? {
        let crowds = Dictionary(grouping: claims.filter { isProven($0, ends) }, by: \.record.name).filter { _, claims in
            let challenges = Set(claims.map(\.challenge))
            return claims.contains { !challenges.isSubset(of: $0.own.challenges) }
        }
        guard let (target, claims) = crowds.min(by: { $0.key < $1.key }) else { return nil }
        let hosts = Set(claims.map(\.host)).sorted()
        let more = crowds.count == 1 ? "" : ", and likewise at \(crowds.count - 1) more"
        return
            "challenge names of \(hosts.prefix(3).joined(separator: ", "))\(hosts.count > 3 ? " and others" : "") all "
            + "lead to \(target)\(more): each of these hosts can get certificates for the names of all; make each a "
            + "CNAME to a label of its own"
    }
}

// MARK: - What one host says

extension HostClaims {
    /// What the inventory says of the hosts, as far as they have not talked into it.
    private struct Inventory {
        var certificates: Options
        var facts: Options
        let unchecked: Set<String>

        mutating func host(_ host: String) throws(Refused) -> Own {
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
                return Own(challenges: challenges, most: names.count, isChecked: !unchecked.contains(host))
            } catch {
                throw Refused(error.description)
            }
        }
    }

    private static func read(
        _ said: JSONValue, of host: String, _ own: Own, _ zone: DNSName
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
            guard own.challenges.contains(challenge) else {
                throw Refused("\(challenge) belongs to none of the names in its letsencrypt_certs")
            }
            guard let value = entry["value"]?.string, let text = try? TXTValue(value), isToken(value) else {
                throw Refused("\(place) has a value that is no token of RFC 8555")
            }
            // A target elsewhere is another server's business.
            guard target.isInside(zone) else { continue }
            claims.append(
                Claim(host: host, own: own, challenge: challenge, record: TXTRecord(name: target, value: text)))
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
