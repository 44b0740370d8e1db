"""What the fault proxy is told to play."""

import json
import os
import random


class Faults:
    """What is to go wrong, and how often it still is."""

    def __init__(self, path):
        self.path, self.version, self.list = path, None, []
        # What stands for {origin} in them.
        self.origin = ""

    def take(self, kind):
        """The entry to play for a request of this kind; an empty one for none."""
        if not self.path.exists():
            return {}
        status = os.stat(self.path)
        if (version := (status.st_ino, status.st_mtime_ns)) != self.version:
            self.version = version
            self.list = json.loads(self.path.read_text().replace("{origin}", self.origin))
        for fault in self.list:
            if "chance" in fault:
                return self.draw(fault, kind)
            if fault["on"] != kind or fault.setdefault("times", 1) == 0:
                continue
            if fault.setdefault("skip", 0) > 0:
                fault["skip"] -= 1
                continue
            fault["times"] -= 1
            return fault
        return {}

    def draw(self, lottery, kind):
        """One of its faults, or none."""
        dice = lottery.setdefault("dice", random.Random(lottery["seed"]))
        drawn = {}
        if dice.uniform(0, 100) < lottery["chance"]:
            drawn = dice.choice([fault for fault in lottery["of"] if kind in fault.get("on", [kind])])
        return drawn | {"reuse": lottery.get("reuse", False)}
