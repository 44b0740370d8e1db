internal import CPSL

/// The part of names that somebody has registered, by the public suffix list (publicsuffix.org) of the system, or the
/// one within libpsl where the system has none or an older one.
package struct RegisteredDomains: ~Copyable {
    private let list: OpaquePointer?

    package init() {
        list = psl_latest(nil)
    }

    deinit {
        psl_free(list)
    }

    /// `example.co.uk` of `www.example.co.uk`: one label more than the public suffix. The name itself where it is a
    /// public suffix, or where there is no list.
    package func domain(of name: DomainName) -> String {
        let base = name.base.description
        // What libpsl returns lies within the text that it was given.
        return base.withCString { text in
            guard let list, let found = psl_registrable_domain(list, text) else { return base }
            return String(cString: found)
        }
    }
}
