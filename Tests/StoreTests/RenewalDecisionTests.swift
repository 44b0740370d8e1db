import ACME
import FoundationEssentials
import Names
import PKI
import Store
import TestSupport
import Testing

@Suite struct RenewalDecisionTests {
    private static let ca = Authority.directory("https://ca.test/dir")
    private static let names = ["a.example.org", "b.example.org"]
    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    /// A certificate of 90 days that was installed at `start` with this issuance.
    private func installation(_ issuance: Issuance?, days: Int = 90) throws -> Installation {
        let key = try PrivateKey.generate(.ec256)
        let authority = try SelfSigningAuthority(now: start)
        let chain = try authority.issue(for: try Self.names.map { try DomainName($0) }, key: key, days: days)
        return .complete(InstalledCertificate(key: key, chain: chain, issuance: issuance))
    }

    private func wanted(
        _ names: [String] = names, _ authority: Authority = ca, keyType: KeyType = .ec256, remainingDays: Int = 30,
        force: Bool = false, profile: String? = nil, suggestion: RenewalSuggestion? = nil
    ) throws -> WantedCertificate {
        WantedCertificate(
            names: try names.map { try DomainName($0) }, keyType: keyType, authority: authority,
            remainingDays: remainingDays, force: force, profile: profile, suggestion: suggestion)
    }

    /// What a CA that wants a renewal between these days after `start` says.
    private func suggestion(_ days: ClosedRange<Double>) -> RenewalSuggestion {
        let information = RenewalInformation(
            start: start.addingTimeInterval(days.lowerBound * 86_400),
            end: start.addingTimeInterval(days.upperBound * 86_400), explanationURL: "https://ca.test/why",
            checkAgain: start)
        return RenewalSuggestion(information, for: "aki.serial")
    }

    @Test func `the moment is within the CA's window, and the same each time`() {
        let moment = suggestion(10...12).moment
        #expect(moment >= start.addingTimeInterval(10 * 86_400))
        #expect(moment < start.addingTimeInterval(12 * 86_400))
        #expect(suggestion(10...12).moment == moment)
    }

    @Test func `the CA is asked again at its moment, and at once where the clock was ahead when that was noted`() {
        let answer = RenewalAnswer(about: "aki.serial", nil, askAgain: start.addingTimeInterval(86_400))
        #expect(!answer.isStale(at: start))
        #expect(!answer.isStale(at: start.addingTimeInterval(86_399)))
        #expect(answer.isStale(at: start.addingTimeInterval(86_400)))
        #expect(answer.isStale(at: start.addingTimeInterval(-1)))
    }

    @Test func `the CA's window decides, before and after the days that are set`() throws {
        let installed = try installation(Issuance(Self.ca))
        let early = try wanted(suggestion: suggestion(10...12))
        #expect(isDue(decide(early, installed, afterDays: 12.5), because: "the CA suggests to renew it between"))
        #expect(isDue(decide(early, installed, afterDays: 12.5), because: "(https://ca.test/why)"))
        guard case .keep(let reason) = decide(early, installed, afterDays: 9) else { throw Unexpected(installed) }
        #expect(reason.contains("by the CA's suggestion to be renewed on"))
        let late = try wanted(suggestion: suggestion(80...82))
        guard case .keep = decide(late, installed, afterDays: 70) else { throw Unexpected(installed) }
    }

    @Test func `a moment in a certificate's last days is taken earlier, since runs are a day apart`() throws {
        let installed = try installation(Issuance(Self.ca))
        let wanted = try wanted(suggestion: suggestion(89.9...89.99))
        guard case .keep = decide(wanted, installed, afterDays: 80) else { throw Unexpected(installed) }
        guard case .obtain = decide(wanted, installed, afterDays: 81.5) else { throw Unexpected(installed) }
    }

    @Test func `a window past the certificate's end is not obeyed`() throws {
        let installed = try installation(Issuance(Self.ca))
        let wanted = try wanted(suggestion: suggestion(95...97))
        #expect(isDue(decide(wanted, installed, afterDays: 60.5), because: "expires in 29 days"))
    }

    @Test func `another profile is a reason, but not for what this project did not order`() throws {
        let classic = try installation(Issuance(Self.ca, profile: "classic"))
        #expect(
            isDue(
                decide(try wanted(profile: "short"), classic),
                because: "it has profile classic, and profile short is wanted"))
        #expect(isDue(decide(try wanted(), classic), because: "and the CA's default profile is wanted"))
        guard case .keep = decide(try wanted(profile: "short"), try installation(nil)) else {
            throw Unexpected(classic)
        }
    }

    @Test func `a certificate that was revoked is due, whatever its age`() throws {
        guard case .complete(let good) = try installation(Issuance(Self.ca)) else { throw Unexpected("unusable") }
        let note = RevocationNote(
            of: good.chain.leaf, because: .keyCompromise, on: start, endedAuthorizations: false)
        let revoked = Installation.complete(
            InstalledCertificate(key: good.key, chain: good.chain, issuance: good.issuance, revocation: note))
        let reason = "it was revoked on 2027-01-15T08:00:00Z (keyCompromise)"
        #expect(decide(try wanted(), revoked) == .obtain(reason: reason))
        #expect(decide(try wanted(remainingDays: 0), revoked) == .obtain(reason: reason))
    }

    private func decide(
        _ wanted: WantedCertificate, _ installation: Installation, afterDays days: Double = 1
    ) -> RenewalDecision {
        RenewalDecision(for: wanted, given: installation, now: start.addingTimeInterval(days * 86_400))
    }

    private func isDue(_ decision: RenewalDecision, because text: String) -> Bool {
        if case .obtain(let reason) = decision { reason.contains(text) } else { false }
    }

    @Test func `a good certificate is kept`() throws {
        let decision = decide(try wanted(), try installation(Issuance(Self.ca)))
        guard case .keep(let reason) = decision else { throw Unexpected(decision) }
        #expect(reason.hasPrefix("valid for another 8"))
    }

    @Test func `the order of names does not matter`() throws {
        let decision = decide(try wanted(Self.names.reversed()), try installation(Issuance(Self.ca)))
        guard case .keep = decision else { throw Unexpected(decision) }
    }

    @Test func `a name more and a name less are told`() throws {
        let names = ["a.example.org", "c.example.org"]
        let decision = decide(try wanted(names), try installation(Issuance(Self.ca)))
        #expect(decision == .obtain(reason: "its names have changed: +c.example.org -b.example.org"))
    }

    @Test func `another kind of key is due`() throws {
        let decision = decide(try wanted(keyType: .ec384), try installation(Issuance(Self.ca)))
        #expect(decision == .obtain(reason: "its key is ec-256, and ec-384 is wanted"))
    }

    @Test func `a certificate is due from 30 days before its end on`() throws {
        let installed = try installation(Issuance(Self.ca))
        guard case .keep = decide(try wanted(), installed, afterDays: 59.5) else { throw Unexpected(installed) }
        #expect(isDue(decide(try wanted(), installed, afterDays: 60.5), because: "expires in 29 days"))
        #expect(isDue(decide(try wanted(), installed, afterDays: 91), because: "it expired on"))
    }

    @Test func `never more than a third of the lifetime counts`() throws {
        let installed = try installation(Issuance(Self.ca), days: 6)
        guard case .keep = decide(try wanted(), installed, afterDays: 3.5) else { throw Unexpected(installed) }
        #expect(isDue(decide(try wanted(), installed, afterDays: 4.5), because: "expires in 1 days"))
    }

    @Test func `force is a reason of its own`() throws {
        let decision = decide(try wanted(force: true), try installation(Issuance(Self.ca)))
        #expect(decision == .obtain(reason: "force is set"))
    }

    @Test func `another CA, self-signed becoming real, and back`() throws {
        let other = Authority.directory("https://other.test/dir")
        let real = try installation(Issuance(Self.ca))
        let own = try installation(Issuance(.selfSigned))
        #expect(isDue(decide(try wanted(Self.names, other), real), because: "one of https://other.test/dir is wanted"))
        #expect(isDue(decide(try wanted(), own), because: "it is self-signed, and one of https://ca.test/dir"))
        #expect(isDue(decide(try wanted(Self.names, .selfSigned), real), because: "a self-signed one is wanted"))
        guard case .keep = decide(try wanted(Self.names, .selfSigned), own) else { throw Unexpected(own) }
    }

    @Test func `files of another program are kept while they are good`() throws {
        guard case .keep = decide(try wanted(), try installation(nil)) else { throw Unexpected("renewed") }
        #expect(isDue(decide(try wanted(Self.names, .selfSigned), try installation(nil)), because: "self-signed one"))
    }

    @Test func `nothing usable is due, with its reason`() throws {
        let decision = decide(try wanted(), .unusable(reason: "there is no certificate yet"))
        #expect(decision == .obtain(reason: "there is no certificate yet"))
    }
}

/// Something that a test did not expect to see.
struct Unexpected: Error {
    let seen: String
    init(_ seen: Any) { self.seen = "\(seen)" }
}
