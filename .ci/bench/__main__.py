"""Times acme_publish_txt on this machine, as ratios within one run. usage: python3 .ci/bench PROGRAM

Each part is a module of its own that says what it measures and how; only the ratios mean something elsewhere.
"""
import pathlib
import sys
import tempfile

import dynamic_updates
import large_zone
import until_visible

for part in (large_zone, until_visible, dynamic_updates):
    with tempfile.TemporaryDirectory() as scratch:
        part.measure(sys.argv[1], pathlib.Path(scratch))
