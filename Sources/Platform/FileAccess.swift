internal import Glibc

/// Who owns a file and what others may do with it.
package struct FileAccess: Sendable, Equatable {
    package var owner: UInt32
    package var group: UInt32
    /// The permission bits (the low twelve of `st_mode`).
    package var mode: UInt32

    package init(owner: UInt32, group: UInt32, mode: UInt32) {
        self.owner = owner
        self.group = group
        self.mode = mode
    }

    /// The running user's own, with these permission bits.
    package static func own(mode: UInt32) -> FileAccess {
        FileAccess(owner: geteuid(), group: getegid(), mode: mode)
    }

    /// The same owner and group with other permission bits.
    package func with(mode: UInt32) -> FileAccess {
        FileAccess(owner: owner, group: group, mode: mode)
    }
}

/// The names of users and groups, looked up where the system keeps them.
package enum Accounts {
    /// The numeric id of a user given by name or number; nil where there is none.
    package static func userID(_ name: String) -> UInt32? {
        getpwnam(name)?.pointee.pw_uid ?? UInt32(name)
    }

    /// The numeric id of a group given by name or number; nil where there is none.
    package static func groupID(_ name: String) -> UInt32? {
        getgrnam(name)?.pointee.gr_gid ?? UInt32(name)
    }
}
