"""Writes the files of a JSON object on standard input, path to text, below the directory that is the argument."""

import json
import pathlib
import sys

top = pathlib.Path(sys.argv[1])
for path, text in json.load(sys.stdin).items():
    file = top / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(text, str):
        text = json.dumps(text, indent=2)
    file.write_text(text.rstrip("\n") + "\n")
    if text.startswith("#!"):
        file.chmod(0o755)
