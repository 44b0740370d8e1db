"""From the call until BIND and an NSD that gets the zone by NOTIFY and AXFR show the token, beside the bare `rndc reload`
of a zone written by hand until the NSD has its serial.
"""
import subprocess
import sys
import time

from measuring import RUNS, ZONE, end, free_port, line, publish, ratio, start


class Servers:
    """A BIND that notifies an NSD at once."""

    def __init__(self, directory):
        self.bind, self.nsd, control = free_port(), free_port(), free_port()
        self.directory = directory
        self.path = directory / "primary.db"
        key = 'key "k" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0"; };\n'
        (directory / "named.conf").write_text(key + f"""
options {{ directory "{directory}"; pid-file none; session-keyfile none; recursion no; notify-delay 0;
  listen-on port {self.bind} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; }};
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ "k"; }}; }};
zone "{ZONE}" {{ type primary; file "{self.path}"; notify explicit; also-notify {{ 127.0.0.1 port {self.nsd}; }}; }};
""")
        (directory / "rndc.conf").write_text(
            key + f'options {{ default-key "k"; default-server 127.0.0.1; default-port {control}; }};\n')
        (directory / "nsd.conf").write_text(f"""
server:
  ip-address: 127.0.0.1@{self.nsd}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: ""
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
  xfrd-reload-timeout: 0
zone:
  name: {ZONE}
  zonefile: secondary.db
  allow-notify: 127.0.0.1 NOKEY
  request-xfr: AXFR 127.0.0.1@{self.bind} NOKEY
""")
        self.rndc = ["rndc", "-c", str(directory / "rndc.conf"), "reload", ZONE]
        self.write(1)
        self.processes = [
            start(["named", "-g", "-c", str(directory / "named.conf")]),
            start(["nsd", "-d", "-c", str(directory / "nsd.conf")]),
        ]
        self.wait_for(1, 30)

    def write(self, serial):
        self.path.write_text(
            f"$TTL 60\n@ IN SOA ns1.example.org. h.example.org. {serial} 3600 600 864000 60\n@ IN NS ns1.example.org.\n")

    def wait_for(self, serial, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            said = subprocess.run(
                ["dig", "@127.0.0.1", "-p", str(self.nsd), "+short", "+tries=1", "+time=1", "SOA", ZONE],
                capture_output=True, text=True, check=False).stdout.split()
            if len(said) > 2 and said[2] == str(serial):
                return
        sys.exit(f"the NSD did not get serial {serial} in {seconds} s")

    def stop(self):
        end(self.processes)


def measure(program, directory):
    servers = Servers(directory)
    try:
        provider = {"path": str(servers.path), "nameservers": ["ns1.example.org"], "reload_command": servers.rndc}
        where = [f"127.0.0.1:{servers.bind}", f"127.0.0.1:{servers.nsd}"]
        ours, bare, serial = [], [], 1
        for number in range(RUNS):
            serial += 1
            servers.write(serial)
            time.sleep(1)  # Neither is to pay for what the servers still do about the one before.
            begin = time.perf_counter()
            subprocess.run(servers.rndc, check=True, capture_output=True)
            servers.wait_for(serial, 30)
            bare.append(time.perf_counter() - begin)
            time.sleep(1)
            records = [{"target": f"h{number}.{ZONE}", "value": f"{number:043}"}]
            ours.append(publish(program, directory, records, zone_file=provider, servers=where)[0])
            text = servers.path.read_text()
            serial = int(text.split(" SOA ")[1].split()[2])
        print(f"From the call until BIND and NSD show the token, {RUNS} runs, median:")
        line("acme_publish_txt, named-checkzone included", ours)
        line("rndc reload, NOTIFY, AXFR, seen with dig", bare)
        print(f"  ratio of the medians {ratio(ours, bare):.2f}")
    finally:
        servers.stop()
