import PKI
import Platform
import Testing

@Suite struct MessageCodeTests {
    /// RFC 4231, section 4.3 (test case 2).
    @Test(arguments: [
        (MessageCodeAlgorithm.hs256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (.hs384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"),
        (
            .hs512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b"
                + "636e070a38bce737"
        ),
    ])
    func `codes are those of the RFC`(algorithm: MessageCodeAlgorithm, expected: String) throws {
        let message = Array("what do ya want for nothing?".utf8)
        let code = try MessageCode.make(algorithm, key: Secret(Array("Jefe".utf8)), message: message)
        #expect(code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
    }
}
