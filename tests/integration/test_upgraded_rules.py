"""A worker is upgraded to stricter rules, and killed while it decides again: each recall reaches the partner once.

On clusters of its own: what its rules have decided, no one else can decide again, for they are nowhere published.
"""

import os
from collections import Counter
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from shutil import copytree
from typing import Any, Final

import pytest
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not exported to type checkers by the package

import schemas
import streams
from exchange import clock
from schemas import topics
from schemas.codec import DECISION, RELEASED_INDICATOR
from schemas.identity import indicator_id, indicator_key
from schemas.links import POLICY_FOLDER
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType
from streams.rules.policy_set import load
from tests.builders import HOUR_MS, a_report, an_observation
from tests.integration.decoded import Decoded
from tests.integration.nations import START_S, Nations, working_nations
from tests.integration.role import Role
from tests.integration.rules_bench import NO_JA3
from tests.polling import eventually
from tests.reference.reading import Reading

WITHIN_S: Final = 90.0
REPORTS, VALUES = 36, 500  # so many that it takes a worker some seconds to decide them again


class Bench:
    """GBR's worker, installed as it is here and with one rule more, and what it states of this file's indicators."""

    def __init__(self, nations: Nations, folder: Path, home: Reading, partners: Reading) -> None:
        self._nations = nations
        self._released = Decoded(home, topics.released("JPN"), RELEASED_INDICATOR)
        self._decisions = Decoded(home, topics.AUDIT, DECISION)
        self._accepted = Decoded(partners, topics.accepted("GBR"), RELEASED_INDICATOR)
        self._admin = AdminClient(nations.clusters["GBR"].client())
        self.values = [md5(b"upgrade %d" % n, usedforsecurity=False).hexdigest() for n in range(REPORTS * VALUES)]
        self.names = {indicator_id(indicator_key(IndicatorType.JA3, value)) for value in self.values}
        for package in (schemas, streams):  # where the rules lie is a fact of the contract
            copytree(Path(package.__path__[0]), folder / package.__name__)
        copytree(POLICY_FOLDER, folder / "policy")
        (folder / "policy" / "national" / "GBR" / "v1" / "ja3.cedar").write_text(
            NO_JA3.replace("gbr-no-ja3", "gbr-no-ja3-upgrade"), "utf-8"
        )
        self.old, self.new = load("GBR").version, load("GBR", folder / "policy").version
        path = os.pathsep.join((str(folder), str(Path(streams.__file__).parents[1])))
        environ = {**nations.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
        self.installed = nations.roles["streams-GBR-1"]
        self.upgraded = Role("streams-GBR-upgraded", ("streams", "--nation", "GBR"), environ, nations.folder)

    def report(self) -> None:
        """One sensor of GBR reports them all."""
        now_ms = clock.now_ms()
        for sequence in range(REPORTS):
            observed = [
                an_observation(
                    kind=IndicatorType.JA3,
                    value=value,
                    marking=SourceMarking("TLP:CLEAR"),
                    first_seen_ms=now_ms - HOUR_MS,
                    last_seen_ms=now_ms,
                )
                for value in self.values[sequence * VALUES : (sequence + 1) * VALUES]
            ]
            report = a_report(observed, sensor="upgrade", epoch=now_ms - HOUR_MS, sequence=sequence)
            self._nations.send("GBR", [report])
        self._nations.flush()

    def starts(self, role: Role) -> None:
        since = role.logged_bytes
        role.start()
        role.await_logged("shards.assigned", START_S, since)

    def _ours(self, topic: Decoded) -> list[dict[str, Any]]:
        return [each for each in topic.look() if each.get("id", each.get("indicator_id")) in self.names]

    @property
    def released(self) -> list[dict[str, Any]]:
        return self._ours(self._released)

    @property
    def decisions(self) -> list[dict[str, Any]]:
        return self._ours(self._decisions)

    def partner_has(self, kind: str) -> bool:
        """Whether the partner's last record of each is of this kind."""
        last = {each["id"]: each["kind"] for each in self._ours(self._accepted)}
        return Counter(last.values()) == {kind: len(self.names)}

    def committed_end(self) -> int:
        """Where what was committed on the topic of releases ends: asked, not read, for the shard does not wait."""
        places = [TopicPartition(topics.released("JPN"), shard) for shard in range(self._nations.shards)]
        latest = {place: OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]
        asked = self._admin.list_offsets(latest, isolation_level=IsolationLevel.READ_COMMITTED)
        return sum(future.result(WITHIN_S).offset for future in asked.values())

    def recalled(self) -> int:
        return sum(each["kind"] == "recalled" for each in self.released)


@pytest.fixture(scope="module")
def nations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nations]:
    with working_nations(tmp_path_factory.mktemp("upgraded-nations")) as both:
        yield both


@pytest.fixture(scope="module")
def bench(nations: Nations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = Reading(nations.clusters["GBR"], [topics.AUDIT, topics.released("JPN")], nations.shards)
    partners = Reading(nations.clusters["JPN"], [topics.accepted("GBR")], nations.shards)
    with home, partners:
        found = Bench(nations, tmp_path_factory.mktemp("upgraded"), home, partners)
        try:
            yield found
        finally:
            found.upgraded.kill()


def test_a_worker_with_stricter_rules_recalls_everything_once_though_it_is_killed_on_the_way(bench: Bench) -> None:
    bench.report()
    eventually(lambda: bench.partner_has("content"), WITHIN_S, "JPN has everything")
    assert bench.installed.stop() == 0
    before = bench.committed_end()
    bench.upgraded.start()
    eventually(lambda: bench.committed_end() > before, WITHIN_S, "the first recalls")
    bench.upgraded.kill()
    assert 0 < bench.recalled() < len(bench.names), "it was killed on the way"
    bench.starts(bench.upgraded)
    eventually(lambda: bench.partner_has("recalled"), WITHIN_S, "JPN has the last recall")
    ends = [each for each in bench.released if each["kind"] == "recalled"]
    assert Counter(each["id"] for each in ends) == dict.fromkeys(bench.names, 1)
    assert {(each["reason"], each["content"]) for each in ends} == {("policy-changed", None)}
    again = [each["indicator_id"] for each in bench.decisions if each["policy_version"] == bench.new]
    assert Counter(again) == dict.fromkeys(bench.names, 1), "each was decided again once"


def test_a_worker_with_the_old_rules_again_lets_everything_go_again(bench: Bench) -> None:
    assert bench.upgraded.stop() == 0
    bench.starts(bench.installed)
    eventually(lambda: bench.partner_has("content"), WITHIN_S, "JPN has everything again")
    assert {each["policy_version"] for each in bench.decisions} == {bench.old, bench.new}
