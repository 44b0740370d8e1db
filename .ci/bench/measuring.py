"""What all parts share: programs that are timed, lines that are printed, ports that are free."""
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time

ZONE = "acme.example.org"
RUNS = 11


def timed(words, **more):
    """Seconds and peak KiB of a program that must succeed, with what it printed."""
    start = time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.PIPE, **more)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{words} failed: {output.decode()}")
    return seconds, usage.ru_maxrss, output


def publish(program, directory, records, **options):
    """Seconds and peak KiB of a call of acme_publish_txt that must change something."""
    arguments = directory / "arguments.json"
    arguments.write_text(json.dumps({"zone": ZONE, "records": records, **options}))
    seconds, memory, output = timed([program, "acme_publish_txt", str(arguments)])
    assert json.loads(output)["changed"], "nothing was published"
    return seconds, memory


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
