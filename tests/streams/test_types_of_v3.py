"""Types that an earlier version does not have: it reads on, nothing of them is lost, and they go after its upgrade."""

from typing import Any, Final

import pytest

from consumers.bridge.guard import Passed, check
from consumers.bridge.guard_content import Refused
from consumers.bridge.known_good import KnownGood
from consumers.desk.redrive import Redrive, redrive
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import QUARANTINED, RELEASED_INDICATOR, RELEASED_INDICATOR_V3, SENSOR_REPORT, Codec, form
from schemas.identity import key_of_id, shard_of_key
from schemas.links import POLICY_FOLDER, all_agreed
from schemas.records import ReleasedIndicator
from schemas.vocabulary import TYPES_OF_V3, IndicatorType, Outcome, RejectReason
from streams.intake.step import Intake
from streams.receive.inbound import Accepted, RefusedRecord, Verdict, admit
from streams.rules.policy_set import compiled, read_texts
from tests.builders import NOW_MS, a_content, a_released, a_report, an_observation
from tests.builders.before_v3 import OLD_CODEC, old_link, with_old_types
from tests.officers import ROSTER
from tests.streams.officers_bench import DOMAIN, OfficersBench
from tests.streams.workbench import Workbench

CODEC: Final = Codec()
SHARDS: Final = 4
VALUES: Final = {
    IndicatorType.X509_SHA1: "3b" * 20,
    IndicatorType.X509_SHA256: "3b" * 32,
    IndicatorType.USER_AGENT: "made-up/1.0 (x)",
    IndicatorType.MUTEX: "Global\\made-up",
    IndicatorType.REGISTRY_KEY: "HKEY_LOCAL_MACHINE\\software\\made-up",
    IndicatorType.IMPHASH: "3b" * 16,
}
each_type = pytest.mark.parametrize("kind", sorted(TYPES_OF_V3), ids=lambda kind: kind.label)
TEXTS: Final = read_texts("GBR", POLICY_FOLDER)
LINK, SCHEMA = "links/GBR/JPN.toml", "joint/v1/schema.cedarschema"
BEFORE: Final = compiled({**TEXTS, LINK: TEXTS[LINK].replace('"released_indicator.v3", ', "")}, "GBR")
AFTER: Final = compiled(TEXTS, "GBR")


def released(kind: IndicatorType, **changes: Any) -> ReleasedIndicator:
    content = a_content(type=kind.label, value=VALUES[kind], registered_domain="", tearline="", **changes)
    return a_released(content=content)


def place_of(record: ReleasedIndicator) -> int:
    return shard_of_key(key_of_id(record["id"]), SHARDS)


def arrives(record: ReleasedIndicator, codec: Codec, agreed: Any) -> Verdict:
    value = CODEC.encode(RELEASED_INDICATOR, record)
    return admit(
        value,
        record["id"].encode(),
        codec,
        agreed=agreed,
        now_ms=NOW_MS,
        partition=place_of(record),
        shards=SHARDS,
        floor=None,
        recalled_through=0,
    )


def leaves(record: ReleasedIndicator, agreed: Any) -> object:
    value = CODEC.encode(RELEASED_INDICATOR, record)
    key, partition = record["id"].encode(), place_of(record)
    assert not KnownGood(CODEC, agreed, SHARDS).passes(value, key, partition, NOW_MS)
    return check(value, key, CODEC, agreed=agreed, now_ms=NOW_MS, partition=partition, shards=SHARDS)


@each_type
def test_it_leaves_and_arrives_in_the_third_version_and_in_no_other(kind: IndicatorType) -> None:
    for tearline in ("", "for release"):
        record = released(kind)
        assert record["content"] is not None
        record["content"]["tearline"] = tearline
        assert CODEC.schema_of(CODEC.encode(RELEASED_INDICATOR, record)) == RELEASED_INDICATOR_V3
        assert isinstance(leaves(record, all_agreed("GBR", "JPN")), Passed)
        assert arrives(record, CODEC, all_agreed("JPN", "GBR")) == Accepted(record, 0, recalls=False)


@each_type
def test_the_guard_lets_it_go_to_nobody_who_has_not_agreed_on_it_and_keeps_it_at_home(kind: IndicatorType) -> None:
    refused = leaves(released(kind), old_link("GBR", "JPN"))
    assert isinstance(refused, Refused)
    assert refused.reason is RejectReason.UNKNOWN_SCHEMA
    assert isinstance(leaves(released(kind), all_agreed("GBR", "JPN")), Passed)


@each_type
def test_what_its_rules_would_release_waits_for_the_partners_upgrade_is_counted_and_goes_after_it(
    kind: IndicatorType,
) -> None:
    bench = OfficersBench()
    bench.restarts_under(BEFORE)
    bench.observes(kind=kind, values=(VALUES[kind],))
    bench.observes(values=(DOMAIN,))
    assert [each["content"]["type"] for each in bench.released] == ["domain-name"], "the neighbour goes"
    waiting, _ = bench.decisions
    assert (waiting["outcome"], waiting["rules"]) == (Outcome.WITHHOLD, ["type-not-agreed"])
    bench.restarts_under(AFTER)
    while bench.turns().more:
        pass
    content = bench.released[-1]["content"]
    assert (content["type"], content["value"]) == (kind.label, VALUES[kind])


def test_a_set_of_rules_that_was_signed_before_stays_in_force_after_an_upgrade() -> None:
    before, _, later = TEXTS[SCHEMA].partition('"file-name",')
    old = compiled({**TEXTS, SCHEMA: f'{before}"file-name"\n{later.partition("imphash")[2][1:]}'}, "GBR")
    bench = OfficersBench()
    bench.restarts_under(old)
    bench.observes(kind=IndicatorType.MUTEX, values=("one",))
    bench.observes(values=(DOMAIN,))
    assert [each["content"]["type"] for each in bench.released] == ["domain-name"]
    assert bench.decisions[0]["rules"] == ["type-not-agreed"]


@each_type
def test_a_partner_on_the_old_version_refuses_it_with_a_receipt_and_reads_on(
    kind: IndicatorType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only if we send it against the agreement: then its receipt and the next reconciliation name it."""
    with_old_types(monkeypatch)
    refused = arrives(released(kind), OLD_CODEC, old_link("JPN", "GBR"))
    assert isinstance(refused, RefusedRecord)
    assert refused.refused.reason is RejectReason.UNKNOWN_SCHEMA
    recall = a_released(id=released(kind)["id"], kind="recalled")
    assert isinstance(arrives(recall, OLD_CODEC, old_link("JPN", "GBR")), Accepted), "and a recall is obeyed"
    assert isinstance(arrives(a_released(), OLD_CODEC, old_link("JPN", "GBR")), Accepted)


def test_a_later_type_within_an_earlier_version_is_refused_by_either_side() -> None:
    """As no writer of ours writes it: it would be read by one version and refused by the other."""
    record = released(IndicatorType.MUTEX)
    written = form(RELEASED_INDICATOR, "id")
    value = written.write(written.cut(record), CODEC.head_of(RELEASED_INDICATOR), record["id"])
    assert isinstance(CODEC.decode(RELEASED_INDICATOR, value), dict)
    common: dict[str, Any] = {"now_ms": NOW_MS, "partition": place_of(record), "shards": SHARDS}
    out = check(value, record["id"].encode(), CODEC, agreed=all_agreed("GBR", "JPN"), **common)
    assert isinstance(out, Refused)
    into = admit(
        value, record["id"].encode(), CODEC, agreed=all_agreed("JPN", "GBR"), floor=None, recalled_through=0, **common
    )
    assert isinstance(into, RefusedRecord)
    assert into.refused.reason is RejectReason.MALFORMED_CONTENT


@each_type
def test_a_worker_on_the_old_version_keeps_the_observation_for_after_its_upgrade(
    kind: IndicatorType, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = a_report([an_observation(), an_observation(kind=kind, value=VALUES[kind])])
    with monkeypatch.context() as old:
        with_old_types(old)
        effects = an_intake().turn(NOW_MS, a_reported(report))
    kept = [each for each in effects.outputs if each.topic == topics.QUARANTINE]
    assert len(kept) == 1
    assert len(effects.outputs) == 2, "the other observation goes on"
    entry: Any = CODEC.decode(QUARANTINED, kept[0].value)
    assert entry["reason"] == "unknown-type"
    sent = redrive(entry, CODEC, now_ms=NOW_MS, changes={})
    assert isinstance(sent, Redrive)
    again: Any = CODEC.decode(SENSOR_REPORT, sent.output.value)
    assert (again["values"], again["kinds"]) == ([VALUES[kind]], bytes([kind]))


def test_a_worker_on_the_old_version_loses_no_row_of_an_earlier_type_to_a_block_of_later_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = OfficersBench()
    report = a_report([an_observation(value=DOMAIN), an_observation(kind=IndicatorType.MUTEX, value="made-up")])
    effects = an_intake().turn(NOW_MS, a_reported(report))
    written = [each for each in effects.outputs if each.topic == topics.OBSERVATIONS]
    assert len(written) == 2
    with_old_types(monkeypatch)
    for block in written:
        bench.correlate.turn(NOW_MS, Record(block.topic, 0, 0, block.key, block.value, NOW_MS))
    assert [each["content"]["type"] for each in bench.released] == ["domain-name"]


def an_intake() -> Workbench:
    return Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: ROSTER))


def a_reported(report: Any) -> Record:
    return Record(topics.SENSOR_REPORTS, 0, 0, b"edge-1", CODEC.encode(SENSOR_REPORT, report), NOW_MS)
