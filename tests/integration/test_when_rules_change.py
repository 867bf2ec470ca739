"""A signed policy comes into force at its time while a backlog drains, under two workers that learn of it at different
moments, on real Kafka; and a border closes. It runs behind the tests that hold everything against the model.
"""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from consumers.desk.policy import save, write
from exchange import clock
from exchange.errors import Exit
from exchange.kafka.clients import idempotent_producer
from exchange.kafka.produce import produce
from schemas import topics
from schemas.codec import DECISION, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.links import POLICY_FOLDER
from schemas.records import PolicyRecord
from schemas.vocabulary import IndicatorType
from streams.rules.policy_set import load
from tests.builders import HOUR_MS, a_decision
from tests.integration.nations import Nations
from tests.integration.rules_bench import DOUBTFUL, LEAD_S, VALUES, Bench
from tests.officers import ALICE, BOB
from tests.policy_records import an_activation, signed
from tests.polling import eventually
from tests.reference.reading import Reading

CODEC: Final = Codec()
WITHIN_S: Final = 60.0
REPORTS: Final = 60


@pytest.fixture(scope="module")
def bench(nations: Nations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("rules")
    for role in nations.all_roles:
        if role.name.startswith("streams-GBR"):
            role.stop()
    nations.settings["KAKEHASHI_POLICY_LEAD_S"] = str(LEAD_S)
    with Reading(nations.clusters["GBR"], [topics.AUDIT, topics.released("JPN")], nations.shards) as home:
        yield Bench(nations, folder, home)


def test_every_decision_is_by_the_rules_of_its_shard_s_time_though_a_backlog_drains_and_one_worker_learns_late(
    bench: Bench,
) -> None:
    draft = bench.drafted()
    new = load("GBR", draft).version
    bench.publish("sign", str(draft), name="set.json")
    bench.report(REPORTS, "backlog")
    bench.nations.start([worker.name for worker in bench.workers])
    eventually(lambda: len(bench.released) > 100, WITHIN_S, "the backlog has begun to drain")
    bench.workers[1].pause()
    at_ms = bench.activate(new, "on.json")
    bench.workers[1].wake()
    bench.report(REPORTS, "meanwhile")
    until_s = max(0.0, at_ms / 1000 - time.time())  # as far ahead as publishing took on this machine
    eventually(lambda: clock.now_ms() > at_ms, until_s + WITHIN_S, "its time has come")
    bench.report(3, "afterwards")
    eventually(
        lambda: len({each["indicator_id"] for each in bench.decisions}) == (2 * REPORTS + 3) * VALUES,
        WITHIN_S,
        "everything was decided",
    )
    versions = {(each["at_ms"] >= at_ms, each["policy_version"]) for each in bench.decisions}
    assert versions == {(False, bench.old), (True, new)}
    assert {each["shard"] for each in bench.decisions if each["policy_version"] == new} == {0, 1}


def test_what_the_old_rules_released_is_recalled_under_the_new_ones_though_nothing_comes(bench: Bench) -> None:
    eventually(lambda: {each["kind"] for each in bench.released.values()} == {"recalled"}, WITHIN_S, "all is recalled")
    assert {each["reason"] for each in bench.released.values()} == {"policy-changed"}


def test_what_only_a_sensor_that_the_set_in_force_rates_low_reports_waits_for_another(bench: Bench) -> None:
    value = sha256(b"reported by a doubtful sensor").hexdigest()
    name = indicator_id(indicator_key(IndicatorType.FILE_SHA256, value))
    bench.observe(DOUBTFUL, value)
    eventually(lambda: bench.outcomes_of(name) == [("hold", ["quality-low-source"])], WITHIN_S, "it is held")
    shown = bench.done("explain", value)
    version = load("GBR", bench.folder / "draft").version[:12]
    assert f"1 assertion is of a source rated low by policy {version}" in shown, shown
    bench.observe("another", value)
    eventually(lambda: bench.outcomes_of(name)[-1][0] == "release", WITHIN_S, "another sensor confirms it")


def test_the_status_states_what_is_in_force_and_a_late_activation_is_answered(bench: Bench) -> None:
    shown = bench.done("policy", "status")
    [current] = [line for line in map(json.loads, shown.splitlines()) if line["state"] == "in force"]
    assert current["by"] == ["alice", "bob"]
    draft = str(bench.folder / "late.json")
    late, at = (datetime.fromtimestamp(time.time() + after_s, UTC).isoformat() for after_s in (0, 3600))
    words = ["policy", "activate", bench.old[:12], "--key", bench.key(ALICE), "--reason", "late"]
    code, shown = bench.kakehashi(*words, "--out", draft, "--at", late)
    assert (code, "is in the past" in shown, Path(draft).exists()) == (Exit.REFUSED, True, False), shown
    words += ["--at", at]
    code, shown = bench.kakehashi(*words, "--out", draft)
    assert (code, "WIDER: newly released" in shown, Path(draft).exists()) == (Exit.REFUSED, True, False), shown
    bench.done(*words, "--out", draft, "--accept-wider")
    code, shown = bench.kakehashi("policy", "sign", draft, "--key", bench.key(ALICE))
    assert (code, "another person is needed" in shown) == (Exit.REFUSED, True), shown
    code, shown = bench.kakehashi("policy", "publish", draft)
    assert (code, "needs 2 distinct people" in shown) == (Exit.REFUSED, True), shown
    code, shown = bench.kakehashi("policy", "sign", draft, "--key", bench.key(BOB))
    assert (code, "WIDER: newly released" in shown) == (Exit.REFUSED, True), shown
    bench.done("policy", "sign", draft, "--key", bench.key(BOB), "--accept-wider")


def test_an_activation_is_held_against_the_rules_of_its_time(bench: Bench) -> None:
    draft, stricter = bench.folder / "later.json", load("GBR", bench.folder / "draft").version
    now_ms = clock.now_ms()

    def activated(version: str, in_hours: int) -> PolicyRecord:
        return signed(an_activation(version, now_ms + in_hours * HOUR_MS, in_hours))

    for hours in (2, 4):
        write(bench.nations.clusters["GBR"], activated(bench.old, hours))
    save(activated(stricter, 3), draft)
    shown = bench.done("policy", "publish", str(draft))
    assert f"it follows {bench.old[:12]}, from" in shown
    before, _, afterwards = shown.partition(f"it is followed by {bench.old[:12]}, from")
    assert ("no longer released" in before, "WIDER" in before, "WIDER: newly released" in afterwards) == (
        True,
        False,
        True,
    )
    assert bench.done("policy", "status").count('"state":"to come"') == 3

    save(activated(bench.old, 1), draft)
    code, shown = bench.kakehashi("policy", "publish", str(draft))
    assert (code, f"it follows {stricter[:12]}, from" in shown) == (Exit.REFUSED, True), shown
    assert "WIDER: newly released" in shown


def test_recorded_traffic_is_decided_again_under_a_draft(bench: Bench) -> None:
    shown = bench.done("policy", "simulate", str(POLICY_FOLDER), "--window", "1h")
    assert "newly released" in shown
    assert "withhold → release: " in shown
    assert re.search(r"^  \S+  indicator--\S+ to JPN", shown, re.M), "an example has its value"
    assert re.search(r"by gbr-no-ja3[^;]*; now by tlp-", shown), shown
    code, shown = bench.kakehashi("policy", "diff", str(bench.folder / "draft"), str(POLICY_FOLDER), "--window", "1h")
    assert (code, "GBR: WIDER: newly released" in shown) == (Exit.REFUSED, True), shown
    assert re.search(r"[1-9]\d* newly released, 0 no longer released", shown), shown


def test_a_border_is_closed_and_shown_as_closed_and_opened_again(bench: Bench) -> None:
    def border(state: str) -> str:
        return bench.done("border", state, "JPN", "--key", bench.key(ALICE), "--reason", "for a test")

    def status() -> tuple[str, list[str]]:
        [line] = map(json.loads, bench.done("border", "status").splitlines())
        return line["state"], line["by"]

    assert "the border to JPN is closed" in border("close")
    assert status() == ("closed", ["alice"])
    before = len(bench.released)
    bench.done("policy", "status")
    border("open")
    assert status() == ("open", ["alice"])
    assert len(bench.released) == before
    code, shown = bench.kakehashi("border", "close", "JPN", "--key", bench.key("mallory"), "--reason", "no")
    assert (code, "nothing was changed" in shown) == (Exit.REFUSED, True), shown


def test_the_audit_is_whole_and_is_decided_again_under_both_versions(bench: Bench) -> None:
    shown = bench.done("audit", "verify")
    assert "BROKEN" not in shown
    assert "not decided again" not in shown


def test_one_decision_is_made_again_from_its_record_under_the_version_that_made_it(bench: Bench) -> None:
    by_version = {each["policy_version"]: each for each in bench.decisions}
    assert len(by_version) == 2
    for each in by_version.values():
        shown = bench.done("audit", "rerun", each["decision_id"])
        assert shown.startswith(f"{each['decision_id']}: {each['outcome']} again, by {', '.join(each['rules'])}"), shown
    code, shown = bench.kakehashi("audit", "rerun", "GBR-0-999999999")
    assert (code, "is not in GBR's audit" in shown) == (Exit.REFUSED, True), shown


def test_a_decision_whose_rules_are_not_at_hand_is_not_made_again_and_states_where_it_can_be(bench: Bench) -> None:
    name = "GBR-1-1125899906842624"
    producer = idempotent_producer(bench.nations.clusters["GBR"])
    foreign = a_decision(shard=1, sequence=1 << 50, decision_id=name, policy_version="ef" * 32)
    produce(producer, topics.AUDIT, 1, b"foreign", CODEC.encode(DECISION, foreign))
    producer.flush(10)
    code, shown = bench.kakehashi("audit", "rerun", name)
    assert (code, "policy efefefefefef is not known here" in " ".join(shown.split())) == (Exit.CONFIGURATION, True), (
        shown
    )


def test_an_entry_that_somebody_else_has_written_is_found(bench: Bench) -> None:
    """Whoever may write to the audit's topic can add to it, but not unnoticed."""
    producer = idempotent_producer(bench.nations.clusters["GBR"])
    produce(producer, topics.AUDIT, 0, b"forged", CODEC.encode(DECISION, a_decision(shard=0, sequence=1 << 40)))
    producer.flush(10)
    code, shown = bench.kakehashi("audit", "verify")
    assert (code, "was expected here: one is missing" in shown) == (Exit.REFUSED, True), shown
