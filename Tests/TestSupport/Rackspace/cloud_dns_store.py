"""The domains and records of the stand-in for Cloud DNS: what the API says of them, and the BIND that shows them."""

import json
import subprocess
import uuid

PAGE = 100
BATCH = 100
LOWEST_TTL = 300
DOMAIN_LIMIT = 500


class Refusal(Exception):
    """A fault as the service words it: {code, message, details}, with validationErrors at 400."""

    def __init__(self, code, message, details, **more):
        super().__init__(details)
        self.fault = {"code": code, "message": message, "details": details} | more
        if code == 400:
            self.fault |= {"validationErrors": {"messages": [details]}}

    @classmethod
    def of(cls, fault):
        refusal = cls(0, "", "")
        refusal.fault = fault
        return refusal


class Store:
    def __init__(self, settings):
        self.settings = settings
        self.domains = {str(1000 + number): name for number, name in enumerate(settings["domains"])}
        # id -> {"domain", "name", "type", "data", "ttl"}, in the order in which they were added.
        self.records = {}
        self.next = 1
        for domain, name in self.domains.items():
            for server in ("ns1", "ns2"):
                self.keep(domain, {"name": name, "type": "NS", "data": f"{server}.rackspace.example", "ttl": 3600})

    def keep(self, domain, record):
        """Ids are of every kind that the service is known to use."""
        kinds = (f"TXT-{self.next}", self.next, str(uuid.uuid4()))
        self.records[str(kinds[self.next % 3])] = record | {"domain": domain, "id": kinds[self.next % 3]}
        self.next += 1

    # Lists

    @staticmethod
    def window(query, known):
        """(limit, offset, the other members) of a query, each member given once and known."""
        members = dict(query)
        if len(members) != len(query) or not set(members) <= known | {"limit", "offset"}:
            raise Refusal(400, "Bad Request", f"the query {query} has members that are unknown or given twice")
        limit, offset = int(members.pop("limit", PAGE)), int(members.pop("offset", 0))
        if not 1 <= limit <= PAGE or offset < 0 or offset % limit:
            raise Refusal(400, "Bad Request", f"limit {limit} and offset {offset} do not go together")
        return limit, offset, members

    def list_domains(self, query, unfiltered):
        limit, offset, members = self.window(query, {"name"})
        wanted = members.get("name")
        found = [
            {"id": int(key), "name": name, "accountId": 424242}
            for key, name in self.domains.items()
            if unfiltered or wanted is None or name == wanted
        ]
        return {"domains": found[offset : offset + limit], "totalEntries": len(found)}

    def list_records(self, domain, query):
        self.check_domain(domain)
        limit, offset, members = self.window(query, {"type", "name"})
        if "_" in members.get("name", ""):
            return {"records": [], "totalEntries": 0}
        found = [
            {key: value for key, value in record.items() if key != "domain"}
            for record in self.records.values()
            if record["domain"] == domain and all(record[key] == value for key, value in members.items())
        ]
        return {"records": found[offset : offset + limit], "totalEntries": len(found)}

    def check_domain(self, domain):
        if domain not in self.domains:
            raise Refusal(404, "Not Found", f"there is no domain {domain}")

    # Changes

    def checked_records(self, domain, query, body):
        self.check_domain(domain)
        records = json.loads(body)["records"]
        if query or set(json.loads(body)) != {"records"} or not 1 <= len(records) <= BATCH:
            raise Refusal(400, "Bad Request", f"a call adds 1 to {BATCH} records")
        name = self.domains[domain]
        for record in records:
            if set(record) != {"name", "type", "data", "ttl"} or record["type"] != "TXT":
                raise Refusal(400, "Bad Request", "a TXT record has name, type, data and ttl")
            if type(record["ttl"]) is not int or record["ttl"] < LOWEST_TTL:
                raise Refusal(400, "Bad Request", f"the ttl {record['ttl']} is lower than {LOWEST_TTL}")
            if record["name"] != name and not record["name"].endswith("." + name):
                raise Refusal(400, "Bad Request", f"{record['name']} does not belong to {name}")
            if not isinstance(record["data"], str) or not 1 <= len(record["data"]) <= 255:
                raise Refusal(400, "Bad Request", f"the data of {record['name']} is not valid")
        return records

    def checked_ids(self, domain, query):
        self.check_domain(domain)
        ids = [value for _, value in query]
        if {name for name, _ in query} != {"id"} or len(set(ids)) != len(ids) or len(ids) > BATCH:
            raise Refusal(400, "Bad Request", f"a call removes 1 to {BATCH} records, each once")
        return ids

    def add(self, domain, records):
        """All or none."""
        there = {(record["name"], record["data"]) for record in self.records.values() if record["type"] == "TXT"}
        added = [(record["name"], record["data"]) for record in records]
        if len(set(added)) != len(added) or there & set(added):
            raise Refusal(409, "Conflict", "Record is a duplicate of another record in the domain.")
        held = sum(record["domain"] == domain for record in self.records.values())
        if held + len(records) > DOMAIN_LIMIT:
            raise Refusal(413, "Over Limit", "Record limit for the domain exceeded.")
        self.update([f"add {r['name']}. {r['ttl']} TXT {self.quoted(r['data'])}" for r in records], domain)
        for record in records:
            self.keep(domain, record)

    def remove(self, domain, ids, failing):
        """Each for itself: those that are not there, and those that are to fail, are faults of their own."""
        faults, gone = [], []
        for key in ids:
            if key in failing:
                faults.append({"code": 500, "message": "Internal error", "details": f"Record {key} is busy."})
            elif self.records.get(key, {}).get("domain") != domain:
                faults.append({"code": 404, "message": "Object not Found", "details": f"Record {key}"})
            else:
                gone.append(key)
        self.update([f"delete {r['name']}. TXT {self.quoted(r['data'])}" for r in map(self.records.get, gone)], domain)
        for key in gone:
            del self.records[key]
        if faults:
            items = {"failedItems": {"faults": faults}}
            raise Refusal(500, "One or more items could not be deleted", "See errors list for details.", **items)

    @staticmethod
    def quoted(data):
        return '"' + data.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def update(self, lines, domain):
        """Has the BIND show what the API says, in one update."""
        if not lines:
            return
        address, port = self.settings["dns"].split(":")
        script = f"server {address} {port}\nzone {self.domains[domain]}.\n"
        script += "".join(f"update {line}\n" for line in lines) + "send\n"
        command = ["nsupdate", "-v", "-k", self.settings["key_file"]]
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            raise Refusal(500, "Internal error", f"nsupdate: {done.stderr}")
