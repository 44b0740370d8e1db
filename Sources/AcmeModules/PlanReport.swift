internal import AnsibleModule
internal import Names

/// What `acme_plan` returns: numbers, sentences, and all of it as a table for people.
struct PlanReport {
    let options: PlanOptions
    let tally: PlanTally

    private var limits: PlanLimits { options.limits }

    var result: ModuleResult {
        let exceeded = exceeded
        let firstRun = exceeded.isEmpty ? [] : firstRun
        let table = table + exceeded.map { "WARNING: \($0)" } + (exceeded.isEmpty ? [] : [advice(firstRun)])
        let replacements = options.certificates.count { $0.count != nil } - tally.newOrders
        return ModuleResult(
            changed: false,
            msg: exceeded.isEmpty
                ? "\(tally.newOrders) new certificates and \(replacements) renewals, within the limits"
                : exceeded.joined(separator: "; "),
            fields: [
                "table": .strings(table), "exceeded": .strings(exceeded), "first_run": .strings(firstRun),
                "certificates": .array(options.certificates.map(\.json)),
                "domains": rows(tally.domains, "domain", limits.perDomain) { .string($0) },
                "accounts": rows(tally.accounts, "account", limits.perAccount) { .string(title($0)) },
                "new_accounts": .array(
                    newAccounts.map { directory, count in
                        [
                            "directory": .optional(directory), "accounts": .integer(count),
                            "limit": .integer(limits.perAddress),
                        ]
                    }),
                "name_sets": rows(tally.nameSets, "names", limits.perNames) { .strings($0.map(\.description)) },
            ])
    }

    private func rows<Key>(
        _ counts: [Key: Int], _ title: String, _ limit: Int, _ json: (Key) -> JSONValue
    ) -> JSONValue {
        .array(
            Self.sorted(counts).map { key, count in
                [title: json(key), "orders": .integer(count), "limit": .integer(limit)]
            })
    }

    private var newAccounts: [(String?, Int)] { Self.sorted(tally.newAccountsByCA) }

    /// Its name, with the key's thumbprint where hosts have other keys by the same name.
    private func title(_ account: PlannedAccount) -> String {
        let isAmbiguous = tally.accounts.keys.contains { $0 != account && $0.name == account.name }
        return isAmbiguous ? "\(account.name) (\(account.identity.prefix(8)))" : account.name
    }

    /// The most frequent first.
    private static func sorted<Key>(_ counts: [Key: Int]) -> [(Key, Int)] {
        counts.map { ($0.key, $0.value) }.sorted { ($1.1, "\($0.0)") < ($0.1, "\($1.0)") }
    }

    // MARK: Limits that would be passed

    private var exceeded: [String] {
        let domains = Self.sorted(tally.domains).filter { $0.1 > limits.perDomain }.map { domain, count in
            "\(domain) would get \(count) new certificates, more than the \(limits.perDomain) that a registered domain "
                + "gets in 7 days"
        }
        let accounts = Self.sorted(tally.accounts).filter { $0.1 > limits.perAccount }.map { account, count in
            "the account of \(title(account)) would make \(count) new orders, more than the \(limits.perAccount) that an "
                + "account may make in 3 hours"
        }
        let sets = Self.sorted(tally.nameSets).filter { $0.1 > limits.perNames }.map { names, count in
            "\(count) certificates would have exactly the names \(Self.short(names)), more than the "
                + "\(limits.perNames) that are issued in 7 days: give each a name of its own host as well"
        }
        let made = newAccounts.filter { $0.1 > limits.perAddress }.map { directory, count in
            "\(count) accounts would be made at \(directory ?? "the CA"), more than the \(limits.perAddress) that it lets be "
                + "made from one IP address in 3 hours"
        }
        return domains + accounts + sets + made
    }

    /// Of the hosts that have something to order, in their order, those that together stay within all limits.
    private var firstRun: [String] {
        let list = RegisteredDomains()
        var chosen: [String] = []
        var counted = PlanTally()
        let byHost = Dictionary(grouping: options.certificates, by: \.host)
        for (host, certificates) in byHost.sorted(by: { $0.key < $1.key }) {
            guard certificates.contains(where: { $0.count != nil }) else { continue }
            var tried = counted
            for certificate in certificates { tried.add(certificate, list) }
            guard !tried.exceeds(limits) else { continue }
            chosen.append(host)
            counted = tried
        }
        return chosen
    }

    private func advice(_ hosts: [String]) -> String {
        guard !hosts.isEmpty else {
            return "No host fits within the limits by itself: put more names on a certificate (up to 100), or let "
                + "letsencrypt_certs of the hosts grow week by week."
        }
        return "Spread it: run with --limit '\(hosts.joined(separator: ","))' first, and with the other hosts when the "
            + "time of the limit has passed."
    }

    // MARK: For people

    private var table: [String] {
        var lines = TextTable(
            ["HOST", "CERTIFICATE", "NAMES", "ACTION", "REASON"],
            options.certificates.map {
                [$0.host, $0.key, Self.short($0.names), $0.action.text, $0.reason ?? ""]
            }
        ).lines
        let domains = Set(tally.domains.keys).union(tally.exempt.keys).sorted()
        if !domains.isEmpty {
            lines.append("")
            lines +=
                TextTable(
                    ["REGISTERED DOMAIN", "NEW", "LIMIT (7 days)", "RENEWALS (exempt)"],
                    domains.map {
                        [$0, "\(tally.domains[$0] ?? 0)", "\(limits.perDomain)", "\(tally.exempt[$0] ?? 0)"]
                    }
                ).lines
        }
        lines += section(tally.accounts, "ACCOUNT", "LIMIT (3 hours)", limits.perAccount, title)
        if !newAccounts.isEmpty {
            let rows = newAccounts.map { [$0 ?? "the CA", "\($1)", "\(limits.perAddress)"] }
            lines += [""] + TextTable(["CA", "NEW ACCOUNTS", "LIMIT (3 hours and IP address)"], rows).lines
        }
        let shared = tally.nameSets.filter { $0.value > 1 }
        lines += section(shared, "SAME NAMES", "LIMIT (7 days)", limits.perNames, Self.short)
        return lines + [""]
    }

    /// The most frequent ones; `accounts` and the like have them all.
    private func section<Key>(
        _ counts: [Key: Int], _ title: String, _ limitTitle: String, _ limit: Int, _ text: (Key) -> String
    ) -> [String] {
        guard !counts.isEmpty else { return [] }
        let most = 10
        let rows = Self.sorted(counts).prefix(most).map { [text($0), "\($1)", "\(limit)"] }
        let more = counts.count > most ? ["... and \(counts.count - most) more, none with more orders"] : []
        return [""] + TextTable([title, "ORDERS", limitTitle], rows).lines + more
    }

    /// Three names, and how many more there are.
    private static func short(_ names: [DomainName]) -> String {
        let first = names.prefix(3).map(\.description).joined(separator: ", ")
        return names.count > 3 ? "\(first) +\(names.count - 3)" : first
    }
}

/// Cells in columns that are as wide as their widest, two spaces apart.
private struct TextTable {
    let lines: [String]

    init(_ head: [String], _ rows: [[String]]) {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        lines = all.map { row in
            let cells = row.enumerated().map { column, cell in
                cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            let line = cells.joined(separator: "  ")
            return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
        }
    }
}

extension PlannedCertificate {
    var json: JSONValue {
        [
            "host": .string(host), "name": .string(key), "domains": .strings(names.map(\.description)),
            "action": .string(action.text), "counts_as": .optional(count?.rawValue), "reason": .optional(reason),
        ]
    }
}
