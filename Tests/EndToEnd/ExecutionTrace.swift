/// Another sshd of a host, all of whose sessions' command lines strace writes down, with all their words.
struct ExecutionTrace {
    static let port = 2222
    private let host: Host

    /// Watches from the moment that it returns on, until `stop`.
    init(_ host: Host) throws {
        self.host = host
        try host.run(
            """
            sed "s/^ListenAddress .*/ListenAddress $2/; s/^Port .*/Port $1/" /etc/ssh/sshd_config >/run/traced.conf
            setsid strace -f --seccomp-bpf -e trace=execve -s 1000000 -o /run/executed \\
                /usr/sbin/sshd -D -f /run/traced.conf -o PidFile=none >/run/tracer.log 2>&1 </dev/null &
            echo $! >/run/tracer
            until ssh-keyscan -T 1 -p "$1" "$2" 2>/dev/null | grep -q .; do
                kill -0 "$(cat /run/tracer)" 2>/dev/null || { cat /run/tracer.log >&2; exit 1; }
                sleep 0.05
            done
            """, "\(Self.port)", try host.address)
    }

    /// Ends it; returns what was executed, a line each.
    func stop() throws -> String {
        try host.run(
            """
            kill -KILL "$(cat /run/tracer)"
            pkill -f '[s]shd: .*/run/traced.conf'
            cat /run/executed
            rm /run/executed /run/tracer /run/tracer.log /run/traced.conf
            """)
    }
}
