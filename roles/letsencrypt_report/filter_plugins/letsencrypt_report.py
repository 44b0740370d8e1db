"""What hosts say about their certificates, made into a picture of the fleet.

What a host says is not trusted: each value is looked at once, here, and has its type and a length from then on.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timezone

DAY = 86400
WEEK = 7 * DAY
# A certificate that is due this long has seen a run or two that did not renew it.
OVERDUE = DAY

# The worst first: what a certificate is called where several hold.
CERTIFICATE_STATES = ("expired", "missing", "broken", "failing", "overdue", "due", "unused", "valid")
ENDPOINT_STATES = ("expired", "stale", "mismatched", "untrusted", "unreachable", "unknown", "current")
URGENT = {"expired", "missing", "broken", "stale", "mismatched", "untrusted"}
CALM = {"due", "unused", "valid", "current", "unknown"}

UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
DOMAIN = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}\Z", re.IGNORECASE)


def text(value, limit=1000):
    """One line that can be shown: no control characters, none that turn the direction of writing."""
    if not isinstance(value, str):
        return ""
    line = UNSHOWN.sub(" ", value).strip()
    return str(line if len(line) <= limit else line[: limit - 1] + "…")


def texts(value, limit=100):
    return [text(one, 253) for one in listed(value)[:limit] if isinstance(one, str)]


def listed(value):
    return value if isinstance(value, list) else []


def mapping(value):
    return value if isinstance(value, dict) else {}


def moment(value):
    """Seconds since 1970 of an RFC 3339 time in UTC, None where it is none."""
    try:
        return int(datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())
    except (TypeError, ValueError):
        return None


def number(value, otherwise, most=1_000_000):
    if not isinstance(value, int) or isinstance(value, bool):
        return otherwise
    return int(min(max(value, 0), most))


def time(value):
    return str(value) if moment(value) is not None else None


def certificate_state(one, now):
    if not one["wanted"]:
        return "unused"
    if one["installed"] and one["not_after"] and moment(one["not_after"]) <= now:
        return "expired"
    if not one["installed"]:
        return "broken" if one["not_after"] else "missing"
    if not one["sound"]:
        return "broken"
    if one["last_failure"]:
        return "failing"
    if one["due"] and moment(one["renew_at"]) is not None and moment(one["renew_at"]) < now - OVERDUE:
        return "overdue"
    if one["problems"]:
        return "broken"
    return "due" if one["due"] else "valid"


def certificate(host, said, now):
    failure = mapping(said.get("last_failure"))
    one = {"host": host, "name": text(said.get("name"), 253), "domains": texts(said.get("domains"))}
    one.update({key: said.get(key) is True for key in ("wanted", "installed", "due", "self_signed")})
    one.update({key: text(said.get(key)) for key in ("issuer", "serial", "fingerprint_sha256", "key_type", "reason")})
    one.update({key: time(said.get(key)) for key in ("not_before", "not_after", "renew_at")})
    one["problems"] = [text(problem) for problem in listed(said.get("problems"))[:20] if text(problem)]
    one["sound"] = said.get("key_matches") is not False and said.get("chain_healthy") is not False \
        and said.get("revoked") is not True
    for key, sentence in (
        ("key_matches", "its key belongs to another certificate"),
        ("chain_healthy", "its chain does not hold"),
    ):
        if one["installed"] and said.get(key) is False and not one["problems"]:
            one["problems"].append(sentence)
    one["last_failure"] = failure and {
        "at": time(failure.get("at")),
        "error": text(failure.get("error")),
        "count": number(failure.get("count"), 1),
        "next_try": time(failure.get("next_try")),
    } or None
    one["state"] = certificate_state(one, now)
    one["sentence"] = explanation(one)
    return one


def explanation(one):
    """What is wrong, without how often and when, so that the same trouble of many has the same words."""
    error = (one["last_failure"] or {}).get("error")
    problems = [problem for problem in one["problems"] if not error or error not in problem]
    return "; ".join(problems + ([error] if error else [])) or one["reason"]


def endpoint(host, said):
    state = said.get("state")
    one = {"host": host, "state": state if state in ENDPOINT_STATES else "unknown"}
    keys = ("endpoint", "protocol", "address", "certificate", "fingerprint_sha256", "serial", "issuer", "error")
    one.update({key: text(said.get(key), 300) for key in keys})
    # How long it took is another number each time, and no news.
    one["error"] = re.sub(r" after \d+ ms\b", "", one["error"])
    one["not_after"] = time(said.get("not_after"))
    one["domains"] = texts(said.get("domains"))
    return one


def distinct(things, *keys):
    """The first of those that are called the same: a name stands for one line of the metrics."""
    found = {}
    for thing in things:
        found.setdefault(tuple(thing[key] for key in keys), thing)
    return list(found.values())


def host_report(name, answer, asked, certificates):
    if not asked:
        return {"host": name, "state": "not asked", "sentence": "it was outside of this run (--limit)"}
    # Ansible begins with this since 2.19.
    said = re.sub(r"\ATask failed: ", "", text(answer.get("msg")))
    if answer.get("unreachable") is True:
        return {"host": name, "state": "unreachable", "sentence": said or "it cannot be reached"}
    # One without the agent is skipped in check mode.
    if answer.get("failed") is True or answer.get("skipped") is True or not isinstance(answer.get("certificates"), list):
        return {"host": name, "state": "failed", "sentence": said or "it did not say what it holds"}
    problems = [text(problem) for problem in listed(answer.get("problems"))]
    of_host = [problem for problem in problems if not problem.startswith(("certificate ", "endpoint "))]
    return {"host": name, "state": "answered", "sentence": "; ".join(of_host), "certificates": len(certificates)}


def attention(report):
    """What needs somebody, the worst first; what is said in the same words is said once, of all that it is said of."""
    said = {}
    for one in report["certificates"]:
        said.setdefault((one["state"], one["sentence"]), []).append(f"{one['host']} · {one['name']}")
    for one in report["endpoints"]:
        sentence = one["error"] or f"it serves a certificate that is {one['state']}"
        said.setdefault((one["state"], sentence), []).append(f"{one['host']} · {one['endpoint']}")
    for one in report["hosts"]:
        if one["state"] in ("unreachable", "failed"):
            said.setdefault(("host " + one["state"], one["sentence"]), []).append(one["host"])
        elif one["state"] == "answered" and one["sentence"]:
            said.setdefault(("host troubled", one["sentence"]), []).append(one["host"])
    groups = [
        {"state": state, "urgent": state in URGENT, "sentence": sentence, "subjects": subjects}
        for (state, sentence), subjects in said.items()
        if state not in CALM
    ]
    order = CERTIFICATE_STATES + ENDPOINT_STATES
    return sorted(groups, key=lambda group: (not group["urgent"], order.index(group["state"]) if group["state"] in order
                                             else 0, -len(group["subjects"])))


def answers(hosts, variables):
    """What acme_certificate_info returned for each of these hosts, as it is among their variables."""
    return {host: variables[host].get("letsencrypt_report_answer", {}) for host in hosts}


def letsencrypt_report(answers, asked, now):
    """`answers`: host to what acme_certificate_info returned for it; `asked`: the hosts of this run."""
    report = {"hosts": [], "certificates": [], "endpoints": []}
    for name in sorted(answers):
        answer = mapping(answers[name])
        certificates = [certificate(str(name), one, now) for one in listed(answer.get("certificates"))
                        if isinstance(one, dict)]
        endpoints = [endpoint(str(name), one) for one in listed(answer.get("endpoints")) if isinstance(one, dict)]
        certificates = distinct(certificates, "name")
        report["certificates"] += certificates
        report["endpoints"] += distinct(endpoints, "endpoint", "protocol")
        report["hosts"].append(host_report(str(name), answer, name in asked, certificates))
    report["certificates"].sort(
        key=lambda one: (CERTIFICATE_STATES.index(one["state"]), one["not_after"] or "", one["host"], one["name"]))
    report["endpoints"].sort(key=lambda one: (ENDPOINT_STATES.index(one["state"]), one["host"], one["endpoint"]))
    report["attention"] = attention(report)
    return report


def issued_lately(answers, now):
    """For acme_plan: the orders that CAs fulfilled within 7 days, by host, with the names that count there."""
    hosts = {}
    for name, answer in answers.items():
        for said in listed(mapping(answer).get("orders")):
            order = mapping(said)
            issued = moment(order.get("at"))
            names = [domain for domain in texts(order.get("domains")) if DOMAIN.match(domain)]
            if names and issued is not None and issued > now - WEEK:
                key = f"{text(order.get('certificate'), 253)} {text(order.get('serial'))}"
                hosts.setdefault(str(name), {"certs": {}})["certs"][key] = names
    return hosts


def orders(plan):
    """What acme_plan counted of them, against the limits; the most of each first."""
    counted = {"domains": [], "name_sets": [], "problem": ""}
    if mapping(plan).get("failed") is True or not isinstance(mapping(plan).get("domains"), list):
        counted["problem"] = text(mapping(plan).get("msg")) or "no host that has the agent answered"
        return counted
    for kind, key in (("domains", "domain"), ("name_sets", "names")):
        for one in listed(plan.get(kind)):
            called = mapping(one).get(key)
            count, limit = number(mapping(one).get("orders"), None), number(mapping(one).get("limit"), 0)
            if count is not None and limit > 0:
                if isinstance(called, list):
                    more = f" +{len(called) - 3}" if len(called) > 3 else ""
                    called = ", ".join(texts(called, 3)) + more
                called = text(called)
                counted[kind].append({"of": called, "issued": count, "limit": limit})
        counted[kind] = sorted(counted[kind], key=lambda one: (-one["issued"], one["of"]))[:20]
    return counted


def weeks(certificates, now, count=13):
    """How many certificates are to be renewed, and expire, in each of the next weeks; `height` is of 1."""
    wanted = [one for one in certificates if one["state"] != "unused"]
    columns = [{"from": now + week * WEEK, "renewals": 0, "expiries": 0} for week in range(count)]
    for kind, key in (("renewals", "renew_at"), ("expiries", "not_after")):
        for one in wanted:
            at = moment(one[key])
            week = None if at is None else max(0, (at - now) // WEEK)
            if week is not None and week < count:
                columns[week][kind] += 1
    highest = max([1] + [column[kind] for column in columns for kind in ("renewals", "expiries")])
    for column in columns:
        column["renewals_height"] = column["renewals"] / highest
        column["expiries_height"] = column["expiries"] / highest
    return columns


def csp_hash(content):
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def date(seconds, form="%Y-%m-%d"):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(form)


def prometheus_label(value):
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class FilterModule:
    """The filters of the role."""

    def filters(self):
        return {
            "letsencrypt_report_answers": answers,
            "letsencrypt_report": letsencrypt_report,
            "letsencrypt_report_issued_lately": issued_lately,
            "letsencrypt_report_orders": orders,
            "letsencrypt_report_weeks": weeks,
            "letsencrypt_report_seconds": moment,
            "letsencrypt_report_date": date,
            "letsencrypt_report_csp_hash": csp_hash,
            "letsencrypt_report_label": prometheus_label,
        }
