"""playbooks/base.yaml over hosts of the lab, beside the time that Ansible needs for as many tasks that do nothing.

A recording says which task ran on which host, and how often. The playbook that it is compared with has the same plays
and tasks in the same order, each on the same hosts, with ansible.builtin.ping for what went to a host and
ansible.builtin.debug for what Ansible did by itself. Agents are installed before, as on every day but the first.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import yaml

import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT / ".lab"
WORLD = ROOT / "ansible/lab/files/world.sh"
SIZES = (3, 10, 30)
RUNS = 3
FIRST_ADDRESS = 70
# A CA that keeps no authorization, so that each renewal wants a new token; and no service that is told.
SETTINGS = {"letsencrypt_acme_directory": "https://{{ lab_network }}.51:14000/dir", "letsencrypt_notify": False}
# What Ansible does without a host.
LOCAL = {"add_host", "assert", "debug", "fail", "group_by", "import_role", "import_tasks", "include_role", "include_tasks",
         "include_vars", "meta", "set_fact", "validate_argument_spec"}


def hosts(size):
    return [f"fleet{number:02}" for number in range(1, size + 1)]


def start_lab():
    if subprocess.run([WORLD, "status", LAB]).returncode == 0:
        sys.exit("the lab is up: make lab-down first")
    usual = yaml.safe_load((ROOT / "ansible/lab/vars.yaml").read_text())["lab_hosts"]
    fleet = [{"name": name, "address": FIRST_ADDRESS + number} for number, name in enumerate(hosts(max(SIZES)))]
    subprocess.run(["ansible-playbook", "-i", "localhost,", "-e", json.dumps({"lab_hosts": usual + fleet}),
                    ROOT / "ansible/lab/up.yaml"], check=True, capture_output=True)


def write_inventory(path, size):
    certs = {name: {"letsencrypt_certs": {name: [f"n{number + 1}.example.test"]}} for number, name in enumerate(hosts(size))}
    path.write_text(json.dumps({"letsencrypt": {"hosts": certs, "vars": SETTINGS}, "adns": {"hosts": {"adns1": None}}}))


def play(playbook, inventory, size, *more, record=None):
    """Seconds of a run of Ansible, which must succeed."""
    environment = {**os.environ, "ANSIBLE_FORKS": str(size)}
    if record:
        environment |= {"WHAT_RAN": str(record), "ANSIBLE_CALLBACKS_ENABLED": "what_ran",
                        "ANSIBLE_CALLBACK_PLUGINS": str(pathlib.Path(__file__).parent / "callback")}
    begin = time.perf_counter()
    done = subprocess.run(
        ["ansible-playbook", "-i", LAB / "inventory/lab.yaml", "-i", inventory, playbook, *more],
        capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{playbook} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - begin


def write_idle(path, plays):
    """The playbook that does as much nothing."""
    path.write_text(json.dumps([
        {"name": played["name"], "hosts": "all", "gather_facts": False,
         "tasks": [idle(task) for task in played["tasks"].values()]} for played in plays]))


def idle(task):
    action = task["action"].rpartition(".")[2]
    ran = {host: count for host, count in task["hosts"].items() if count}
    doing = {"ansible.builtin.debug": {"msg": ""}} if action in LOCAL else {"ansible.builtin.ping": {}}
    many = {"loop": list(range(max(ran.values())))} if ran and max(ran.values()) > 1 else {}
    return {"name": task["action"], "when": f"inventory_hostname in {json.dumps(sorted(ran))}", **doing, **many}


def count(plays):
    tasks = [task for played in plays for task in played["tasks"].values()]
    return sum(sum(task["hosts"].values()) for task in tasks if task["action"].rpartition(".")[2] not in LOCAL)


def compare(directory, size):
    """For a run that renews all certificates, and one with nothing to do: medians, and what there was to do."""
    inventory, idle_book, record = directory / "fleet.yaml", directory / "idle.yaml", directory / "ran.json"
    base = ROOT / "playbooks/base.yaml"
    write_inventory(inventory, size)
    play(base, inventory, size)
    rows = {}
    for kind, more in (("renew", ["-e", "letsencrypt_force=true"]), ("nothing", [])):
        ours, nothing = [], []
        for number in range(RUNS):
            ours.append(play(base, inventory, size, *more, record=record))
            plays = json.loads(record.read_text())
            write_idle(idle_book, plays)
            nothing.append(play(idle_book, inventory, size))
            print(f"  {size} hosts, {kind}: {ours[-1]:.1f} s, idle {nothing[-1]:.1f} s", flush=True)
        shares = {played["name"]: played["seconds"] for played in plays if played["tasks"]}
        rows[kind] = {"ours": statistics.median(ours), "idle": statistics.median(nothing), "tasks": count(plays),
                      "shares": shares}
    return rows


def measure(program, directory):
    start_lab()
    try:
        report.write_fleet({size: compare(directory, size) for size in SIZES})
    finally:
        subprocess.run([WORLD, "stop", LAB], check=True, capture_output=True)
