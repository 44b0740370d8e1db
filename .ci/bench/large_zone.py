"""Rendering and writing a zone of 10,000 tokens, beside named-checkzone alone on the same file; peak memory."""
from measuring import RUNS, ZONE, line, publish, ratio, timed


def measure(program, directory):
    path = directory / "zone.db"
    provider = {"path": str(path), "nameservers": ["ns1.example.org"], "check_command": "", "reload_command": ""}
    records = [{"target": f"h{number}.{ZONE}", "value": f"{number:043}"} for number in range(10_000)]
    ours, checks, memories, check_memories = [], [], [], []
    for _ in range(RUNS):
        path.unlink(missing_ok=True)
        seconds, memory = publish(program, directory, records, zone_file=provider, visible_timeout=0)
        ours.append(seconds)
        memories.append(memory)
        seconds, memory, _ = timed(["named-checkzone", ZONE, str(path)])
        checks.append(seconds)
        check_memories.append(memory)
    print(f"A zone of 10,000 tokens, {path.stat().st_size:,} bytes, {RUNS} runs, median:")
    line("acme_publish_txt: read options, render, write", ours)
    line("named-checkzone on the same file", checks)
    line("peak memory of acme_publish_txt", memories, 1 / 1024, "MiB")
    line("peak memory of named-checkzone", check_memories, 1 / 1024, "MiB")
    print(f"  ratio of the medians {ratio(ours, checks):.2f}")
