import PKI
import Platform
import TestSupport
import Testing

/// Runs the `openssl` program in a directory and expects it to succeed.
@discardableResult
func openssl(_ arguments: String..., input: [UInt8] = [], in directory: String? = nil) throws -> ProgramResult {
    let result = try Program.run(["openssl"] + arguments, input: input, directory: directory)
    try #require(result.status == 0, "openssl \(arguments.joined(separator: " ")): \(result)")
    return result
}

/// A private key in PEM that `openssl genpkey` makes.
func generated(_ algorithm: String, _ options: String...) throws -> [UInt8] {
    let flags = options.flatMap { ["-pkeyopt", $0] }
    let result = try Program.run(["openssl", "genpkey", "-algorithm", algorithm] + flags)
    try #require(result.status == 0, "\(result)")
    return result.output
}

/// The private key of a JSON Web Key in traditional DER, put together by `openssl asn1parse`.
func privateKeyPEM(_ jwk: [String: String]) throws -> [UInt8] {
    func hexadecimal(_ member: String) throws -> String {
        let text = try #require(jwk[member])
        let bytes = try #require(Base64URL.decode(text))
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    var fields: [String]
    if jwk["x"] != nil {
        let point = try "04" + hexadecimal("x") + hexadecimal("y")
        fields = try [
            "INTEGER:1", "FORMAT:HEX,OCTETSTRING:" + hexadecimal("d"), "EXPLICIT:0,OID:prime256v1",
            "EXPLICIT:1,FORMAT:HEX,BITSTRING:" + point,
        ]
    } else {
        fields =
            try ["INTEGER:0"]
            + ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map { try "INTEGER:0x" + hexadecimal($0) }
    }
    let lines = fields.enumerated().map { "field\($0.offset) = \($0.element)" }
    let configuration = (["asn1 = SEQUENCE:key", "[key]"] + lines).joined(separator: "\n") + "\n"
    return try withTemporaryDirectory { directory in
        try write(Array(configuration.utf8), directory + "/key.cnf")
        try openssl("asn1parse", "-genconf", "key.cnf", "-noout", "-out", "key.der", in: directory)
        return try openssl("pkey", "-inform", "DER", "-in", "key.der", in: directory).output
    }
}
