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
