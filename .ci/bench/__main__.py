"""Measures on this machine, as ratios within one run. usage: python3 .ci/bench publish|peers|fleet PROGRAM

Each part is a module of its own that says what it measures and how; only the ratios mean something elsewhere.
"""
import os
import pathlib
import sys
import tempfile

import dynamic_updates
import fleet
import large_zone
import peers
import until_visible

PARTS = {"publish": (large_zone, until_visible, dynamic_updates), "peers": (peers,), "fleet": (fleet,)}

for part in PARTS[sys.argv[1]]:
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)  # servers that give up root read their configuration here
        part.measure(sys.argv[2], pathlib.Path(scratch))
