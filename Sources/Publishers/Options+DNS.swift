package import AnsibleModule
package import DNS
package import Names
package import Platform

extension Options {
    /// A name that must be given.
    package mutating func dnsName(_ option: String) throws(OptionError) -> DNSName {
        try dnsName(requiredString(option), in: option)
    }

    /// A name that an option holds.
    package func dnsName(_ text: String, in option: String) throws(OptionError) -> DNSName {
        do {
            return try DNSName(text)
        } catch {
            throw invalid(option, "cannot be used: \(error)")
        }
    }

    /// A list of addresses with or without ports; empty where it is not given.
    package mutating func serverAddresses(_ option: String) throws(OptionError) -> [ServerAddress] {
        var addresses: [ServerAddress] = []
        for text in try strings(option) ?? [] {
            do {
                addresses.append(try ServerAddress(text))
            } catch {
                throw invalid(option, "holds something else than addresses: \(error)")
            }
        }
        return addresses
    }

    /// A command: a list of words, or a line that is split as a shell would. Nil where it is given and empty.
    package mutating func command(_ option: String, default words: [String]) throws(OptionError) -> Command? {
        guard let value = value(option) else { return try command(option, words) }
        guard value.array == nil, let line = try string(option), !line.hasPrefix("[") else {
            return try command(option, strings(option) ?? [])
        }
        do throws(CommandWords.Failure) {
            let words = try CommandWords.split(line)
            return words.isEmpty ? nil : try? Command(words)
        } catch {
            throw invalid(option, "\(error)")
        }
    }

    private func command(_ option: String, _ words: [String]) throws(OptionError) -> Command? {
        if words.isEmpty { return nil }
        do {
            return try Command(words)
        } catch {
            throw invalid(option, "cannot be run: \(error)")
        }
    }
}
