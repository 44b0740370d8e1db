"""A strict stand-in for Keystone v3 and Designate v2: what it takes stands on the name servers of a real BIND.

It answers as designate 15 and 20 were seen to (`make test-designate`). Called with a JSON file: directory, certificate,
key, zone, dns_port and faults (name -> number). It writes its ports to <directory>/ready and each request to
<directory>/requests, one JSON mapping on a line.
"""
import http.server
import json
import os
import re
import secrets
import ssl
import subprocess
import sys
import threading
import urllib.parse
import uuid

with open(sys.argv[1], encoding="utf-8") as file:
    CONFIG = json.load(file)
FAULTS = CONFIG["faults"]
ZONE = CONFIG["zone"] + "."
ZONE_ID = str(uuid.uuid4())
LOCK = threading.RLock()
TOKENS = {}  # token -> uses left
SETS = {}  # id -> record set
URLS = {}
LEFT = dict(FAULTS)  # faults that happen so often
# A record has more strings than one only where it is longer than 255 characters.
TEXT = re.compile(r'[^\s"]+|"([^"\\]|\\.)*"|(?=.{256})"([^"\\]|\\.)*"( "([^"\\]|\\.)*")+')


class Refusal(Exception):
    def __init__(self, status, kind, message="", headers=None):
        super().__init__(kind)
        self.status, self.headers = status, headers or {}
        self.body = {"code": status, "type": kind, "message": message or kind, "request_id": "req-1"}


def happens(fault):
    LEFT[fault] = LEFT.get(fault, 0) - 1
    return LEFT[fault] >= 0


def show(name, ttl, records):
    """Puts the records on the name server."""
    lines = [f"server 127.0.0.1 {CONFIG['dns_port']}", f"zone {ZONE}", f"update delete {name} TXT"]
    lines += [f"update add {name} {ttl} TXT {record}" for record in records]
    subprocess.run(["nsupdate"], input="\n".join(lines + ["send", ""]), text=True, check=True, timeout=20)


def store(entry, records, action):
    # They are listed in no order that a client knows.
    entry.update(records=sorted(records, reverse=True), action=action, status="PENDING", reads=FAULTS.get("pending", 1))
    show(entry["name"], entry["ttl"], records)


def create(name, ttl, records):
    entry = {"id": str(uuid.uuid4()), "name": name, "type": "TXT", "ttl": ttl, "zone_id": ZONE_ID}
    SETS[entry["id"]] = entry
    store(entry, records, "CREATE")
    return entry


def progress(entry):
    """A worker reaches the name servers while clients ask."""
    if entry["status"] != "PENDING":
        return
    entry["reads"] -= 1
    if entry["reads"] >= 0:
        return
    entry.update(action="NONE", status="ERROR" if FAULTS.get("error") else "ACTIVE")


def delete(entry):
    """It is listed no more, and its name is free for another."""
    del SETS[entry["id"]]
    show(entry["name"], entry["ttl"], [])
    return dict(entry, action="DELETE", status="PENDING")


def shown(entry):
    return {name: value for name, value in entry.items() if name != "reads"}


def checked_records(body, members):
    if not isinstance(body, dict) or set(body) != members:
        raise Refusal(400, "invalid_object", f"members must be {sorted(members)}")
    records = body["records"]
    if not records or not all(isinstance(r, str) and TEXT.fullmatch(r) for r in records):
        raise Refusal(400, "invalid_object", "records must be TXT records")
    if len(set(records)) != len(records) or not isinstance(body["ttl"], int):
        raise Refusal(400, "invalid_object", "records must differ, and ttl be a number")
    quota = FAULTS.get("quota", 20)
    if len(records) > quota:
        raise Refusal(413, "over_quota", "Quota exceeded for recordset_records.")
    return records


def post(body):
    records = checked_records(body, {"name", "type", "ttl", "records"})
    name = body["name"]
    if body["type"] != "TXT" or not name.endswith("." + ZONE) or name != name.lower():
        raise Refusal(400, "invalid_object", f"no TXT record of the zone: {name}")
    if FAULTS.get("cname"):
        raise Refusal(400, "invalid_recordset_location", "CNAME recordsets may not share a name with any other records")
    if FAULTS.get("zonequota"):
        raise Refusal(413, "over_quota", "Quota exceeded for zone_recordsets.")
    if happens("duplicate"):
        create(name, 60, ['"foreign"'])
    if any(entry["name"] == name for entry in SETS.values()):
        raise Refusal(409, "duplicate_recordset", "Duplicate RecordSet")
    entry = create(name, body["ttl"], records)
    steal(entry, [])
    return 202, entry


def put(entry, body):
    records = checked_records(body, {"ttl", "records"})
    if happens("vanish"):
        delete(entry)
        raise Refusal(404, "recordset_not_found", "Could not find RecordSet")
    before = entry["records"]
    entry["ttl"] = body["ttl"]
    store(entry, records, "UPDATE")
    steal(entry, before)
    return 202, entry


def steal(entry, before):
    """Another writer, who had read the set before this write, writes after it."""
    if happens("steal"):
        store(entry, [r for r in before if r != '"foreign"'] + ['"foreign"'], "UPDATE")


def page(member, entries, query, path):
    size = FAULTS.get("page", 20)
    start = int(query.get("marker", "0"))
    links = {"self": URLS["dns"] + path}
    if start + size < len(entries):
        query = dict(query, marker=str(start + size))
        links["next"] = URLS["elsewhere"] + path + "?" + urllib.parse.urlencode(query)
    return 200, {member: entries[start:start + size], "links": links, "metadata": {"total_count": len(entries)}}


def zones(query):
    if set(query) - {"name", "marker"} or not query.get("name", "").endswith("."):
        raise Refusal(400, "bad_request", "filter by a name with a dot at its end")
    others = [{"id": str(uuid.uuid4()), "name": f"other{n}.{ZONE}"} for n in range(FAULTS.get("others", 0))]
    found = [{"id": ZONE_ID, "name": ZONE}] if query["name"] == ZONE and not FAULTS.get("nozone") else []
    return page("zones", others + found, query, "/v2/zones")


def recordsets(query):
    if set(query) - {"name", "type", "marker"} or query.get("type") != "TXT" or not query["name"].endswith(ZONE):
        raise Refusal(400, "bad_request", "filter by type TXT and a name with a dot at its end")
    found = [entry for entry in SETS.values() if entry["name"] == query["name"]]
    for entry in found:
        progress(entry)
    return page("recordsets", [shown(entry) for entry in found], query, f"/v2/zones/{ZONE_ID}/recordsets")


def designate(method, path, query, body):
    base = f"/v2/zones/{ZONE_ID}/recordsets"
    if (method, path) == ("GET", "/v2/zones"):
        return zones(query)
    if (method, path) == ("GET", base):
        return recordsets(query)
    if query:
        raise Refusal(400, "bad_request", "no query here")
    if (method, path) == ("POST", base):
        status, entry = post(body)
        return status, shown(entry)
    entry = SETS.get(path.removeprefix(base + "/"))
    if entry is None or method not in ("PUT", "DELETE"):
        raise Refusal(404, "recordset_not_found", "Could not find RecordSet")
    if method == "PUT":
        return 202, shown(put(entry, body)[1])
    return 202, shown(delete(entry))


def keystone(body):
    """The token's lifetime, where what is given is exactly what is known."""
    user = {"name": "acme", "domain": {"name": "Default"}}
    scope = {"project": {"name": "dns", "domain": {"name": "Default"}}}
    secret = {"secret": "s3cret-application"}
    def application(what):
        return {"identity": {"methods": ["application_credential"], "application_credential": what}}
    known = [
        {"identity": {"methods": ["password"], "password": {"user": {**user, "password": "s3cret-password"}}},
         "scope": scope},
        application({"id": "cred-1", **secret}),
        application({"name": "bastion", "user": user, **secret}),
    ]
    if body.get("auth") not in known:
        said = json.dumps(body)
        raise Refusal(401, "Unauthorized", f"The request you have made requires authentication: {said}")
    token = "gAAAA-token-" + secrets.token_hex(8)
    TOKENS[token] = 0 if FAULTS.get("mute") else FAULTS.get("expire", 10**9) if not TOKENS else 10**9
    regions = ["one", "two"][:FAULTS.get("regions", 1)]
    url = URLS["dns"].replace("https:", "http:") if FAULTS.get("plain") else URLS["dns"]
    ends = [{"interface": "public", "region_id": r, "region": r, "url": f"{url}/{'' if r == 'one' else r}"}
            for r in regions]
    inner = {"interface": "internal", "region_id": "one", "region": "one", "url": URLS["elsewhere"]}
    catalog = [{"type": "compute", "endpoints": []}, {"type": "dns", "name": "designate", "endpoints": [inner] + ends}]
    return 201, {"token": {"methods": ["password"], "catalog": catalog}}, {"X-Subject-Token": token}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    role = ""

    def log_message(self, *_):
        pass

    def answer(self, method):
        url = urllib.parse.urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with LOCK:
            with open(CONFIG["directory"] + "/requests", "a", encoding="utf-8") as log:
                line = {"server": self.role, "method": method, "path": self.path, "body": raw.decode(),
                        "token": self.headers.get("X-Auth-Token")}
                log.write(json.dumps(line) + "\n")
            try:
                reply = self.judge(method, url, raw)
            except Refusal as refusal:
                reply = (refusal.status, refusal.body, refusal.headers)
        self.reply(*reply)

    def judge(self, method, url, raw):
        if self.headers.get("Accept") != "application/json" or self.role == "elsewhere":
            raise Refusal(406, "not_acceptable")
        if raw and self.headers.get("Content-Type") != "application/json":
            raise Refusal(415, "unsupported_content_type")
        body = json.loads(raw) if raw else None
        if self.role == "keystone":
            if (method, url.path, url.query) != ("POST", "/identity/v3/auth/tokens", "") or not body:
                raise Refusal(404, "not_found")
            return keystone(body)
        return self.judge_dns(method, url, body)

    def judge_dns(self, method, url, body):
        token = self.headers.get("X-Auth-Token")
        if TOKENS.get(token, 0) <= 0:
            raise Refusal(401, "Unauthorized", f"the token {token} is not valid")
        TOKENS[token] -= 1
        if happens("busy"):
            raise Refusal(503, "service_unavailable", headers={"Retry-After": "7"})
        if FAULTS.get("garbage"):
            return 200, None, {}
        query = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True)) if url.query else {}
        return (*designate(method, url.path, query, body), {})

    def reply(self, status, body, headers):
        data = b"<html>hello</html>" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def do_PUT(self):
        self.answer("PUT")

    def do_DELETE(self):
        self.answer("DELETE")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(role):
    handler = type(role, (Handler,), {"role": role})
    server = Server(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CONFIG["certificate"], CONFIG["key"])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    URLS[role] = f"https://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()


for one in ("keystone", "dns", "elsewhere"):
    serve(one)
if FAULTS.get("foreign"):
    create("web." + ZONE, 60, ['bare', '"foreign"', '"two words"'])
with open(CONFIG["directory"] + "/new", "w", encoding="utf-8") as ready:
    ready.write(URLS["keystone"])
os.rename(CONFIG["directory"] + "/new", CONFIG["directory"] + "/ready")
threading.Event().wait()
