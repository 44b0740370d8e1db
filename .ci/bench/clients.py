"""The clients that are compared, each with the commands of its documentation and one hook around the same nsupdate.

A client issues in a home of its own, from nothing: its account is part of what it does. Keys are EC P-256 wherever it
lets one choose.
"""
import json
import os

from measuring import ZONE, timed

UPDATE = """#!/bin/sh
# usage: update NAME VALUE [NAME VALUE ...]: one update for all of them
{{ printf 'server {host} {port}\\nzone {zone}.\\n'
  while [ $# -gt 1 ]; do printf 'update add %s 60 TXT "%s"\\n' "$1" "$2"; shift 2; done
  echo send; }} | nsupdate -k {key}
"""


class Client:

    def __init__(self, program, servers, home, url):
        self.program, self.servers, self.home, self.url = program, servers, home, url
        self.update = self.script("update", UPDATE.format(
            host=servers.host, port=servers.port, zone=ZONE, key=servers.key))
        self.environment = dict(os.environ)

    def script(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run(self, *words):
        return timed([str(word) for word in words], self.environment)


class Ours(Client):
    name = "acme-modules"

    def call(self, module, **options):
        path = self.home / "arguments.json"
        path.write_text(json.dumps(options))
        usage = self.run(self.program, module, path)
        return usage, json.loads(usage.output)

    def common(self, certificates):
        return {
            "certs": {names[0]: names for names in certificates}, "acme_directory": self.url, "group": "root",
            "ca_path": str(self.servers.certificate), "terms_agreed": True, "cert_path": str(self.home / "certs"),
            "state_path": str(self.home / "state")}

    def issue(self, certificates):
        common = self.common(certificates)
        asked, tokens = self.call("acme_request_tokens", **common)
        values = [word for token in tokens["txt_required"] for word in (token["target"] + ".", token["value"])]
        published = self.run(self.update, *values)
        finalized, _ = self.call("acme_finalize", **common)
        return [asked, published, finalized]

    def again(self, certificates):
        common = self.common(certificates)
        return [self.call("acme_request_tokens", **common)[0], self.call("acme_finalize", **common)[0]]

    def issued(self):
        return len(list(self.home.glob("certs/*/fullchain.cer")))


class Lego(Client):
    name = "lego"

    def __init__(self, *more):
        super().__init__(*more)
        hook = self.script("hook", f'#!/bin/sh\n[ "$1" != present ] || exec {self.update} "$2" "$3"\n')
        self.environment |= {"LEGO_CA_CERTIFICATES": str(self.servers.certificate), "EXEC_PATH": str(hook)}
        self.words = ["lego", "--server", self.url, "--accept-tos", "--email", "a@example.org", "--path", self.home,
                      "--dns", "exec", "--dns.resolvers", self.servers.address]

    def words_for(self, names):
        return self.words + [word for name in names for word in ("--domains", name)]

    def issue(self, certificates):
        return [self.run(*self.words_for(names), "run") for names in certificates]

    def again(self, certificates):
        return [self.run(*self.words_for(names), "renew") for names in certificates]

    def issued(self):
        return len([path for path in self.home.glob("certificates/*.crt") if ".issuer." not in path.name])


class QuickLego(Lego):
    """Without its look whether a value is visible, and without its sleeps around it."""

    name = "lego, waits at their least"

    def __init__(self, *more):
        super().__init__(*more)
        self.environment |= {"EXEC_POLLING_INTERVAL": "0", "EXEC_SEQUENCE_INTERVAL": "0"}
        self.words.append("--dns.disable-cp")


class Uacme(Client):
    name = "uacme"

    def __init__(self, *more):
        super().__init__(*more)
        self.hook = self.script("hook", f"""#!/bin/sh
[ "$2" = dns-01 ] || exit 1
[ "$1" != begin ] || exec {self.update} "_acme-challenge.$3" "$5"
""")
        self.words = ["uacme", "--acme-url", self.url, "--confdir", self.home, "--type", "EC", "--yes"]

    def issue(self, certificates):
        account = self.run(*self.words, "new", "a@example.org")
        return [account] + [self.run(*self.words, "--hook", self.hook, "issue", *names) for names in certificates]

    def again(self, certificates):
        # Its status says that nothing was due.
        return [self.run("sh", "-c", '"$@"; [ $? = 1 ]', "sh", *self.words, "--hook", self.hook, "issue", *names)
                for names in certificates]

    def issued(self):
        return len(list(self.home.glob("*/cert.pem")))


class Certbot(Client):
    name = "certbot"

    def __init__(self, *more):
        super().__init__(*more)
        hook = self.script("hook", f'#!/bin/sh\nexec {self.update} "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"\n')
        self.environment |= {"REQUESTS_CA_BUNDLE": str(self.servers.certificate)}
        self.directories = [word for kind in ("config", "work", "logs") for word in (f"--{kind}-dir", self.home / kind)]
        self.words = ["certbot", "certonly", "--non-interactive", "--agree-tos", "--email", "a@example.org",
                      "--server", self.url, "--manual", "--preferred-challenges", "dns", "--manual-auth-hook", hook,
                      "--key-type", "ecdsa", "--elliptic-curve", "secp256r1", *self.directories]

    def issue(self, certificates):
        return [self.run(*self.words, *[word for name in names for word in ("-d", name)]) for names in certificates]

    def again(self, certificates):
        return [self.run("certbot", "renew", "--non-interactive", *self.directories)]

    def issued(self):
        return len(list(self.home.glob("config/live/*/fullchain.pem")))


class Dehydrated(Client):
    name = "dehydrated"

    def __init__(self, *more):
        super().__init__(*more)
        hook = self.script("hook", f"""#!/bin/sh
[ "$1" = deploy_challenge ] || exit 0
shift
count=$(($# / 3))
while [ $count -gt 0 ]; do set -- "$@" "_acme-challenge.$1" "$3"; shift 3; count=$((count - 1)); done
exec {self.update} "$@"
""")
        (self.home / "config").write_text(f"""
CA="{self.url}"
CHALLENGETYPE="dns-01"
HOOK="{hook}"
HOOK_CHAIN="yes"
BASEDIR="{self.home}"
KEY_ALGO=prime256v1
ACCOUNT_KEY_ALGO=prime256v1
CURL_OPTS="--cacert {self.servers.certificate}"
""")
        self.words = ["dehydrated", "--config", self.home / "config"]

    def issue(self, certificates):
        (self.home / "domains.txt").write_text("".join(" ".join(names) + "\n" for names in certificates))
        return [self.run(*self.words, "--register", "--accept-terms"), self.run(*self.words, "--cron")]

    def again(self, certificates):
        return [self.run(*self.words, "--cron")]

    def issued(self):
        return len(list(self.home.glob("certs/*/fullchain.pem")))


PEERS = (Uacme, QuickLego, Lego, Certbot, Dehydrated)
