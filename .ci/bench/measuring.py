"""What all parts share: programs that are timed, lines that are printed, ports that are free."""
import collections
import json
import random
import socket
import statistics
import subprocess
import sys
import time

ZONE = "acme.example.org"
RUNS = 11


# In a process of its own: a child's peak begins with that of the process that starts it, and this one is large.
MEASURE = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""

# Seconds by the clock and of the processors, peak KiB of its largest process, and what it printed.
Usage = collections.namedtuple("Usage", "seconds processor memory output")


def timed(words, environment=None):
    """What a program took that must succeed, with all that it started and waited for."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, *words], capture_output=True, text=True, check=True, env=environment)
    seconds, processor, memory, status = done.stderr.splitlines()[-1].split()
    if status != "0":
        sys.exit(f"{words} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Usage(float(seconds), float(processor), int(memory), done.stdout)


def publish(program, directory, records, changed=True, **options):
    """Seconds and peak KiB of a call of acme_publish_txt that must change something, or nothing."""
    arguments = directory / "arguments.json"
    arguments.write_text(json.dumps({"zone": ZONE, "records": records, **options}))
    usage = timed([program, "acme_publish_txt", str(arguments)])
    assert json.loads(usage.output)["changed"] is changed, usage.output[:2000]
    return usage.seconds, usage.memory


def line(what, values, unit=1000, name="ms"):
    print(f"  {what:<58}{statistics.median(values) * unit:9.1f} {name}"
          f"   ({min(values) * unit:.1f} to {max(values) * unit:.1f})")


def ratio(ours, other):
    """The ratio of two medians."""
    return statistics.median(ours) / statistics.median(other)


def free_port():
    """A port of 127.0.0.1 that nobody uses now, for UDP and TCP."""
    while True:
        port = random.randint(20_000, 32_000)
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as one:
                    one.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue


def start(words, **more):
    """A program that runs until it is ended, its output thrown away."""
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def end(processes):
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()
