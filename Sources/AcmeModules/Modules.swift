package import AnsibleModule

/// The modules of this program.
package var allModules: [any Module.Type] {
    [
        RequestTokens.self, PublishTXT.self, Finalize.self, WriteHiera.self, Plan.self, ManageAccount.self, Revoke.self,
        CertificateInfo.self,
    ]
}
