"""Certificates from nothing, by this program and by others, in turn, from the same Pebble and with the same nsupdate.

Pebble validates for real, without its sleeps, by asking BIND. Every client begins each run with an empty home, so that
its account is part of the run. Several certificates are one call of ours and of dehydrated, and of the others one after
the other. What a run costs in requests, and what it takes where the CA is far, is measured in a run of its own through
the front.
"""
import os
import shutil
import subprocess
import statistics
import sys

from clients import PEERS, Lego, Ours
from front import DELAY, Front
from measuring import ZONE, timed
from report import write_peers
from servers import Servers

DNS_PORT = 53  # lego's look whether a value is visible knows no other
# Certificates, names of each, and how often each client runs.
SCENARIOS = ((1, 1, 5), (1, 10, 3), (1, 100, 1), (10, 1, 3), (50, 1, 1))
# lego waits that long between two names unless told otherwise; its default is run for one name only.
INTERVAL = 60


class Bench:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        isolate()
        self.servers = Servers(directory, {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"}, DNS_PORT)
        resolver = directory / "resolv.conf"
        resolver.write_text(f"nameserver {self.servers.host}\n")
        for own, path in ((self.servers.certificate, "/etc/ssl/certs/ca-certificates.crt"), (resolver, "/etc/resolv.conf")):
            subprocess.run(["mount", "--bind", own, path], check=True)
        self.front = Front(directory, self.servers)
        self.names = 0

    def stop(self):
        self.front.stop()
        self.servers.stop()

    def certificates(self, count, names):
        """Names that nobody had before, so that no value of an earlier run stands at theirs."""
        self.names += 1
        return [[f"n{name}.c{number}.r{self.names}.{ZONE}" for name in range(names)] for number in range(count)]

    def client(self, kind, url):
        home = self.directory / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        return kind(self.program, self.servers, home, url)

    def issue(self, kind, url, count, names):
        """What it took, from the first call to the end of the last, and the client with what it issued."""
        client, certificates = self.client(kind, url), self.certificates(count, names)
        usages = client.issue(certificates)
        if client.issued() != count:
            sys.exit(f"{kind.name} issued {client.issued()} certificates and not {count}")
        return summed(usages), client, certificates

    def counted(self, kind, count, names):
        """Requests, requests one after the other, and seconds against a CA that is DELAY away."""
        self.front.take()
        usage, client, certificates = self.issue(kind, self.front.url, count, names)
        requests, chain = self.front.take()
        client.again(certificates)
        return {"requests": requests, "chain": chain, "far": usage["seconds"], "again_requests": self.front.take()[0]}


def isolate():
    """A port 53, a resolver and trusted CAs of its own: not every client has options for these."""
    if os.readlink("/proc/self/ns/mnt") == os.readlink(f"/proc/{os.getppid()}/ns/mnt"):
        sys.exit("this has to run in namespaces of its own: unshare --mount --net")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def summed(usages):
    return {"seconds": sum(usage.seconds for usage in usages),
            "processor": sum(usage.processor for usage in usages),
            "memory": max(usage.memory for usage in usages) / 1024}


def clients(count, names):
    return [Ours] + [peer for peer in PEERS if peer is not Lego or (count, names) == (1, 1)]


def compare(bench, count, names, rounds):
    """For each client what all its runs took, its requests, and what a second run takes that has nothing to do."""
    results = {kind.name: {"runs": [], "again": []} for kind in clients(count, names)}
    for number in range(rounds):
        for kind in clients(count, names):
            usage, client, certificates = bench.issue(kind, bench.servers.url, count, names)
            result = results[kind.name]
            result["runs"].append(usage)
            result["again"].append(summed(client.again(certificates)))
            print(f"  {count} of {names}, run {number + 1}: {kind.name} {usage['seconds']:.2f} s", flush=True)
    for kind in clients(count, names):
        results[kind.name] |= bench.counted(kind, count, names)
    return results


def round_trip(bench):
    """Seconds of one request on a connection that is there."""
    once = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{num_connects} %{time_total}\n", bench.servers.url]
    said = subprocess.run(["curl", *once, *(["--next", *once] * 40)], capture_output=True, text=True, check=True).stdout
    lines = [words.split() for words in said.splitlines()]
    assert all(code == "200" for code, _, _ in lines), said
    return statistics.median(float(seconds) for _, connects, seconds in lines if connects == "0")


def key_generation():
    """Seconds of one EC P-256 key: of a program that makes one, less the program alone."""
    making, idle = (["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ["openssl", "version"])
    return min(timed(making).seconds for _ in range(9)) - min(timed(idle).seconds for _ in range(9))


def measure(program, directory):
    bench = Bench(program, directory)
    try:
        scenarios = [{"certificates": count, "names": names, "rounds": rounds,
                      "clients": compare(bench, count, names, rounds)} for count, names, rounds in SCENARIOS]
        physics = {"round_trip": round_trip(bench), "key": key_generation(), "delay": DELAY}
        write_peers({"scenarios": scenarios, "physics": physics})
    finally:
        bench.stop()
