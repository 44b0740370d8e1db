"""A strict stand-in for Rackspace Cloud DNS v1 and its identity service, for tests: HTTPS in front of a real BIND.

usage: cloud_dns.py DIRECTORY

DIRECTORY/settings.json   {username, api_key, domains: [name], dns: "address:port", key_file, certificate, key},
                          and where it listens if not at a free port of 127.0.0.1: {address, port}
DIRECTORY/ready.json      written when it listens: {api, plain, foreign}, the ports
DIRECTORY/requests.jsonl  a line for each request, on whichever port it came: {listener, method, path, headers, body}
DIRECTORY/faults.json     what is to go wrong, read anew whenever it is replaced: [{on: "POST records", play: ..., times}]

`api` is the service. `plain` (http) and `foreign` (https) are hosts that nobody should ever talk to: they write down
what they are sent and answer 418. The plays: answer, expire, job_error, race, lost, truncate, at_once, callback,
endpoint, unfiltered, stuck (see `Faults` and the methods of `Service`).
"""

import json
import os
import pathlib
import re
import ssl
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from cloud_dns_store import Refusal, Store

TENANT = "424242"


class Faults:
    """What is to go wrong: each entry is played `times` times (once where it does not say), in the order given."""

    def __init__(self, path):
        self.path = path
        self.version = None
        self.list = []

    def take(self, request):
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return {}
        if (version := (status.st_ino, status.st_mtime_ns)) != self.version:
            self.version = version
            self.list = json.loads(self.path.read_text())
        for fault in self.list:
            if fault["on"] == request and fault.setdefault("times", 1) > 0:
                fault["times"] -= 1
                return fault
        return {}


class Service:
    """What the API answers: a status, headers and a body. One request at a time."""

    def __init__(self, directory):
        self.settings = json.loads((directory / "settings.json").read_text())
        self.address = self.settings.get("address", "127.0.0.1")
        self.faults = Faults(directory / "faults.json")
        self.log = open(directory / "requests.jsonl", "a", encoding="utf-8")
        self.store = Store(self.settings)
        self.lock = threading.Lock()
        self.ports = {}
        self.tokens = set()
        self.jobs = {}

    def note(self, listener, method, path, headers, body):
        line = {"listener": listener, "method": method, "path": path, "headers": headers, "body": body}
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()

    def origin(self, listener):
        return f"{'http' if listener == 'plain' else 'https'}://{self.address}:{self.ports[listener]}"

    def answer(self, method, target, headers, body):
        url = urlsplit(target)
        query = parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query))
        kind = self.kind(url.path)
        fault = self.faults.take(f"{method} {kind}")
        self.check_headers(method, headers)
        if fault.get("play") == "answer":
            text = fault["body"] if isinstance(fault["body"], str) else json.dumps(fault["body"])
            return fault["status"], fault.get("headers", {}), text, None
        if kind == "tokens":
            return self.login(method, query, headers, body, fault)
        self.check_token(headers, fault)
        status, reply = self.act(method, kind, url.path, query, body, fault)
        play = fault.get("play") if fault.get("play") in ("lost", "truncate") else None
        return status, {}, json.dumps(reply), play

    @staticmethod
    def kind(path):
        if path == "/v2.0/tokens":
            return "tokens"
        for kind, form in {"domains": "domains", "records": r"domains/\d+/records", "status": "status/[^/]+"}.items():
            if re.fullmatch(f"/v1.0/{TENANT}/{form}", path):
                return kind
        raise Refusal(404, "Not Found", f"there is no resource {path}")

    def check_headers(self, method, headers):
        if headers.get("host") != f"{self.address}:{self.ports['api']}":
            raise Refusal(400, "Bad Request", "the Host header is another one's")
        if headers.get("accept") != "application/json":
            raise Refusal(406, "Not Acceptable", "only application/json is spoken here")
        if method == "POST" and headers.get("content-type") != "application/json":
            raise Refusal(415, "Unsupported Media Type", "only application/json is read here")

    # Identity

    def login(self, method, query, headers, body, fault):
        if method != "POST" or query or "x-auth-token" in headers:
            raise Refusal(400, "Bad Request", "a login is a POST without query or token")
        own = {"username": self.settings["username"], "apiKey": self.settings["api_key"]}
        given = json.loads(body)
        sent = given["auth"]["RAX-KSKEY:apiKeyCredentials"]
        if set(given) != {"auth"} or set(given["auth"]) != {"RAX-KSKEY:apiKeyCredentials"} or set(sent) != set(own):
            raise Refusal(400, "Bad Request", "the login has other members than it should")
        if sent != own:
            said = f"Unable to authenticate user with credentials provided: {sent['apiKey']}"
            return 401, {}, json.dumps({"unauthorized": {"code": 401, "message": said}}), None
        token = uuid.uuid4().hex
        self.tokens.add(token)
        endpoint = fault.get("url") or f"{self.origin(fault.get('to', 'api'))}/v1.0/{TENANT}"
        catalog = [
            {"name": "cloudFiles", "type": "object-store", "endpoints": [{"publicURL": self.origin("foreign")}]},
            {"name": "cloudDNS", "type": "rax:dns", "endpoints": [{"tenantId": TENANT, "publicURL": endpoint}]},
        ]
        if fault.get("play") == "no_dns":
            catalog.pop()
        issued = {"id": token, "expires": "2038-01-01T00:00:00.000Z", "tenant": {"id": TENANT, "name": TENANT}}
        return 200, {}, json.dumps({"access": {"token": issued, "serviceCatalog": catalog, "user": {}}}), None

    def check_token(self, headers, fault):
        if fault.get("play") == "expire":
            self.tokens.clear()
        if headers.get("x-auth-token") not in self.tokens:
            raise Refusal(401, "Unauthorized", f"token {headers.get('x-auth-token')} is not valid")

    # DNS

    def act(self, method, kind, path, query, body, fault):
        if method != "POST" and body:
            raise Refusal(400, "Bad Request", "there is a body where none belongs")
        if (method, kind) == ("GET", "domains"):
            return 200, self.store.list_domains(query, unfiltered=fault.get("play") == "unfiltered")
        if (method, kind) == ("GET", "status"):
            return self.job_status(path.rsplit("/", 1)[1], query)
        if kind != "records":
            raise Refusal(405, "Method Not Allowed", f"{method} {kind}")
        domain = path.split("/")[4]
        if method == "GET":
            return 200, self.store.list_records(domain, query)
        if method == "POST":
            records = self.store.checked_records(domain, query, body)
            if fault.get("play") == "race":
                self.store.add(domain, records[: fault.get("count", 1)])
            return self.start(method, lambda: self.store.add(domain, records), fault)
        if method == "DELETE":
            ids = self.store.checked_ids(domain, query)
            failing = ids[: fault.get("count", 1)] if fault.get("play") == "partial" else []
            return self.start(method, lambda: self.store.remove(domain, ids, failing), fault)
        raise Refusal(405, "Method Not Allowed", f"{method} {kind}")

    # Jobs: the work is done when its end is asked for, the third time, unless a play has it done before.

    def start(self, verb, work, fault):
        play = fault.get("play")
        job = {"id": str(uuid.uuid4()), "verb": verb, "work": work, "looks": 0, "state": "INITIALIZED", "error": None}
        job["stuck"] = play == "stuck"
        if play == "job_error":
            job["work"] = lambda: (_ for _ in ()).throw(Refusal.of(fault["error"]))
        self.jobs[job["id"]] = job
        if play in ("at_once", "lost", "truncate"):
            self.finish(job)
        return 202, self.describe(job, self.origin(fault.get("to", "api")))

    def finish(self, job):
        try:
            job["work"]()
            job["state"] = "COMPLETED"
        except Refusal as refusal:
            job["state"] = "ERROR"
            job["error"] = refusal.fault

    def describe(self, job, origin):
        callback = f"{origin}/v1.0/{TENANT}/status/{job['id']}"
        reply = {"jobId": job["id"], "callbackUrl": callback, "status": job["state"], "verb": job["verb"]}
        return reply | ({"error": job["error"]} if job["error"] else {})

    def job_status(self, job_id, query):
        if query != [("showDetails", "true")]:
            raise Refusal(400, "Bad Request", "a job is asked for with showDetails=true")
        if job_id not in self.jobs:
            raise Refusal(404, "Not Found", f"there is no job {job_id}")
        job = self.jobs[job_id]
        job["looks"] += 1
        if job["state"] in ("INITIALIZED", "RUNNING"):
            job["state"] = "RUNNING"
            if job["looks"] > 2 and not job["stuck"]:
                self.finish(job)
        return 202 if job["state"] == "RUNNING" else 200, self.describe(job, self.origin("api"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service = None
    listener = None

    def serve(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.service.lock:
            self.service.note(self.listener, self.command, self.path, headers, body)
            if self.listener != "api":
                self.reply(418, {}, "{}")
                return
            try:
                answer = self.service.answer(self.command, self.path, headers, body)
            except Refusal as refusal:
                answer = refusal.fault["code"], {}, json.dumps(refusal.fault), None
            except (ValueError, KeyError, TypeError) as error:
                answer = 400, {}, json.dumps({"code": 400, "message": "Bad Request", "details": repr(error)}), None
        self.reply(*answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = serve

    def reply(self, status, headers, text, play=None):
        if play:
            self.close_connection = True
        if play == "lost":
            return
        body = text.encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if play == "truncate" else body)

    def log_message(self, *_):
        pass


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """A client that goes away is no news."""


def listen(service, name):
    handler = type(name, (Handler,), {"service": service, "listener": name})
    port = service.settings.get("port", 0) if name == "api" else 0
    server = Listener((service.address, port), handler)
    if name != "plain":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(service.settings["certificate"], service.settings["key"])
        # The handshake belongs into the connection's own thread.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service.ports[name] = server.server_address[1]
    return server


def main():
    directory = pathlib.Path(sys.argv[1])
    service = Service(directory)
    servers = [listen(service, name) for name in ("api", "plain", "foreign")]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    new = directory / "ready.json.new"
    new.write_text(json.dumps(service.ports))
    new.rename(directory / "ready.json")
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
