"""The provider rfc2136 beside that of lego, against the same BIND with update-policy and a TSIG key, in turn.

lego publishes only on the way to a certificate, name by name: publish, have the CA validate, remove. So a recording of
what goes to BIND says what publishing alone takes, of both alike: from the first question to the answer of the last
update, of lego the sum over its names, each from the CNAME question that it begins with. Left out of lego's are its
start, the CA, and the removal of each value; of ours its start and its look for every value at the end. Ours as a
whole, from the call to its end, stands beside it: that is what a playbook waits for.

The CA is a Pebble that finds everything valid (PEBBLE_VA_ALWAYS_VALID): its validation is no part of what is measured,
and lego sleeps about five seconds for each name that is not valid at once. What proves the publishing is BIND's answer
to each update. lego's own look whether a value is visible asks port 53 only and is switched off. It waits
RFC2136_SEQUENCE_INTERVAL, 60 s by default, between two names: for one name it runs with the default, for more with 0,
and what the default adds is computed.
"""
import os
import shutil
import statistics
import subprocess

from measuring import ZONE, line, publish, ratio
from recorder import CNAME, Recorder
from servers import SECRET, Servers

# Names, and how often lego gets them published; each can cost it five seconds of sleep, so that the last run takes ten
# minutes on a busy machine. Ours runs more often.
ROUNDS = {1: 11, 10: 3, 100: 1}
OURS = 3
INTERVAL = 60


class World(Servers):
    """The servers, and the recorder of what goes to BIND."""

    def __init__(self, directory):
        super().__init__(directory, {"PEBBLE_VA_ALWAYS_VALID": "1"})
        self.recorder = Recorder(self.port)


def ours(program, world, names):
    """Seconds of the whole call, seconds of its publishing, and the messages of all that it did."""
    records = [{"target": f"_acme-challenge.{name}", "value": os.urandom(16).hex()} for name in names]
    seconds, _ = publish(
        program, world.directory, records, rfc2136={"server": world.address, "key_file": str(world.key)},
        servers=[world.address], state_path=str(world.directory / "state"))
    messages = world.recorder.take()
    last = [message for message in messages if message.is_update][-1]
    return seconds, last.end - messages[0].begin, messages


def lego(world, names):
    """Seconds that its publishing took, and the messages of all that it did."""
    home = world.directory / "lego"
    shutil.rmtree(home, ignore_errors=True)
    environment = {
        **os.environ, "LEGO_CA_CERTIFICATES": str(world.certificate), "RFC2136_NAMESERVER": world.address,
        "RFC2136_TSIG_KEY": "k.", "RFC2136_TSIG_ALGORITHM": "hmac-sha256.", "RFC2136_TSIG_SECRET": SECRET,
        # Seconds that it sleeps before each validation, whether it looks or not.
        "RFC2136_POLLING_INTERVAL": "0",
    }
    if len(names) > 1:
        environment["RFC2136_SEQUENCE_INTERVAL"] = "0"
    words = ["lego", "--server", world.url, "--accept-tos", "--email", "a@example.org",
             "--path", str(home), "--dns", "rfc2136", "--dns.disable-cp", "--dns.resolvers", world.address]
    for name in names:
        words += ["--domains", name]
    subprocess.run(words + ["run"], env=environment, capture_output=True, check=True)
    messages = world.recorder.take()
    return sum(published(messages, len(names))), messages


def published(messages, count):
    """Seconds of each publishing: from the last CNAME question before its update to the update's answer."""
    updates = [index for index, message in enumerate(messages) if message.is_update]
    assert len(updates) == 2 * count, f"{len(updates)} updates of lego for {count} names"
    assert not any(messages[index].is_refused for index in updates), "BIND refused an update of lego"
    seconds = []
    for index in updates[::2]:  # Each second one removes what the one before it published.
        first = next(message for message in reversed(messages[:index]) if message.kind == CNAME)
        seconds.append(messages[index].end - first.begin)
    return seconds


def counted(messages):
    updates = sum(message.is_update for message in messages)
    return f"{updates} updates and {len(messages) - updates} questions"


def compare(program, world, count, rounds):
    names = [f"h{number}.{ZONE}" for number in range(count)]
    whole, mine, theirs = [], [], []
    for _ in range(rounds):
        for _ in range(OURS):
            seconds, publishing, my_messages = ours(program, world, names)
            whole.append(seconds)
            mine.append(publishing)
        publishing, messages = lego(world, names)
        theirs.append(publishing)
    print(f"{count} {'name' if count == 1 else 'names'} by dynamic updates, {rounds} runs of lego and {len(mine)} of ours"
          " in turn, median:")
    line(f"acme_publish_txt, publishing: {counted(my_messages)}", mine)
    line(f"lego, publishing: {counted(messages)}", theirs)
    line("acme_publish_txt, the whole call, every value seen", whole)
    print(f"  ratio of the medians {ratio(mine, theirs):.2f}, of the whole call {ratio(whole, theirs):.2f}")
    if count > 1:
        print(f"  lego with its own interval, computed: {(count - 1) * INTERVAL + statistics.median(theirs):.0f} s")


def measure(program, directory):
    world = World(directory)
    try:
        for count, rounds in ROUNDS.items():
            compare(program, world, count, rounds)
    finally:
        world.stop()
