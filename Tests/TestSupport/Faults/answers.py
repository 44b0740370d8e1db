"""Replies of an ACME server, and what the fault proxy makes of them."""

import json
import time
from collections import namedtuple
from email.utils import formatdate

# A reply on its way to the client; header names are in lower case, the body is bytes.
Answer = namedtuple("Answer", "status headers body")


def made_up(fault):
    """The answer that a fault gives instead of the server's."""
    text = fault["body"] if "body" in fault else json.dumps(fault["json"]) if "json" in fault else ""
    kind = "application/json" if fault["status"] < 400 else "application/problem+json"
    headers = {"content-type": kind} | {name.lower(): value for name, value in fault.get("headers", {}).items()}
    if "retry_in" in fault:
        headers["retry-after"] = formatdate(time.time() + fault["retry_in"], usegmt=True)
    return Answer(fault["status"], headers, text.encode())


def changed(answer, fault):
    """The answer as a fault wants it."""
    headers = dict(answer.headers)
    for name, value in fault.get("headers", {}).items():
        headers.pop(name.lower(), None)
        if value is not None:
            headers[name.lower()] = value
    body = fault["body"].encode() if "body" in fault else answer.body
    if fault.keys() & {"set", "insert", "reverse", "remove"}:
        content = json.loads(body)
        for path, value in fault.get("set", {}).items():
            place, name = parent(content, path)
            place[name] = value
        for path, value in fault.get("insert", {}).items():
            place, index = parent(content, path)
            place.insert(index, value)
        for name in fault.get("reverse", []):
            content.get(name, []).reverse()
        for path in fault.get("remove", []):
            place, name = parent(content, path)
            if isinstance(place, list) or name in place:
                del place[name]
        body = json.dumps(content).encode()
    return Answer(fault.get("status", answer.status), headers, body)


def parent(content, path):
    """Where in a JSON document a member is, and its name or index there; missing mappings are made."""
    *steps, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for step in steps:
        content = content[step] if isinstance(content, list) else content.setdefault(step, {})
    return content, last
