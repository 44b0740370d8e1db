internal import AnsibleModule
internal import Platform

extension Options {
    /// Refuses to go on where others have access to the directory that `private_path` names. Under check mode it may
    /// still be missing: the run before this one would have made it.
    mutating func checkPrivatePath(isCheckMode: Bool) throws(OptionError) {
        guard let path = try path("private_path") else { return }
        let isThere: Bool
        do throws(PrivateDirectory.Exposed) {
            isThere = try PrivateDirectory.check(path)
        } catch {
            throw invalid("private_path", "must name a directory that nobody else has access to, but \(error)")
        }
        guard isThere || isCheckMode else {
            throw invalid(
                "private_path",
                "names \(path), which is not there: make it for the user who runs this, mode 0700 (playbooks/letsencrypt-bastion.yaml does)"
            )
        }
    }
}
