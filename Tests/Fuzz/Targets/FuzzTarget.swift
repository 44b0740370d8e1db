/// Everything that reads bytes from outside, each under the name of its corpus. A target takes any bytes at all: it may
/// refuse them, and what it accepts must keep its promises (`require`). A trap of Swift's is a finding too.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case arguments, authority, certificate, claims, dns, field, keystore, name, renewal, state, yaml, zone

    package func run(_ bytes: [UInt8]) {
        switch self {
        case .arguments: ModuleArguments.read(bytes)
        case .authority: ScriptedAuthority.talk(bytes)
        case .certificate: CertificateFiles.read(bytes)
        case .claims: Claims.judge(bytes)
        case .dns: Messages.readAnswer(bytes)
        case .field: Messages.readField(bytes)
        case .keystore: KeyStores.read(bytes)
        case .name: Messages.readName(bytes)
        case .renewal: ScriptedAuthority.suggest(bytes)
        case .state: StateFiles.read(bytes)
        case .yaml: Messages.readDocument(bytes)
        case .zone: ZoneFiles.read(bytes)
        }
    }
}

/// Ends the process, as a trap does, where a promise is broken.
func require(_ isKept: Bool, _ promise: String) {
    if !isKept { fatalError(promise) }
}
