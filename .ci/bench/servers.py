"""A BIND that takes updates with a TSIG key, and a Pebble that asks it: what every client in a comparison talks to."""
import json
import os
import socket
import subprocess
import sys
import time

from measuring import ZONE, end, free_port, start

SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
# Pebble 2.4 locks up unless its threads do not interrupt each other.
STABLE = {"PEBBLE_WFE_NONCEREJECT": "0", "GOMAXPROCS": "1", "GODEBUG": "asyncpreemptoff=1"}


class Servers:
    """BIND at `address`, and Pebble at `url` with its settings in `pebble`, both on 127.0.0.1."""

    host = "127.0.0.1"

    def __init__(self, directory, pebble, port=None):
        self.directory = directory
        self.key = directory / "tsig.key"
        self.certificate = directory / "pebble.pem"
        self.port = port or free_port()
        self.address = f"{self.host}:{self.port}"
        self.ca, management = free_port(), free_port()
        self.write_bind()
        self.write_pebble(management)
        self.processes = [
            start(["named", "-g", "-c", str(directory / "named.conf")]),
            start(["pebble", "-config", str(directory / "pebble.json"), "-dnsserver", self.address],
                  env={**os.environ, **STABLE, **pebble}),
        ]
        wait_for(self.port)
        wait_for(self.ca)

    @property
    def url(self):
        return f"https://{self.host}:{self.ca}/dir"

    def stop(self):
        end(self.processes)

    def write_bind(self):
        key = f'key "k" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
        zone = self.directory / "zone.db"
        self.key.touch(0o600)
        self.key.write_text(key)
        zone.write_text(
            f"$TTL 60\n@ IN SOA ns1 h.example.org. 1 3600 600 864000 60\n@ IN NS ns1\nns1 IN A {self.host}\n")
        (self.directory / "named.conf").write_text(key + f"""
options {{ directory "{self.directory}"; pid-file none; session-keyfile none; recursion no; notify no;
  listen-on port {self.port} {{ {self.host}; }}; listen-on-v6 {{ none; }}; dnssec-validation no; }};
controls {{ }};
zone "{ZONE}" {{ type primary; file "{zone}"; update-policy {{ grant k zonesub TXT; }}; }};
""")

    def write_pebble(self, management):
        key = self.directory / "pebble.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
             "-out", self.certificate], check=True, capture_output=True)
        (self.directory / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.ca}", "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(self.certificate), "privateKey": str(key), "httpPort": 1, "tlsPort": 2}}))


def wait_for(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nobody listens on port {port} after 30 s")
