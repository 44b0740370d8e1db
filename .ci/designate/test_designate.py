"""The program's provider `designate` against real services; `world` has started them.

ACME_MODULES is the program, CLOUD_CA the certificate of the services, as PEM.
"""
import concurrent.futures
import json
import os
import subprocess
import tempfile
import time
import unittest

import cloud

CA = os.environ["CLOUD_CA"]
# The last is what each token begins with.
SECRETS = [cloud.PASSWORD, cloud.ADMIN_PASSWORD, cloud.APPLICATION_SECRET, "gAAAA"]
# As docs/publishing.md has them.
ACCESS_RULES = [("GET", "/v2/zones"), ("GET", "/v2/zones/*/recordsets"), ("POST", "/v2/zones/*/recordsets"),
                ("PUT", "/v2/zones/*/recordsets/*"), ("DELETE", "/v2/zones/*/recordsets/*")]


def setUpModule():
    global CLOUD
    CLOUD = cloud.Cloud(CA)


def token(number):
    return f"{number:043d}"


def shown(label):
    """The values that the BIND shows, sorted, as `dig` writes them."""
    words = ["dig", "+short", "+tcp", "+tries=1", "@127.0.0.1", "TXT", f"{label}.{cloud.ZONE}"]
    return sorted(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines())


def quoted(*values):
    return sorted(f'"{value}"' for value in values)


def record_set(label):
    """What Designate lists for a name; None where it lists nothing."""
    url = f"{CLOUD.zone_url}/recordsets?name={label}.{cloud.ZONE}.&type=TXT"
    return next(iter(CLOUD.session.call("GET", url)["recordsets"]), None)


def make_set(label, kind, *records):
    body = {"name": f"{label}.{cloud.ZONE}.", "type": kind, "ttl": 60, "records": list(records)}
    return CLOUD.session.call("POST", CLOUD.zone_url + "/recordsets", body)


class Bastion:
    """A host that publishes, with a state of its own."""

    def __init__(self, test, **provider):
        password = {"username": "acme", "password": cloud.PASSWORD, "project_name": "dns"}
        self.provider = {"auth_url": cloud.KEYSTONE, "ca_path": CA, **(provider or password)}
        self.state = tempfile.TemporaryDirectory()
        self.test = test
        test.addCleanup(self.state.cleanup)

    def call(self, records, **options):
        """The result of a call that publishes `records`, pairs of label and value."""
        options = {"zone": cloud.ZONE, "designate": self.provider, "servers": ["127.0.0.1:53"], "timeout": 300,
                   "state_path": self.state.name, "visible_timeout": 30, **options,
                   "records": [{"target": f"{label}.{cloud.ZONE}", "value": value} for label, value in records]}
        with tempfile.NamedTemporaryFile("w") as file:
            json.dump(options, file)
            file.flush()
            words = [os.environ["ACME_MODULES"], "acme_publish_txt", file.name]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        self.test.assertEqual(done.stderr, "")
        for secret in SECRETS:
            self.test.assertNotIn(secret, done.stdout)
        return json.loads(done.stdout)

    def publish(self, label, *values, **options):
        answer = self.call([(label, value) for value in values], **options)
        self.test.assertFalse(answer["failed"], answer["msg"])
        self.test.assertEqual(answer["visible_on"], ["127.0.0.1"])
        return answer

    def failure(self, label, *values):
        """The sentence of a call that fails."""
        answer = self.call([(label, value) for value in values])
        self.test.assertTrue(answer["failed"])
        self.test.assertFalse(answer["changed"])
        return answer["msg"]


class Publishing(unittest.TestCase):
    def test_a_value_is_visible_and_the_second_call_changes_nothing(self):
        bastion = Bastion(self)
        self.assertTrue(bastion.publish("one", token(1))["changed"])
        self.assertEqual(shown("one"), quoted(token(1)))
        version = record_set("one")["version"]
        self.assertFalse(bastion.publish("one", token(1))["changed"])
        self.assertEqual(record_set("one")["version"], version)

    def test_three_values_share_a_name(self):
        Bastion(self).publish("three", token(1), token(2), token(3))
        self.assertEqual(shown("three"), quoted(token(1), token(2), token(3)))

    def test_many_names_are_written_in_one_call(self):
        answer = Bastion(self).call([(f"many{number}", token(number)) for number in range(10)])
        self.assertFalse(answer["failed"], answer["msg"])
        self.assertEqual(shown("many9"), quoted(token(9)))

    def test_only_its_own_old_values_leave(self):
        bastion = Bastion(self)
        make_set("shared", "TXT", "bare", '"two words"')
        bastion.publish("shared", "old")
        bastion.publish("alone", "old")
        self.assertEqual(shown("shared"), quoted("bare", "old", "two words"))
        # A note is old when its second has passed.
        time.sleep(2)
        answer = bastion.publish("shared", "new", keep=0)
        self.assertEqual([record["value"] for record in answer["removed"]], ["old", "old"])
        self.assertEqual(shown("shared"), quoted("bare", "new", "two words"))
        self.assertIsNone(record_set("alone"))
        cloud.wait("a name without values", lambda: not shown("alone"))

    def test_a_set_that_was_deleted_a_moment_ago_is_made_anew(self):
        bastion = Bastion(self)
        bastion.publish("again", "first")
        CLOUD.session.call("DELETE", f"{CLOUD.zone_url}/recordsets/{record_set('again')['id']}")
        bastion.publish("again", "second")
        self.assertEqual(shown("again"), quoted("second"))

    def test_publishers_at_once_take_nothing_from_each_other(self):
        for values in (["a", "b"], ["c", "d", "e"]):
            with concurrent.futures.ThreadPoolExecutor(len(values)) as pool:
                answers = list(pool.map(lambda value: Bastion(self).call([("crowd", value)]), values))
            self.assertEqual([answer["msg"] for answer in answers if answer["failed"]], [])
            self.assertLessEqual(set(quoted(*values)), set(shown("crowd")))
        self.assertEqual(shown("crowd"), quoted(*"abcde"))


class Refusals(unittest.TestCase):
    def test_more_values_than_the_quota_of_a_set(self):
        sentence = Bastion(self).failure("quota", *map(token, range(25)))
        self.assertIn("does not take 25 TXT records of quota.acme.example.org: its quota is used up (status 413: "
                      "Quota exceeded for recordset_records.); let each _acme-challenge name be a CNAME", sentence)
        self.assertIsNone(record_set("quota"))

    def test_more_names_than_the_quota_of_the_zone(self):
        CLOUD.set_quota(zone_recordsets=1)
        self.addCleanup(CLOUD.set_quota, zone_recordsets=500)
        sentence = Bastion(self).failure("full", "one")
        self.assertIn("(status 413: Quota exceeded for zone_recordsets.); remove what is not needed", sentence)

    def test_a_name_that_is_a_CNAME(self):
        make_set("alias", "CNAME", "elsewhere.example.org.")
        self.assertIn("remove the CNAME alias.acme.example.org", Bastion(self).failure("alias", "one"))

    def test_a_wrong_password(self):
        bastion = Bastion(self, username="acme", password="wrong", project_name="dns")
        self.assertIn("gives no token to the user acme (status 401: ", bastion.failure("wrong", "one"))

    def test_a_project_without_the_zone(self):
        bastion = Bastion(self, username="designate", password=cloud.ADMIN_PASSWORD, project_name="service")
        self.assertIn("has no zone acme.example.org. that this project can see", bastion.failure("wrong", "one"))


class ApplicationCredentials(unittest.TestCase):
    def bastion(self, **what):
        return Bastion(self, application_credential_secret=cloud.APPLICATION_SECRET, **what)

    def test_are_taken_by_id_and_by_name(self):
        made = CLOUD.application_credential("whole")
        self.bastion(application_credential_id=made["id"]).publish("credential", "id")
        self.bastion(application_credential_name="whole", username="acme").publish("credential", "name")
        self.assertEqual(shown("credential"), quoted("id", "name"))

    def test_need_no_more_than_the_documented_access_rules(self):
        bastion = self.bastion(application_credential_id=CLOUD.application_credential("rules", ACCESS_RULES)["id"])
        bastion.publish("rules", "old")
        bastion.publish("ruled", "old")
        time.sleep(2)
        bastion.publish("rules", "new", keep=0)
        self.assertEqual(shown("rules"), quoted("new"))
        self.assertIsNone(record_set("ruled"))

    def test_without_a_rule_that_is_needed_are_refused_with_advice(self):
        made = CLOUD.application_credential("readonly", ACCESS_RULES[:2])
        bastion = self.bastion(application_credential_id=made["id"])
        self.assertIn("where the application credential has access rules", bastion.failure("readonly", "one"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
