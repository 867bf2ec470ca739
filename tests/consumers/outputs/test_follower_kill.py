"""An output that is killed before any step of its work: no half file, and no removal is lost.

`test_output_kill.py` kills a writer at any time; here the whole way from the picture dies, between any two steps.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from consumers.outputs.carried import carried_by
from consumers.outputs.known import opened, outputs
from consumers.outputs.replace_file import is_scratch
from consumers.picture.filters import Filter
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from schemas.topics import Topic
from tests.builders import NOW_MS
from tests.conftest import Brokers
from tests.consumers.outputs.http_receivers import fresh
from tests.consumers.outputs.killed_follower import Order, Outcome
from tests.consumers.outputs.pushed import secret
from tests.consumers.outputs.syslog_receiver import lasting_receiver
from tests.consumers.outputs.test_kafka_json import records
from tests.consumers.outputs.test_syslog import parsed
from tests.consumers.picture.topics import NATION, TopicInMemory, World

KILLS: Final = 5
VALUES: Final = (
    ("domain-name", "n{}.example"), ("ipv4-addr", "192.0.2.{}"), ("ipv6-addr", "2001:db8::{}"),
    ("ipv4-net", "198.51.{}.0/24"), ("url", "http://u.example/{}"), ("file-sha256", "{:064x}"),
    ("file-name", "f{}.exe"),
)  # fmt: skip
_FIRST: Final = 100  # all numbers have three digits, so no value is the beginning of another
ON_DISK: Final = [
    *(f"{name}:{{place}}" for name, output in outputs().items() if output.place in {"FILE", "DIR"}),
    "stix:{place}/",
]


class Killed:
    """A picture that changes, and processes that bring a target up to date with it until they are killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._round = folder, 0
        self.world = World(folder, GBR=TopicInMemory(), JPN=TopicInMemory("indicator.national.v1"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.consumers.outputs.killed_follower"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(_FIRST, _FIRST + 12):
            self._release(number)
        self.recalled: set[str] = set()

    def close(self) -> None:
        """End the processes."""
        self._process.communicate(timeout=30)

    def change(self) -> None:
        """Some come, some are revoked, and some are recalled."""
        self._round += 1
        self._release(_FIRST + 11 + self._round)
        for number, record in ((_FIRST + self._round, "recalled"), (_FIRST + self._round + 1, "revoked")):
            kind, form = VALUES[number % len(VALUES)]
            self.world.gbr.release(form.format(number), kind, version=NOW_MS + self._round, record=record)
            self.recalled |= {form.format(number)} if record == "recalled" else set()
        self.world.catch_up()

    def turn(self, target: str, dies_at: int = -1) -> Outcome:
        """One process."""
        order = Order(target, NATION, str(self.folder), str(self.world.path), NOW_MS, dies_at)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Outcome)

    def unapplied(self) -> int:
        """The recalls that outputs have still to apply."""
        with self.world.picture() as picture:
            return sum(each.unapplied_recalls for each in picture.followers())

    def live(self) -> dict[str, str]:
        """The values that there are, by origin and id."""
        with self.world.picture() as picture:
            return {f"{each.origin}/{each.id}": each.value for each in picture.entries(Filter())}

    def _release(self, number: int) -> None:
        kind, form = VALUES[number % len(VALUES)]
        self.world.gbr.release(form.format(number), kind, version=NOW_MS, content={"pap": "PAP:GREEN"})


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Killed]:
    found = Killed(tmp_path)
    yield found
    found.close()


def die_again_and_again(killed: Killed, target: str, after_each: Callable[[], None] = lambda: None) -> None:
    """Change the picture, be killed before some step, and so on; at the end a process comes through."""
    killed.change()
    killed.turn(target)
    killed.change()
    steps, chance = killed.turn(target).steps, Random(target)
    died = 0
    for _ in range(KILLS):
        killed.change()
        died += killed.turn(target, chance.randrange(steps)).killed
        after_each()
    assert died > KILLS // 2
    killed.change()
    assert killed.unapplied() > 0
    assert not killed.turn(target).killed
    assert killed.unapplied() == 0


def assert_whole(place: Path) -> None:
    """No file of a target is cut off, by what its format ends with."""
    for file in files_of(place):
        content = file.read_bytes()
        if content.startswith(b"{"):
            json.loads(content)
        elif content:
            assert content.endswith(b"\n"), f"{file} is cut off"
        else:
            assert file.suffix in {".txt", ".lst", ".list", ".csv"}, f"{file} is empty"


def files_of(place: Path) -> list[Path]:
    """The files of a target that tools read."""
    found = [place] if place.is_file() else place.rglob("*")
    return [file for file in found if file.is_file() and not is_scratch(file)]


@pytest.mark.parametrize("form", ON_DISK)
def test_a_target_on_a_disk_is_whole_whenever_its_process_dies_and_loses_no_removal(killed: Killed, form: str) -> None:
    place = killed.folder / "target"
    if form.endswith("/") or outputs()[form.partition(":")[0]].place == "DIR":
        place.mkdir()
    target = form.format(place=place)
    die_again_and_again(killed, target, lambda: assert_whole(place))
    output, at, writer = opened(target, NATION)
    with killed.world.picture() as picture:
        assert list(writer.check(carried_by(output, at, Filter()).entries(picture, Counter()))) == []
    written = b"".join(file.read_bytes() for file in files_of(place))
    if output.name != "zeek":  # its tombstones name what Zeek has to forget
        assert [value for value in killed.recalled if value.encode() in written] == []


@pytest.mark.parametrize("kind", ["webhook", "splunk", "kvstore", "index"])
def test_a_receiver_holds_what_it_has_to_whenever_the_process_that_pushes_dies(killed: Killed, kind: str) -> None:
    url, received = fresh(kind)
    file = secret(killed.folder)
    rest = {
        "webhook": f"?secret={file}",
        "splunk": f"?token={file}",
        "kvstore": f"/collection?token={file}",
        "index": "",
    }
    die_again_and_again(killed, f"{'elastic' if kind == 'index' else kind}:{url}{rest[kind]}")
    assert {key.removeprefix(f"{NATION}/") for key in received.held} == killed.live().keys()


def test_a_log_of_changes_leads_to_what_there_is_whenever_the_process_that_sends_dies(killed: Killed) -> None:
    receiver = lasting_receiver()
    before = len(receiver.messages)
    die_again_and_again(killed, f"syslog:localhost:{receiver.port}?ca={receiver.ca}")
    held = set[str]()
    for message in receiver.messages[before:]:
        _, fields = parsed(message)
        key = f"{fields['cs1']}/{fields['externalId']}"
        held = held | {key} if fields["act"] == "put" else held - {key}
    assert held == killed.live().keys()


def test_a_topic_holds_what_it_has_to_whenever_the_process_that_writes_dies(
    killed: Killed, brokers: Brokers, unique: str
) -> None:
    topic = f"{unique}indicators"
    ensure_topics(Cluster("GBR", brokers.gbr), [Topic(topic, "key", 1, compacted=True)])
    die_again_and_again(killed, f"kafka:{topic}?brokers={brokers.gbr}")
    held = {key: value["value"] for key, value in dict(records(brokers.gbr, topic)).items() if value is not None}
    assert held == killed.live()
