/// Where everything is at a CA (RFC 8555, section 7.1.1).
package struct Directory: Codable, Sendable, Equatable {
    package struct Meta: Codable, Sendable, Equatable {
        package var termsOfService: String?
        package var externalAccountRequired: Bool?
        /// The kinds of certificate that the CA offers, each with a description (draft-ietf-acme-profiles).
        package var profiles: [String: String]?
        /// The names by which CAA records mean this CA (RFC 8555, section 9.7.6; RFC 8659).
        package var caaIdentities: [String]?
    }

    package var newNonce: String
    package var newAccount: String
    package var newOrder: String
    /// Nil where the CA does not let accounts change their keys (RFC 8555, section 7.3.5).
    package var keyChange: String?
    /// Nil where the CA revokes nothing through this protocol (RFC 8555, section 7.6).
    package var revokeCert: String?
    /// Where renewal information is (RFC 9773, section 4); nil where the CA has none.
    package var renewalInfo: String?
    package var meta: Meta?
}

extension Directory {
    /// Throws where the CA would not make an account from this.
    package func checkAccount(_ wanted: AccountRequest) throws(ACMEError) {
        if let terms = meta?.termsOfService, !wanted.termsAgreed {
            throw ACMEError(
                "open an account", "the CA has terms of service, \(terms): read them and set terms_agreed to true")
        }
        if meta?.externalAccountRequired == true, wanted.binding == nil {
            throw ACMEError(
                "open an account",
                "the CA opens one only for its customers: set external_account_binding to the "
                    + "kid and key that it gave you")
        }
    }

    /// Throws where the CA does not offer the profile that is wanted.
    package func checkProfile(of wanted: OrderRequest) throws(ACMEError) {
        let offered = meta?.profiles ?? [:]
        guard let profile = wanted.profile, offered[profile] == nil else { return }
        let list = offered.keys.sorted().joined(separator: ", ")
        throw ACMEError(
            wanted.purpose, "the CA has no profile \(profile); it offers \(list.isEmpty ? "none" : list)")
    }
}

extension Directory.Meta {
    private enum CodingKeys: String, CodingKey { case termsOfService, externalAccountRequired, profiles, caaIdentities }

    /// Nothing here is needed to talk to the CA: a member of the wrong type is as good as none.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        termsOfService = try? members.decode(String.self, forKey: .termsOfService)
        externalAccountRequired = try? members.decode(Bool.self, forKey: .externalAccountRequired)
        profiles = try? members.decode([String: String].self, forKey: .profiles)
        caaIdentities = try? members.decode([String].self, forKey: .caaIdentities)
    }
}
