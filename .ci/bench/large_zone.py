"""A zone of 10,000 tokens written for the first time, asked for again, and given ten more, each beside named-checkzone
alone on the same file; peak memory. Before that, 10,000 with all that acme_request_tokens says of each.
"""
import random

from measuring import RUNS, ZONE, line, publish, ratio, timed


def tokens(numbers):
    return [{"target": f"h{number}.{ZONE}", "value": f"{number:043}"} for number in numbers]


def as_returned():
    """The same number as acme_request_tokens returns them, hosts in any order."""
    records = [{"certificate": f"h{number}", "domain": f"h{number}.example.org",
                "record": f"_acme-challenge.h{number}.example.org", **token}
               for number, token in enumerate(tokens(range(10_000)))]
    random.Random(1).shuffle(records)
    return records


FIRST = "10,000 tokens, no zone yet"
# The records of each call, one after the other, and whether it changes the zone.
CALLS = {
    "10,000 as acme_request_tokens returns them": (as_returned(), True),
    FIRST: (tokens(range(10_000)), True),
    "the same 10,000 again: nothing changes": (tokens(range(10_000)), False),
    "10 more, beside the 10,000 in the zone": (tokens(range(10_000, 10_010)), True),
}


def measure(program, directory):
    path = directory / "zone.db"
    provider = {"path": str(path), "nameservers": ["ns1.example.org"], "check_command": "", "reload_command": ""}
    ours, checks = {call: [] for call in CALLS}, {call: [] for call in CALLS}
    for _ in range(RUNS):
        path.unlink(missing_ok=True)
        for call, (records, changed) in CALLS.items():
            if call == FIRST:
                path.unlink()
            ours[call].append(
                publish(program, directory, records, changed, zone_file=provider, visible_timeout=0))
            usage = timed(["named-checkzone", ZONE, str(path)])
            checks[call].append((usage.seconds, usage.memory))
    for call in CALLS:
        (seconds, memory), (check_seconds, check_memory) = zip(*ours[call]), zip(*checks[call])
        print(f"A zone of {path.stat().st_size:,} bytes, {call}; {RUNS} runs, median:")
        line("acme_publish_txt: read options and zone, render, write", seconds)
        line("named-checkzone on the file that it left", check_seconds)
        line("peak memory of acme_publish_txt", memory, 1 / 1024, "MiB")
        line("peak memory of named-checkzone", check_memory, 1 / 1024, "MiB")
        print(f"  ratio of the medians {ratio(seconds, check_seconds):.2f}")
