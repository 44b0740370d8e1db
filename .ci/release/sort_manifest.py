"""Sorts FILES.json of an unpacked collection, whose order is the file system's, and corrects its checksum."""
import hashlib
import json
import pathlib
import sys

collection = pathlib.Path(sys.argv[1])
files, manifest = collection / "FILES.json", collection / "MANIFEST.json"

listed = json.loads(files.read_text())
listed["files"].sort(key=lambda file: file["name"])
files.write_text(json.dumps(listed, indent=1) + "\n")

told = json.loads(manifest.read_text())
told["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(files.read_bytes()).hexdigest()
manifest.write_text(json.dumps(told, indent=1) + "\n")
