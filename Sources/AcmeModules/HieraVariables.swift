internal import AnsibleModule
internal import PKI
internal import Platform
internal import YAML

/// The variables that Puppet looks up for one certificate. Their names never change, and hold nothing but ASCII
/// letters, digits and `_`, since Puppet takes a dot in a key for the way into a hash:
///
///     cert_<key>: {key_contents, cert_contents, chain_contents, full_chain_contents}
///     <key>_ssl_cert  <key>_ssl_key  <key>_ssl_chain
struct HieraVariables {
    let hash: String
    let flatCert: String
    let flatKey: String
    let flatChain: String

    init(key: String) {
        let safe = String(key.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        hash = "cert_" + safe
        flatCert = safe + "_ssl_cert"
        flatKey = safe + "_ssl_key"
        flatChain = safe + "_ssl_chain"
    }

    var all: [String] { [hash, flatCert, flatKey, flatChain] }
}

/// The YAML file of one host, in PEM.
struct HieraFile {
    private static let note = "# Written by acme_write_hiera: changes made by hand are lost.\n"

    private var mapping = YAMLMapping()

    mutating func append(_ variables: HieraVariables, _ chain: CertificateChain, _ key: PrivateKey) throws(PKIError) {
        let leaf = String(decoding: chain.leafPEM, as: UTF8.self)
        let issuers = String(decoding: chain.issuersPEM, as: UTF8.self)
        let secret = String(decoding: try key.pem().revealed, as: UTF8.self)
        var hash = YAMLMapping()
        hash.append("key_contents", secret)
        hash.append("cert_contents", leaf)
        hash.append("chain_contents", issuers)
        hash.append("full_chain_contents", leaf + issuers)
        mapping.append(variables.hash, hash)
        mapping.append(variables.flatCert, leaf)
        mapping.append(variables.flatKey, secret)
        mapping.append(variables.flatChain, issuers)
    }

    func rendered() throws(YAML.Failure) -> Secret<[UInt8]> {
        Secret(Array(Self.note.utf8) + (try mapping.rendered()))
    }

    /// A line for each certificate in such a file, without anything secret; none for a text that is no such file.
    static func summary(of text: [UInt8]) -> [String] {
        guard let members = (try? YAML.parse(text))?.object else { return [] }
        return members.sorted { $0.key < $1.key }.compactMap { variable, value in
            guard let pem = value["cert_contents"]?.string,
                let leaf = try? CertificateChain(pem: Array(pem.utf8)).leaf
            else { return nil }
            return "\(variable): \(leaf.summary)"
        }
    }
}
