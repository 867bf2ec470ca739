"""Officers at the command line, two real clusters, all processes: what they decide is what the partner has.

It runs behind the tests that hold everything against the model, which knows no verdicts.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from exchange import clock
from exchange.errors import Exit
from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType
from tests.builders import HOUR_MS, a_report, an_observation
from tests.integration.nations import Nations
from tests.kakehashi.command import kakehashi
from tests.officers import ALICE, BOB, CAROL, write_key
from tests.polling import eventually
from tests.reference.reading import Reading

CODEC = Codec()
WITHIN_S = 30.0
CLASS_3 = SourceMarking("TLP:GREEN", caveats=("機密性3情報",))
GREEN = SourceMarking("TLP:GREEN")


@dataclass(frozen=True, slots=True)
class Seen:
    """One indicator of this file's own, as the topics have it."""

    value: str
    name: str
    reading: Reading
    partners: Reading

    def _of(self, reading: Reading, topic: str, schema: str) -> list[dict[str, Any]]:
        reading.look()
        found = [CODEC.decode(schema, each.value) for each in reading.records[topic] if each.key == self.name.encode()]
        return [each for each in found if not isinstance(each, Undecodable)]

    @property
    def national(self) -> list[dict[str, Any]]:
        return self._of(self.reading, topics.NATIONAL, INDICATOR)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """What JPN has accepted of it, version by version."""
        return self._of(self.partners, topics.accepted("GBR"), RELEASED_INDICATOR)

    def waits(self) -> bool:
        """Whether officers are asked about it."""
        self.reading.look()
        key = f"{self.name}/JPN".encode()
        last = [each.value for each in self.reading.records[topics.REVIEW_PENDING] if each.key == key]
        return bool(last) and last[-1] is not None


class Bench:
    """What the tests of this file share."""

    def __init__(self, nations: Nations, folder: Path, home: Reading, partners: Reading) -> None:
        self.nations, self._folder, self._home, self._partners = nations, folder, home, partners
        self._reports = 0

    def indicator(self, word: str) -> Seen:
        """A hash that only this word gives."""
        value = sha256(word.encode()).hexdigest()
        return Seen(value, indicator_id(indicator_key(IndicatorType.FILE_SHA256, value)), self._home, self._partners)

    def report(self, seen: Seen, marking: SourceMarking, sensor: str) -> None:
        """One sensor of GBR reports it."""
        now_ms = clock.now_ms()
        observed = an_observation(
            kind=IndicatorType.FILE_SHA256,
            value=seen.value,
            marking=marking,
            first_seen_ms=now_ms - HOUR_MS,
            last_seen_ms=now_ms,
        )
        report = a_report([observed], sensor=sensor, epoch=now_ms - HOUR_MS, sequence=self._reports)
        self._reports += 1
        self.nations.send("GBR", [report])
        self.nations.flush()

    def officer(self, person: str, *words: str) -> tuple[int, str]:
        """What ``kakehashi`` stated to an officer, and how it ended."""
        key = write_key(person, self._folder)
        return self._kakehashi(*words, "--key", str(key), "--reason", "for a test")

    def explain(self, seen: Seen) -> str:
        """What ``kakehashi explain`` states of it, on one line."""
        code, shown = self._kakehashi("explain", seen.value)
        assert code == Exit.OK, shown
        return " ".join(shown.split())

    def audit(self, *words: str) -> tuple[int, str]:
        """What ``kakehashi audit`` stated, and how it ended."""
        return self._kakehashi("audit", *words)

    def key(self, person: str) -> str:
        """The file with someone's key."""
        return str(write_key(person, self._folder))

    def _kakehashi(self, *words: str) -> tuple[int, str]:
        given = {name: value for name, value in self.nations.environ.items() if name.startswith("KAKEHASHI_")}
        done = kakehashi(*words, "--nation", "GBR", within=self._folder, **given)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def bench(nations: Nations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    home = Reading(nations.clusters["GBR"], [topics.NATIONAL, topics.REVIEW_PENDING], nations.shards)
    partners = Reading(nations.clusters["JPN"], [topics.accepted("GBR")], nations.shards)
    with home, partners:
        yield Bench(nations, tmp_path_factory.mktemp("officers"), home, partners)


def soon(condition: Callable[[], bool], what: str) -> None:
    eventually(condition, WITHIN_S, what)


def test_two_people_approve_and_the_partner_has_it_until_one_refuses(bench: Bench) -> None:
    seen = bench.indicator("approved")
    bench.report(seen, CLASS_3, "verdict-edge")
    soon(seen.waits, "it waits for officers")
    assert bench.officer(ALICE, "review", "approve", seen.value)[0] == Exit.OK
    code, shown = bench.officer(ALICE, "review", "approve", seen.value)
    assert (code, "another person is needed" in shown) == (Exit.REFUSED, True), shown
    assert seen.accepted == []
    code, shown = bench.officer(BOB, "review", "approve", seen.value)
    assert (code, "released to JPN" in shown) == (Exit.OK, True), shown
    soon(lambda: [each["kind"] for each in seen.accepted] == ["content"], "JPN has what was approved")
    assert not seen.waits()
    code, shown = bench.officer(CAROL, "review", "approve", seen.value)
    assert (code, "approved by alice, bob" in shown) == (Exit.REFUSED, True), shown
    assert bench.officer(CAROL, "review", "refuse", seen.value)[0] == Exit.OK
    soon(lambda: seen.accepted[-1]["kind"] == "recalled", "what is refused after all is recalled")


def test_a_recall_overtakes_the_release_that_waits_for_the_bridge(bench: Bench) -> None:
    """The bridge is away: what it finds on its return is content and its recall, and only the recall is left."""
    seen = bench.indicator("recalled before it was carried")
    bridge = bench.nations.roles["bridge-GBR-1"]
    bridge.kill()
    bench.report(seen, GREEN, "veto-edge")
    soon(lambda: bool(seen.national), "GBR has it")
    assert bench.officer(ALICE, "recall", seen.value)[0] == Exit.OK
    bench.nations.start([bridge.name])
    soon(lambda: bool(seen.accepted) and seen.accepted[-1]["kind"] == "recalled", "JPN has the recall")
    recall = seen.accepted[-1]
    assert (recall["content"], recall["reason"]) == (None, "recalled-by-hand")
    assert all(each["version"] <= recall["recalled_through"] for each in seen.accepted[:-1])
    bench.report(seen, GREEN, "another-edge")
    soon(lambda: seen.national[-1]["source_count"] == 2, "GBR has heard of it again")
    assert seen.accepted[-1] == recall


def test_what_officers_state_while_the_worker_is_away_and_stated_before_is_obeyed_when_it_returns(bench: Bench) -> None:
    recalled, held = bench.indicator("recalled before it was read"), bench.indicator("half approved")
    bench.report(held, CLASS_3, "verdict-edge")
    soon(held.waits, "it waits for officers")
    assert bench.officer(ALICE, "review", "approve", held.value)[0] == Exit.OK
    worker = bench.nations.roles["streams-GBR-1"]
    worker.kill()
    bench.report(recalled, GREEN, "veto-edge")
    code, shown = bench.officer(BOB, "recall", recalled.name, "--wait", "0")
    assert (code, "no worker of GBR has decided it" in shown) == (Exit.UNAVAILABLE, True), shown
    bench.nations.start([worker.name])
    assert bench.officer(BOB, "review", "approve", held.value)[0] == Exit.OK
    soon(lambda: [each["kind"] for each in held.accepted] == ["content"], "two people have approved it")
    soon(lambda: bool(recalled.national), "GBR has what was recalled")
    assert recalled.accepted == []


def test_a_revocation_unblocks_it_in_both_nations_and_two_people_take_it_back(bench: Bench) -> None:
    seen = bench.indicator("false")
    bench.report(seen, GREEN, "veto-edge")
    soon(lambda: bool(seen.accepted), "JPN has it")
    assert bench.officer(ALICE, "revoke", seen.value)[0] == Exit.OK
    soon(lambda: seen.accepted[-1]["kind"] == "revoked", "JPN has the revocation")
    assert seen.national[-1]["kind"] == "revoked"
    shown = bench.explain(seen)
    assert "alice revoked it by hand" in shown
    veto = shown.partition("The veto ")[2].partition(" ")[0]
    code, shown = bench.officer(ALICE, "lift", seen.value)
    assert (code, "kakehashi explain" in shown) == (Exit.USAGE, True), shown
    code, shown = bench.officer(ALICE, "lift", seen.value, "--veto", veto)
    assert (code, "the veto still applies" in shown) == (Exit.OK, True), shown
    assert seen.national[-1]["kind"] == "revoked"
    code, shown = bench.officer(BOB, "lift", seen.value, "--veto", veto, "--json")
    assert (code, "the veto has ended: lifted by alice, bob" in json.loads(shown)["result"]) == (Exit.OK, True), shown
    soon(lambda: seen.accepted[-1]["kind"] == "content", "the rules decide again")
    assert seen.national[-1]["kind"] == "content"


def test_a_recall_of_what_was_never_released_sets_a_veto_and_reports_no_more(bench: Bench) -> None:
    seen = bench.indicator("never reported")
    code, shown = bench.officer(ALICE, "recall", "--json", seen.value)
    assert code == Exit.OK, shown
    line = json.loads(shown)
    assert (line["indicator_id"], line["kind"], line["obeyed"], line["reason"]) == (seen.name, "recall", True, "")
    assert "it was never released" in line["result"]
    assert "the veto was set, but no one has reported it: check the spelling" in line["result"]


def test_a_key_that_is_not_on_the_roster_is_answered_before_anything_is_sent(bench: Bench) -> None:
    code, shown = bench.officer("mallory", "recall", "198.51.100.7")
    assert (code, "is not on" in shown) == (Exit.REFUSED, True), shown


def test_the_audit_of_all_this_is_whole_is_anchored_and_is_truncated_only_behind_an_anchor(bench: Bench) -> None:
    seen = bench.indicator("audited")
    bench.report(seen, GREEN, "veto-edge")
    soon(lambda: bool(seen.accepted), "JPN has it")
    code, shown = bench.audit("truncate", "--days", "1")
    assert (code, "before a signed anchor" in shown) == (Exit.OK, True), shown
    code, shown = bench.audit("anchor", "--key", bench.key(ALICE))
    assert (code, "chains anchored by alice" in shown) == (Exit.OK, True), shown
    code, shown = bench.audit("verify")
    assert (code, "anchored up to" in shown, "BROKEN" in shown) == (Exit.OK, True, False), shown
    code, shown = bench.audit("show", "--hours", "1", "--outcome", "release")
    assert (code, seen.name in shown) == (Exit.OK, True), shown
    code, shown = bench.audit("anchor", "--key", bench.key("mallory"))
    assert (code, "is not on GBR's roster in the role audit" in shown) == (Exit.REFUSED, True), shown
