import TestSupport
import Testing

extension TheFiveSteps {
    /// The role `letsencrypt_timer`: playbooks run by themselves, and one run at a time.
    @Suite struct RunningPeriodically {
        @Test func `units are put in place where systemd does not run, and their command does what they say`() throws {
            let bridge = try Bridge()
            let jobs = Bridge.jobs("works")
            let checked = try bridge.play(jobs, "--check", "--diff", scheduler: "systemd")
            #expect(checked.isFine, "\(checked)")
            #expect(checked.output.contains("+OnCalendar=*-*-* 04,16:00:00"), "\(checked)")
            #expect(try bridge.files == [])

            let run = try bridge.play(jobs, scheduler: "systemd")
            try #require(run.isFine, "\(run)")
            #expect(run.recap == checked.recap)
            #expect(run.sentences.contains("systemd does not run on bridge01"), "\(run)")
            try Self.expectSound(bridge)
            let state = try bridge.state
            let second = try bridge.play(jobs, scheduler: "systemd")
            #expect(second.changedNothing, "\(second)")
            #expect(try bridge.state == state)

            let works = try bridge.runUnit("works")
            #expect(works.status == 0, "\(works)")
            #expect(works.output.contains("failed=0"), "\(works)")
            try Self.expectRan(bridge)
        }

        @Test(.enabled(if: Booted.isPossible, "no systemd runs within this kernel's control groups"))
        func `systemd runs the sandboxed unit, keeps its journal, and tells of a failure`() throws {
            try Booted.run { host in
                let bridge = try Bridge(host)
                try host.run(
                    "cat >/run/systemd/system/alert@.service",
                    input: "[Service]\nExecStart=/bin/sh -c 'echo %i >\(Bridge.results)/alert'\n")
                let jobs = Bridge.jobs("works", "fails", options: ["on_failure": "alert@%n.service"])
                let run = try bridge.play(jobs)
                try #require(run.isFine, "\(run)")
                #expect(try host.run("systemctl is-enabled acme-works.timer acme-fails.timer") == "enabled\nenabled\n")
                #expect(try host.run("systemctl list-timers").contains("acme-works.service"))
                #expect(try bridge.play(jobs).changedNothing)

                let works = try bridge.run("systemctl start acme-works")
                let journal = try host.run("journalctl -o cat -u acme-works")
                #expect(works.status == 0, "\(journal)")
                #expect(journal.contains("failed=0"), "\(journal)")
                try Self.expectRan(bridge)

                #expect(try bridge.run("systemctl start acme-fails").status == 1)
                #expect(try host.run("journalctl -o cat -u acme-fails").contains("it fails on purpose"))
                let alert = "timeout 10 sh -c 'until cat \(Bridge.results)/alert 2>/dev/null; do sleep 0.05; done'"
                #expect(try host.run(alert) == "acme-fails.service\n")

                let removed = try bridge.play([:])
                #expect(removed.isFine, "\(removed)")
                #expect(try bridge.files == [])
                #expect(try host.run("systemctl list-units --all 'acme-*.timer' --no-legend") == "")
            }
        }

        @Test func `of two runs at once the second says that another is under way, whoever started them`() throws {
            let bridge = try Bridge()
            let installed = try bridge.play(Bridge.jobs("waits"), scheduler: "cron")
            try #require(installed.isFine, "\(installed)")
            try bridge.host.run(
                """
                cd \(Bridge.results)
                (status=0
                 timeout 120 runuser -u \(Bridge.user) -- /usr/local/sbin/acme-waits || status=$?
                 echo "$status" >ended) >first.log 2>&1 </dev/null &
                timeout 60 cat started
                """)
            let second = try bridge.runCron("waits")
            #expect(second.status == 75)
            #expect(second.output.contains("acme-waits: another run is under way, process "), "\(second)")
            let byRoot = try bridge.run("/usr/local/sbin/acme-waits")
            #expect(byRoot.status == 77)
            #expect(byRoot.output.contains("runs as the user \(Bridge.user), not as root"), "\(byRoot)")

            let ended = try bridge.host.run(
                """
                cd \(Bridge.results)
                echo >go
                timeout 60 sh -c 'until cat ended 2>/dev/null; do sleep 0.05; done'
                """)
            #expect(ended == "0\n")
            #expect(
                try bridge.host.run("stat -c '%a %U' /var/lib/acme-timer/waits /var/lib/acme-timer/waits/lock")
                    == "700 \(Bridge.user)\n600 \(Bridge.user)\n")
        }

        @Test func `cron runs the same command, quiet unless it fails, and takes the place of the units`() throws {
            let bridge = try Bridge()
            let jobs = Bridge.jobs("works", "fails", options: ["timeout": 60, "mail_to": "infra@example.org"])
            try #require(try bridge.play(jobs, scheduler: "systemd").isFine)
            let checked = try bridge.play(jobs, "--check")
            let run = try bridge.play(jobs)
            try #require(run.isFine, "\(run)")
            #expect(run.recap == checked.recap)
            #expect(
                try bridge.files == [
                    "/etc/cron.d/acme-fails", "/etc/cron.d/acme-works", "/usr/local/sbin/acme-fails",
                    "/usr/local/sbin/acme-works", "/var/lib/acme-timer", "/var/lib/acme-timer/fails",
                    "/var/lib/acme-timer/works",
                ])
            let written = try bridge.host.run("stat -c '%a %U:%G' /etc/cron.d/acme-works; cat /etc/cron.d/acme-works")
            #expect(written.hasPrefix("644 root:root\n"))
            #expect(written.contains("MAILTO=infra@example.org\n"))
            #expect(
                written.firstMatch(of: /\n[0-9]{1,2} 4,16 \* \* \* operator \/usr\/local\/sbin\/acme-works --quiet\n$/)
                    != nil)
            // The file of a user has no field for one.
            try bridge.host.run(
                "sed 's/ operator / /' /etc/cron.d/acme-works >/tmp/acme-works; crontab -n /tmp/acme-works")
            #expect(try bridge.play(jobs).changedNothing)

            let works = try bridge.runCron("works")
            #expect(works.status == 0)
            #expect(works.output == "")
            #expect(try bridge.host.run("cat /var/lib/acme-timer/works/last-run.log").contains("failed=0"))
            try Self.expectRan(bridge)
            let fails = try bridge.runCron("fails")
            #expect(fails.status == 2)
            #expect(fails.output.contains("it fails on purpose"), "\(fails)")
            #expect(fails.output.contains("acme-fails failed with status 2."), "\(fails)")
        }

        @Test func `a run that lasts too long is ended, and the next one can begin`() throws {
            let bridge = try Bridge()
            try #require(try bridge.play(Bridge.jobs("waits", options: ["timeout": 2]), scheduler: "cron").isFine)
            for _ in 1...2 {
                let waits = try bridge.runCron("waits")
                #expect(waits.status == 124)
                #expect(waits.output.contains("ended after 2 seconds, its timeout"), "\(waits)")
            }
        }

        @Test func `jobs that left the mapping are removed, and files of others stay`() throws {
            let bridge = try Bridge()
            try #require(try bridge.play(Bridge.jobs("works", "fails"), scheduler: "systemd").isFine)
            try bridge.host.run("echo '# mine' | tee /etc/cron.d/acme-mine /etc/systemd/system/acme-mine.timer")
            let checked = try bridge.play(Bridge.jobs("works"), "--check", scheduler: "systemd")
            #expect(try #require(checked.recap["bridge01"]).changed > 0)
            let before = try bridge.host.state(of: "/etc/systemd/system/acme-works.service")

            try #require(try bridge.play(Bridge.jobs("works"), scheduler: "systemd").isFine)
            let mine = ["/etc/cron.d/acme-mine", "/etc/systemd/system/acme-mine.timer"]
            #expect(
                try bridge.files == [
                    mine[0], mine[1], "/etc/systemd/system/acme-works.service",
                    "/etc/systemd/system/acme-works.timer", "/usr/local/sbin/acme-works", "/var/lib/acme-timer",
                    "/var/lib/acme-timer/works",
                ])
            #expect(try bridge.host.state(of: "/etc/systemd/system/acme-works.service") == before)
            try #require(try bridge.play([:]).isFine)
            #expect(try bridge.files == mine)
        }

        @Test func `a job that cannot work is refused with a sentence, and nothing is installed`() throws {
            let bridge = try Bridge()
            let refused: [([String: any Sendable], String)] = [
                (Bridge.jobs("works", options: ["playbok": "x"]), "playbok"),
                (["works": ["user": "root"]], "missing required arguments: playbook"),
                (Bridge.jobs("works", options: ["user": "nobody-here"]), "job works: there is no user nobody-here"),
                (Bridge.jobs("missing"), "job missing: there is no playbook /opt/bridge/missing.yaml"),
                (Bridge.jobs("works", options: ["on_calendar": "now and then"]), #"on_calendar is "now and then""#),
                (
                    Bridge.jobs("works", options: ["writable_paths": ["/no/such"]]),
                    "there is no /no/such (writable_paths)"
                ),
                (["../x": ["playbook": "/opt/bridge/works.yaml"]], "../x in letsencrypt_timer_jobs cannot be the name"),
            ]
            for (jobs, sentence) in refused {
                let run = try bridge.play(jobs)
                #expect(run.status != 0)
                #expect(run.sentences.contains(sentence), "\(run)")
            }
            #expect(try bridge.files == [])
        }

        @Test func `the oldest supported Ansible installs the same`() throws {
            let bridge = try Bridge()
            let jobs = Bridge.jobs("works")
            for scheduler in ["systemd", "cron"] {
                let old = try bridge.play(jobs, scheduler: scheduler, python: ".venv-oldest")
                try #require(old.isFine, "\(old)")
                let new = try bridge.play(jobs, scheduler: scheduler)
                #expect(new.changedNothing, "\(new)")
            }
        }

        /// The units as systemd's own tools see them.
        private static func expectSound(_ bridge: Bridge) throws {
            let verified = try bridge.run(
                "cd /etc/systemd/system; systemd-analyze verify --man=no acme-works.service acme-works.timer")
            #expect(verified == (0, ""))
            try bridge.host.run(
                """
                systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' /etc/systemd/system/acme-works.timer)"
                systemd-analyze security --offline=yes --threshold=20 /etc/systemd/system/acme-works.service
                """)
        }

        /// `works` has run as its user, in its directory, with its umask and environment, and has reached web02.
        private static func expectRan(_ bridge: Bridge, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let ran = try bridge.host.run("cd \(Bridge.results); cat ran asked; rm ran asked")
            #expect(
                ran == "operator\n0077\n/opt/bridge\n50% of $HOME, isn't it\nweb02", sourceLocation: sourceLocation)
        }
    }
}
