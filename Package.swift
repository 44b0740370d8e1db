// swift-tools-version: 6.2
import PackageDescription

/// Language mode 6 comes from the tools version; the rest makes every import, and every warning, count.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// A library of the layer picture in docs/architecture.md: it may import what it names here, and nothing else.
func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one layer; they see its `package` declarations, as its users do.
func tests(of layer: Target.Dependency, named name: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: [layer, "TestSupport"] + more, swiftSettings: strict)
}

let package = Package(
    name: "acme-modules",
    products: [.executable(name: "acme-modules", targets: ["acme-modules"])],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CResolv"),
        .systemLibrary(name: "CIDN2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .systemLibrary(name: "CPSL", pkgConfig: "libpsl", providers: [.apt(["libpsl-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

        layer("Platform"),
        layer("Names", ["CIDN2", "CPSL"]),
        layer("AnsibleModule", ["Platform"]),
        layer("PKI", ["COpenSSL", "Names", "Platform"]),
        layer("HTTP", ["CCurl", "Platform"]),
        layer("ACME", ["HTTP", "PKI", "Names", "Platform"]),
        layer("DNS", ["CResolv", "Names", "Platform"]),
        layer("YAML", ["CYAML", "AnsibleModule"]),
        layer("Publishers", ["AnsibleModule", "DNS", "HTTP", "Names", "PKI", "Platform", "YAML"]),
        layer("Store", ["ACME", "PKI", "Names", "Platform"]),
        layer(
            "AcmeModules",
            ["AnsibleModule", "ACME", "DNS", "HTTP", "Names", "PKI", "Platform", "Publishers", "Store", "YAML"]),
        .executableTarget(
            name: "acme-modules", dependencies: ["AcmeModules", "AnsibleModule"], swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: ["Platform", "Names"], path: "Tests/TestSupport",
            exclude: [
                "Designate/designate.py", "Faults/answers.py", "Faults/fault_proxy.py", "Faults/faults.py",
                "Rackspace/cloud_dns.py", "Rackspace/cloud_dns_store.py",
            ],
            swiftSettings: strict),
        tests(of: "Platform", named: "PlatformTests"),
        tests(of: "Names", named: "NamesTests"),
        tests(of: "AnsibleModule", named: "AnsibleModuleTests"),
        tests(of: "PKI", named: "PKITests", ["Names", "Platform"]),
        tests(of: "HTTP", named: "HTTPTests", ["Platform"]),
        tests(of: "ACME", named: "ACMETests", ["HTTP", "PKI", "Names", "Platform"]),
        tests(of: "DNS", named: "DNSTests", ["Names", "Platform"]),
        tests(of: "YAML", named: "YAMLTests", ["AnsibleModule"]),
        tests(of: "Publishers", named: "PublishersTests", ["AnsibleModule", "DNS", "HTTP", "Names", "Platform"]),
        tests(of: "Store", named: "StoreTests", ["ACME", "PKI", "Names", "Platform"]),
        tests(
            of: "AcmeModules", named: "AcmeModulesTests",
            ["AnsibleModule", "Store", "PKI", "ACME", "DNS", "Names", "Platform"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "AcmeModules", "AnsibleModule", "ACME", "DNS", "HTTP", "Names", "PKI", "Platform", "Publishers",
                "Store",
                "YAML",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict),
        tests(of: "FuzzTargets", named: "FuzzTests", ["Platform"]),
        tests(of: "AnsibleModule", named: "Contract"),
        tests(of: "AnsibleModule", named: "EndToEnd"),
    ],
    swiftLanguageModes: [.v6]
)

// libFuzzer is only there, and watches where its inputs lead, when all is built with it: `make fuzz`.
if Context.environment["ACME_FUZZ"] != nil {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: ["CFuzzer", "FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: strict),
    ]
}
