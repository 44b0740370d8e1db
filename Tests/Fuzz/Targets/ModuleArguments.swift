internal import AcmeModules
internal import AnsibleModule

/// The file of arguments that Ansible writes. Modules run in check mode, and nothing of the arguments makes them ask
/// anybody, start a program or look at a place of their own.
enum ModuleArguments {
    private static let place: [String: JSONValue] = ["state_path": "/nonexistent/state"]
    private static let keys = place.merging(["account_key_src": nil]) { $1 }
    private static let certificates: [String: JSONValue] = [
        "state_path": "/nonexistent/state", "cert_path": "/nonexistent/certs", "self_signed": true,
        "check_cname": false, "check_caa": false, "use_ari": false,
    ]
    private static let harmless: [String: [String: JSONValue]] = [
        "acme_request_tokens": certificates, "acme_finalize": certificates, "acme_plan": [:],
        // Whatever hosts want is the target `claims`.
        "acme_publish_txt": place.merging(["hosts": nil]) { $1 },
        "acme_write_hiera": ["path": "/nonexistent/hiera", "cert_path": "/nonexistent/certs"],
        "acme_account": keys.merging(["state": "absent", "new_account_key_src": nil]) { $1 },
        "acme_certificate_info": places.merging(["ca_path": nil, "endpoints": nil]) { $1 },
        "acme_revoke": keys.merging(["cert_path": "/nonexistent/certs", "certificate": nil, "private_key": nil]) { $1 },
    ]
    private static let places = place.merging(["cert_path": "/nonexistent/certs"]) { $1 }
    /// Providers whose servers would be asked in check mode too.
    private static let asking = ["rfc2136", "rackspace", "designate", "command"]

    static func read(_ bytes: [UInt8]) {
        guard let value = JSONValue.parse(bytes) else { return }
        require(JSONValue.parse(Array(value.rendered.utf8)) == value, "JSON reads as itself")
        guard let members = value.object, let name = members["_ansible_module_name"]?.string, let own = harmless[name],
            let module = allModules.first(where: { $0.name == name })
        else { return }
        var arguments = members.merging(own) { $1 }
        for provider in asking { arguments[provider] = nil }
        let result = module.run(Invocation(options: Options(arguments), checkMode: true))
        require(JSONValue.parse(Array(result.json.rendered.utf8)) != nil, "a result is JSON")
        require(!result.failed || !result.msg.isEmpty, "a failure has a reason")
    }
}
