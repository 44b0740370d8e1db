import Foundation
import TestSupport

/// A bastion host that runs playbooks by itself: web03, with this checkout's Ansible on it and playbooks to run.
///
/// `works` writes how it ran to `/srv/bridge/ran`, and asks web02 over ssh; `waits` waits for `letGo`; `fails` fails.
struct Bridge {
    let host: Host
    static let results = "/srv/bridge"
    /// The user of the lab that is not root.
    static let user = "operator"

    /// Makes the host one where nothing is installed that this role knows.
    init(_ host: Host = .web03) throws {
        self.host = host
        try Lab.emptied.get()
        try host.run(
            """
            rm -rf /usr/local/sbin/acme-* /etc/cron.d/acme-* /etc/systemd/system/acme-* /var/lib/acme-timer \(Self.results)
            rm -f /etc/systemd/system/timers.target.wants/acme-*
            install -d -o \(Self.user) -m 0755 \(Self.results)
            """)
        try installAnsible()
        try installPlaybooks()
        try allowSSH()
    }

    /// A user who is not root may not read the checkout, wherever that is.
    private func installAnsible() throws {
        try host.run(
            """
            [ ! -d /opt/bridge ] || exit 0
            mkdir -p /opt/bridge/new
            cd "$1"/.venv/lib/python3*/site-packages
            cp -R ansible jinja2 markupsafe yaml packaging resolvelib *.dist-info /opt/bridge/new
            mv /opt/bridge/new /opt/bridge/ansible
            cat >/opt/bridge/ansible-playbook
            chmod 0755 /opt/bridge/ansible-playbook
            """, Lab.root,
            input: """
                #!/bin/sh
                PYTHONPATH=/opt/bridge/ansible exec /usr/bin/python3 -m ansible playbook "$@"

                """)
    }

    private func installPlaybooks() throws {
        let plays = [
            "works": """
            - hosts: web02
              gather_facts: false
              tasks:
                - raw: hostname
                  register: asked
                - shell: (id -un; umask; pwd; echo "$GREETING") >\(Self.results)/ran
                  args: {executable: /bin/sh}
                  delegate_to: localhost
                - copy: {dest: \(Self.results)/asked, content: "{{ asked.stdout | trim }}", mode: "0644"}
                  delegate_to: localhost
            """,
            "waits": """
            - hosts: localhost
              gather_facts: false
              tasks:
                - command: sh -c 'echo started >\(Self.results)/started; read -r line <\(Self.results)/go'
            """,
            "fails": """
            - hosts: localhost
              gather_facts: false
              tasks:
                - fail: {msg: it fails on purpose}
            """,
        ]
        for (name, play) in plays {
            try host.run("cat >/opt/bridge/\(name).yaml", input: play + "\n")
        }
        try host.run("cd \(Self.results); mkfifo started go; chown \(Self.user) started go")
    }

    /// The user's key, for web02.
    private func allowSSH() throws {
        let lab = try Lab.current()
        let key = try String(contentsOfFile: lab["SSH_KEY"], encoding: .utf8)
        let known = try String(contentsOfFile: lab["SSH_KNOWN_HOSTS"], encoding: .utf8)
        try host.run(
            """
            home=$(getent passwd \(Self.user) | cut -d : -f 6)
            rm -rf "$home/.ansible"
            install -d -o \(Self.user) -m 0700 "$home/.ssh"
            cat >"$home/.ssh/id_lab"
            printf %s "$1" >"$home/.ssh/known_hosts"
            chown \(Self.user) "$home"/.ssh/*
            chmod 0600 "$home"/.ssh/*
            """, known, input: key)
        try host.run(
            "cat >/opt/bridge/hosts",
            input: "web02 ansible_host=\(Host.web02.address) ansible_port=\(lab["SSH_PORT"]) ansible_user=root"
                + " ansible_ssh_private_key_file=~/.ssh/id_lab\n")
    }

    // MARK: The role

    /// The jobs `works`, `waits` and `fails` or some of them, run by the user, with further options of theirs.
    static func jobs(_ names: String..., options: [String: any Sendable] = [:]) -> [String: any Sendable] {
        Dictionary(
            uniqueKeysWithValues: names.map { name in
                let usual: [String: any Sendable] = [
                    "playbook": "/opt/bridge/\(name).yaml", "writable_paths": [results],
                    "environment": ["GREETING": "50% of $HOME, isn't it"],
                ]
                return (name, usual.merging(options) { $1 })
            })
    }

    /// Runs the role over ssh, from the checkout's own Ansible.
    func play(
        _ jobs: [String: any Sendable], _ arguments: String..., scheduler: String = "auto", python: String = ".venv"
    ) throws -> PlaybookRun {
        var variables = try Inventory([:]).variables.mapValues { $0 as Any }
        variables["letsencrypt_timer_jobs"] = jobs
        variables["letsencrypt_timer_scheduler"] = scheduler
        variables["letsencrypt_timer_user"] = Self.user
        variables["letsencrypt_timer_ansible_playbook"] = "/opt/bridge/ansible-playbook"
        variables["letsencrypt_timer_inventory"] = ["/opt/bridge/hosts"]
        let hosts: [String: Any] = [
            "all": ["hosts": ["bridge01": ["ansible_host": try host.address]], "vars": variables]
        ]
        return try withTemporaryDirectory { directory in
            let inventory = directory + "/hosts.json"
            try JSONSerialization.data(withJSONObject: hosts).write(to: URL(fileURLWithPath: inventory))
            return try Inventory.run(
                ["ansible-playbook", "-i", inventory, Lab.root + "/playbooks/letsencrypt-timer.yaml"] + arguments,
                python: python)
        }
    }

    // MARK: What it installed

    /// Paths that are the role's, sorted.
    var files: [String] {
        get throws {
            try host.run(
                """
                find /usr/local/sbin /etc/systemd/system /etc/cron.d -name 'acme-*' | sort
                find /var/lib/acme-timer -maxdepth 1 -type d 2>/dev/null | sort
                """
            ).split(separator: "\n").map(String.init)
        }
    }

    /// Everything about them, as `Host.state` tells.
    var state: String { get throws { try host.state(of: files) } }

    /// Runs a script of the host to its end, whatever that is: its status, and what it printed on both outputs.
    func run(_ script: String, _ arguments: String...) throws -> (status: Int?, output: String) {
        let said = try host.run(
            "status=0; sh -euc \"$@\" 2>&1 || status=$?; echo; echo \"$status\"", [script, "sh"] + arguments)
        let lines = said.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return (lines.last.flatMap { Int($0) }, lines.dropLast().joined(separator: "\n"))
    }

    /// Runs the command of a unit with the user and the umask that it says, and the little that systemd gives it beside.
    func runUnit(_ name: String) throws -> (status: Int?, output: String) {
        try run(
            """
            unit=/etc/systemd/system/acme-$1.service
            value() { sed -n "s/^$1=//p" "$unit"; }
            home=$(getent passwd "$(value User)" | cut -d : -f 6)
            cd /
            runuser -u "$(value User)" -- env -i HOME="$home" USER="$(value User)" SHELL=/bin/sh PATH=/usr/bin:/bin \\
                sh -c "umask $(value UMask); exec $(value ExecStart)"
            """, name)
    }

    /// Runs the line of a job as cron does: by /bin/sh, in the home of its user, with next to no environment.
    func runCron(_ name: String) throws -> (status: Int?, output: String) {
        try run(
            """
            tail -n 1 "/etc/cron.d/acme-$1" | { read -r minute hour day month weekday user command
            home=$(getent passwd "$user" | cut -d : -f 6)
            cd "$home"
            runuser -u "$user" -- env -i HOME="$home" LOGNAME="$user" SHELL=/bin/sh PATH=/usr/bin:/bin \\
                /bin/sh -c "$command"; }
            """, name)
    }
}
