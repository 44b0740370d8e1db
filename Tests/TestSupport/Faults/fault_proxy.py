"""A proxy that stands in front of a real ACME server and plays faults, for tests: HTTPS on both sides.

usage: fault_proxy.py DIRECTORY

DIRECTORY/settings.json   {upstream: port, certificate, key}: the server's port on 127.0.0.1, and PEM files that serve
                          both as the proxy's own certificate and as what it trusts
DIRECTORY/ready.json      written when it listens: {port}
DIRECTORY/requests.jsonl  a line for each request, when it has ended (a slow one before): {kind, method, path, status,
                          upstream, heard, late, sent, agent, type, members, url, kid, payload, text}; `status` is what
                          the client was told, `upstream` what the server said to the proxy, each 0 for nothing;
                          `heard` counts what the server heard of (0 where it did not), `late` whether that was when
                          the client had given it up; `sent` the bytes of the body, `agent` and `type` its fields,
                          `members` those of the protected header, `text` the payload as it was signed
DIRECTORY/faults.json     what is to go wrong, read anew whenever it is replaced: a list of {on, play, times, skip, ...}

The client's Host header is passed on: Pebble builds its URLs from it, so that they lead here, and holds the signed
`url` against it. Requests reach the server one at a time.

"{origin}" in the faults stands for the proxy's own https://127.0.0.1:port. `on` is a kind of request (see KINDS). An
entry is passed over `skip` times, then played `times` times (once where it does not say, always for -1). An entry with
`chance` (and `seed`) is for every kind: of so many requests in a hundred each has one of the faults in its list `of`,
of those that are `on` its kind or on none.
The plays:

    answer       the server does not hear of it: status, headers, body (text) or json; retry_in (seconds from now) makes
                 a Retry-After with a date
    drop         the connection ends before the server hears of it
    late         the connection ends without a reply, and the server hears of it only later (the line in the log is
                 written then)
    release      the server hears of all that is late, then of this request
    lose         the server does what it was asked; the connection ends without a reply
    half         the server's reply, cut off in the middle of its body
    change       the server's reply with another status, headers (null: without), body (text), and of its JSON other
                 members: set (by path: "identifiers.0.value"), insert (before what a list has at that place), reverse
                 (lists, where they are), remove
    huge         a reply without end (of `size` bytes)
    slow         the server's reply, a byte each `pause` seconds
    reuse        newOrder alone, as Boulder does: for the same account, names and profile the order that was made
                 before, as it was seen last, while it is pending or ready; with `even` true in any state. Beside
                 `chance`, `reuse` true means all orders, those too whose reply is lost
"""

import base64
import http.client
import json
import pathlib
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from answers import Answer, changed, made_up
from faults import Faults

KINDS = {
    "/dir": "directory",
    "/nonce-plz": "nonce",
    "/sign-me-up": "newAccount",
    "/my-account": "account",
    "/order-plz": "newOrder",
    "/my-order": "order",
    "/finalize-order": "finalize",
    "/authZ": "authorization",
    "/chalZ": "challenge",
    "/certZ": "certificate",
    "/renewal-info": "renewalInfo",
    "/rollover-account-key": "keyChange",
}


class Proxy:
    def __init__(self, directory):
        self.settings = json.loads((directory / "settings.json").read_text())
        self.faults = Faults(directory / "faults.json")
        self.log = open(directory / "requests.jsonl", "a", encoding="utf-8")
        self.trust = ssl.create_default_context(cafile=self.settings["certificate"])
        # Guards the faults and the log; the other lets requests to the server one by one.
        self.lock = threading.Lock()
        self.upstream = threading.Lock()
        # (account, names, profile) -> URL, and URL -> what was seen of the order last.
        self.made, self.orders = {}, {}
        # How many requests the server has heard of, and those that it has yet to hear of, with their faults.
        self.heard, self.late = 0, []

    def take(self, kind):
        with self.lock:
            return self.faults.take(kind)

    def note(self, line):
        with self.lock:
            print(json.dumps(line), file=self.log, flush=True)

    def delay(self, request, fault):
        with self.lock:
            self.late.append((request, fault))

    def release(self):
        """Lets the server hear of all that is late."""
        with self.lock:
            late, self.late = self.late, []
        for request, fault in late:
            try:
                self.forward(request, fault)
            finally:
                request.note()

    def forward(self, request, fault):
        """The server's answer, or for `reuse` that of an earlier order."""
        with self.upstream:
            if request.kind == "newOrder" and (fault.get("play") == "reuse" or fault.get("reuse")):
                order = self.orders.get(self.made.get(request.wish))
                if order and (fault.get("even") or json.loads(order.body)["status"] in ("pending", "ready")):
                    return Answer(201, dict(order.headers), order.body)
            connection = http.client.HTTPSConnection("127.0.0.1", self.settings["upstream"], context=self.trust)
            connection.request(request.command, request.path, request.sent_body or None, request.passed_on)
            reply = connection.getresponse()
            answer = Answer(reply.status, self.joined(reply), reply.read())
            self.heard += 1
            request.upstream, request.heard = reply.status, self.heard
            self.remember(request, answer)
            return answer

    @staticmethod
    def joined(reply):
        """Fields that are repeated become one, its values joined by commas."""
        hop = ("connection", "transfer-encoding", "content-length", "date")
        names = {name.lower() for name in reply.headers} - set(hop)
        return {name: ", ".join(reply.headers.get_all(name)) for name in names}

    def remember(self, request, answer):
        if request.kind not in ("newOrder", "order", "finalize") or answer.status >= 300:
            return
        own = self.faults.origin + request.path if request.kind == "order" else None
        url = answer.headers.get("location", own)
        if not url:
            return
        if request.kind == "newOrder":
            self.made[request.wish] = url
        headers = {"content-type": "application/json; charset=utf-8", "location": url}
        self.orders[url] = Answer(201, headers, answer.body)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy = None

    def serve(self):
        self.sent_body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.kind = KINDS.get("/" + self.path.split("/")[1], "other")
        self.upstream, self.heard, self.late, self.sent, self.shown = 0, 0, False, 0, 0
        self.passed_on = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        self.read_signature()
        fault = self.proxy.take(self.kind)
        try:
            self.play(fault)
        except OSError:
            self.close_connection = True
        if fault.get("play") not in ("slow", "late"):
            self.note()

    def note(self):
        self.proxy.note(
            {"kind": self.kind, "method": self.command, "path": self.path, "status": self.shown, "sent": self.sent}
            | {"upstream": self.upstream, "heard": self.heard, "late": self.late}
            | {"kid": self.kid, "payload": self.payload, "url": self.protected.get("url"), "text": self.text}
            | {"agent": self.headers.get("user-agent"), "type": self.headers.get("content-type")}
            | {"members": sorted(self.protected)}
        )

    do_GET = do_HEAD = do_POST = serve

    def read_signature(self):
        """Who signed, and what; nothing for what is not signed."""
        self.protected, self.kid, self.text, self.payload, self.wish = {}, None, None, {}, None
        if not self.sent_body:
            return
        message = json.loads(self.sent_body)
        self.protected = json.loads(decoded(message["protected"]))
        self.kid = self.protected.get("kid")
        self.text = decoded(message["payload"])
        self.payload = json.loads(self.text or "{}")
        if self.kind == "newOrder":
            names = frozenset(identifier["value"] for identifier in self.payload["identifiers"])
            self.wish = (self.kid, names, self.payload.get("profile"))

    def play(self, fault):
        play = fault.get("play")
        self.close_connection |= play in ("drop", "late", "lose", "half", "huge")
        if play == "drop":
            return
        if play == "late":
            self.late = True
            self.proxy.delay(self, fault)
            return
        if play == "release":
            self.proxy.release()
        if play == "answer":
            self.reply(made_up(fault))
            return
        if play == "huge":
            self.pour(fault["size"])
            return
        answer = self.proxy.forward(self, fault)
        if play == "lose":
            return
        if play == "half":
            self.reply(answer, upto=len(answer.body) // 2)
        elif play == "slow":
            self.drip(answer, fault["pause"])
        else:
            self.reply(changed(answer, fault) if play == "change" else answer)

    def head(self, answer, length):
        self.shown = answer.status
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def reply(self, answer, upto=None):
        self.head(answer, len(answer.body))
        if self.command != "HEAD":
            self.push(answer.body[:upto])

    def push(self, piece):
        self.wfile.write(piece)
        self.sent += len(piece)

    def drip(self, answer, pause):
        # Before it ends: whoever gave up waiting may want to know already.
        self.note()
        self.head(answer, len(answer.body))
        for byte in answer.body:
            self.push(bytes([byte]))
            time.sleep(pause)

    def pour(self, size):
        self.head(Answer(200, {"content-type": "application/json"}, b""), None)
        piece = b" " * 65536
        while self.sent < size:
            self.push(piece)

    def log_message(self, *_):
        pass


def main():
    directory = pathlib.Path(sys.argv[1])
    Handler.proxy = proxy = Proxy(directory)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(proxy.settings["certificate"], proxy.settings["key"])
    # The handshake belongs into the connection's own thread.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    port = server.server_address[1]
    proxy.faults.origin = f"https://127.0.0.1:{port}"
    new = directory / "ready.json.new"
    new.write_text(json.dumps({"port": port}))
    new.rename(directory / "ready.json")
    server.serve_forever()


if __name__ == "__main__":
    main()
