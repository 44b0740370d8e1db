"""A cloud with a project, a user and a zone, made through the APIs of Keystone and Designate."""
import json
import ssl
import time
import urllib.error
import urllib.request

KEYSTONE = "https://127.0.0.1:5000/v3"
DESIGNATE = "https://127.0.0.1:9001/v2"
ZONE = "acme.example.org"
# Of the users `admin` and `designate`; `world` and designate.conf have it too.
ADMIN_PASSWORD = "s3cret-admin"
PASSWORD = "s3cret-password"
APPLICATION_SECRET = "s3cret-application"


def scoped(user, password, project):
    """The body that asks for a token: identity API v3."""
    default = {"name": "Default"}
    user = {"name": user, "domain": default, "password": password}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}},
                     "scope": {"project": {"name": project, "domain": default}}}}


class Session:
    """One user of one project. `call` returns the answer's JSON, None for an empty one; other statuses raise."""

    def __init__(self, trusted, user, password, project):
        self.tls = ssl.create_default_context(cafile=trusted)
        self.token = None
        answer, headers = self.exchange("POST", KEYSTONE + "/auth/tokens", scoped(user, password, project))
        self.token = headers["X-Subject-Token"]
        self.user_id = answer["token"]["user"]["id"]

    def exchange(self, method, url, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, data, headers, method=method)
        if self.token:
            request.add_header("X-Auth-Token", self.token)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=60) as answer:
                raw = answer.read()
                return (json.loads(raw) if raw else None), answer.headers
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {url}: {error.code} {error.read().decode()}") from None

    def call(self, method, url, body=None, headers=None):
        return self.exchange(method, url, body, headers)[0]


def wait(what, condition, seconds=60):
    """Asks until the condition holds; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise RuntimeError(f"{what} did not come to be within {seconds} seconds")


class Cloud:
    """The user `acme` of the project `dns`, and its zone; `session` is that user's."""

    def __init__(self, trusted):
        self.admin = Session(trusted, "admin", ADMIN_PASSWORD, "admin")
        roles = self.admin.call("GET", KEYSTONE + "/roles")["roles"]
        self.roles = {role["name"]: role["id"] for role in roles}
        self.make_endpoint()
        self.member("designate", ADMIN_PASSWORD, "service", "admin")
        self.member("acme", PASSWORD, "dns", "member")
        self.session = Session(trusted, "acme", PASSWORD, "dns")
        self.zone_url = self.make_zone()

    def make_endpoint(self):
        service = {"service": {"type": "dns", "name": "designate"}}
        service = self.admin.call("POST", KEYSTONE + "/services", service)["service"]
        endpoint = {"service_id": service["id"], "interface": "public", "region_id": "RegionOne",
                    "url": DESIGNATE.removesuffix("/v2")}
        self.admin.call("POST", KEYSTONE + "/endpoints", {"endpoint": endpoint})

    def member(self, user, password, project, role):
        """Makes a user with a role in a project of its own."""
        project = {"project": {"name": project, "domain_id": "default"}}
        project = self.admin.call("POST", KEYSTONE + "/projects", project)["project"]["id"]
        user = {"user": {"name": user, "password": password, "domain_id": "default"}}
        user = self.admin.call("POST", KEYSTONE + "/users", user)["user"]["id"]
        self.admin.call("PUT", f"{KEYSTONE}/projects/{project}/users/{user}/roles/{self.roles[role]}")

    def make_zone(self):
        zone = {"name": ZONE + ".", "email": "hostmaster@example.org", "ttl": 60}
        url = f"{DESIGNATE}/zones/{self.session.call('POST', DESIGNATE + '/zones', zone)['id']}"
        wait("the zone", lambda: self.session.call("GET", url)["status"] == "ACTIVE")
        return url

    def application_credential(self, name, rules=None):
        """Makes one that may do all that the user may, or what `rules` (pairs of method and path) allow."""
        credential = {"name": name, "secret": APPLICATION_SECRET, "roles": [{"name": "member"}]}
        if rules:
            credential["access_rules"] = [{"service": "dns", "method": method, "path": path} for method, path in rules]
        url = f"{KEYSTONE}/users/{self.session.user_id}/application_credentials"
        return self.session.call("POST", url, {"application_credential": credential})["application_credential"]

    def set_quota(self, **limits):
        project = self.session.call("GET", self.zone_url)["project_id"]
        self.admin.call("PATCH", f"{DESIGNATE}/quotas/{project}", limits, {"X-Auth-All-Projects": "true"})
