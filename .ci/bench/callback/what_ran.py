"""Writes which tasks ran, where, and how long each play took, as JSON into the file that WHAT_RAN names."""
import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: what_ran
type: aggregate
short_description: which tasks ran, and where
description: Writes it as JSON when the run ends.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "what_ran"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *more):
        super().__init__(*more)
        self.plays = []

    def v2_playbook_on_play_start(self, play):
        self.end_play()
        self.plays.append({"name": play.get_name(), "begin": time.time(), "tasks": {}})

    def v2_runner_on_ok(self, result):
        self.note(result, 1)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.note(result, 1)

    def v2_runner_on_skipped(self, result):
        self.note(result, 0)

    def v2_playbook_on_stats(self, stats):
        self.end_play()
        with open(os.environ["WHAT_RAN"], "w") as file:
            json.dump(self.plays, file)

    def end_play(self):
        if self.plays:
            self.plays[-1].setdefault("seconds", time.time() - self.plays[-1]["begin"])

    def note(self, result, count):
        """How often the task's action ran on this host: once, or for each item of a loop that was not skipped."""
        task, host = result._task, result._host.get_name()
        items = result._result.get("results")
        if count and task.loop is not None and isinstance(items, list):
            count = sum(1 for item in items if not item.get("skipped"))
        entry = self.plays[-1]["tasks"].setdefault(task._uuid, {"action": task.action, "hosts": {}})
        entry["hosts"][host] = count
