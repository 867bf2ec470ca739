"""What is sent for a quarantined report or observation, and why some are not. Without a broker."""

from typing import Any, cast

import msgspec
import pytest

from consumers.desk.redrive import CORRECTABLE, NotRedrivable, Redrive, redrive
from schemas.codec import SENSOR_REPORT, Codec
from schemas.observation import Observation
from schemas.quarantine import Location
from schemas.records import Quarantined, SensorReport
from schemas.vocabulary import IndicatorType, RejectReason
from streams.intake.refused_observation import observation_as_json
from tests.builders import NOW_MS, a_quarantined, a_refusal, a_report, an_observation

CODEC = Codec()
LATER_MS = NOW_MS + 5_000


def answered(entry: Quarantined, **changes: str) -> Redrive | NotRedrivable:
    return redrive(entry, CODEC, now_ms=LATER_MS, changes=changes)


def sent(entry: Quarantined, **changes: str) -> SensorReport:
    """The report that is sent for an entry."""
    answer = answered(entry, **changes)
    assert isinstance(answer, Redrive), answer
    report = CODEC.decode(SENSOR_REPORT, answer.output.value)
    assert isinstance(report, dict)
    return cast("SensorReport", report)


def refused_whole(report: SensorReport, **changes: Any) -> Quarantined:
    original = CODEC.encode(SENSOR_REPORT, report)
    entry = a_refusal(
        Location("sensor.reports.v1", 3, 41),
        RejectReason.UNKNOWN_SCHEMA,
        "",
        original,
        sensor="edge-1",
    )
    return cast("Quarantined", entry | changes)


def refused_one(observation: Observation, **changes: Any) -> Quarantined:
    """As intake refuses the second observation of a report."""
    original = observation_as_json(a_report([an_observation(), observation], sequence=7), 1)
    entry = a_refusal(
        Location("sensor.reports.v1", 3, 41, 1),
        RejectReason.INVALID_VALUE,
        "",
        original,
        content_type="json",
    )
    return cast("Quarantined", entry | changes)


def test_a_whole_report_is_sent_as_it_was_with_its_quarantine_key_as_its_identity() -> None:
    report = a_report([an_observation(), an_observation(value="b.example.com")])
    assert sent(refused_whole(report)) == report | {"redrive_of": "sensor.reports.v1-3-41--1"}


def test_a_redriven_report_goes_back_to_the_partition_where_it_stood_under_its_sensors_key() -> None:
    for entry in (refused_whole(a_report()), refused_one(an_observation())):
        answer = answered(entry)
        assert isinstance(answer, Redrive)
        assert (answer.output.topic, answer.output.partition, answer.output.key) == ("sensor.reports.v1", 3, b"edge-1")


def test_redriving_twice_sends_the_same_identity_twice() -> None:
    entry = refused_one(an_observation())
    assert sent(entry)["redrive_of"] == sent(entry)["redrive_of"] == "sensor.reports.v1-3-41-1"


def test_a_report_that_was_redriven_before_keeps_the_key_of_its_first_refusal() -> None:
    """Both entries stay in quarantine: under two keys, redriving both would count it twice."""
    again = refused_whole(a_report(redrive_of="sensor.reports.v1-0-1--1"))
    assert sent(again)["redrive_of"] == "sensor.reports.v1-0-1--1"


@pytest.mark.parametrize(
    "observation",
    [
        an_observation(),
        an_observation(description="Beacon", context=(("dest_ip", "192.0.2.7"),)),
        an_observation(kind=IndicatorType.IPV4_ADDR, value="192[.]0[.]2[.]9", labels=(), count=9, confidence=-1),
    ],
    ids=["plain", "with context", "defanged"],
)
def test_one_observation_becomes_a_report_of_its_own_with_its_own_words(observation: Observation) -> None:
    expected = a_report(
        [observation],
        sequence=7,
        produced_at_ms=LATER_MS,
        redrive_of="sensor.reports.v1-3-41-1",
    )
    found = sent(refused_one(observation))
    for absent, column in (("contexts", "context_index"), ("markings", "marking_index"), ("label_sets", "label_index")):
        if not expected[absent]:  # type: ignore[literal-required]
            expected[column] = []  # type: ignore[literal-required]
    assert found == expected


def test_a_corrected_value_is_what_is_sent() -> None:
    broken = refused_one(an_observation(kind=IndicatorType.IPV4_ADDR, value="192.0.2.999"))
    report = sent(broken, value="192.0.2.99", labels="botnet, c2", count="3", confidence="50", last_seen_ms="5")
    assert report["values"] == ["192.0.2.99"]
    assert report["label_sets"] == [["botnet", "c2"]]
    assert (report["counts"], report["confidences"], report["last_seen_ms"]) == ([3], [50], [5])
    assert report["epoch"] == a_report()["epoch"]


def test_a_type_can_be_corrected_too() -> None:
    original = msgspec.json.decode(observation_as_json(a_report(), 0)) | {"kind": "unknown-99"}
    entry = refused_one(an_observation(), original=msgspec.json.encode(original))
    answer = answered(entry)
    assert isinstance(answer, NotRedrivable)
    assert "--set kind=" in answer.why
    assert sent(entry, kind="domain-name")["kinds"] == bytes([IndicatorType.DOMAIN_NAME])


def test_a_marking_cannot_be_loosened_in_passing() -> None:
    assert not {"tlp", "marking", "releasable_to", "caveats", "pap"} & {*CORRECTABLE}
    answer = answered(refused_one(an_observation()), tlp="TLP:CLEAR")
    assert isinstance(answer, NotRedrivable)
    assert "choose one of" in answer.why


@pytest.mark.parametrize(
    ("entry", "changes", "why"),
    [
        (refused_one(an_observation(kind=IndicatorType.IPV4_ADDR, value="192.0.2.999")), {}, "--set value="),
        (refused_one(an_observation()), {"count": "many"}, "a whole number"),
        (refused_one(an_observation()), {"count": str(1 << 70)}, "too large"),
        (refused_one(an_observation()), {"sensor": "other"}, "choose one of"),
        (refused_one(an_observation(), original=b"{"), {}, "truncated"),
        (refused_one(an_observation(), original=b"[]"), {}, "Expected `object`"),
        (refused_one(an_observation(), original=b'{"more": 1}'), {}, "unknown field"),
        (refused_one(an_observation(), original=None), {}, "were not kept"),
        (refused_one(an_observation(), content_type="xml"), {}, "'xml'"),
        (refused_whole(a_report()), {"value": "x"}, "whole report"),
        (refused_whole(a_report(), original=b"\x00\x00\x00\x00\x65\x02"), {}, "still no report (truncated"),
        (refused_whole(a_report(), topic="indicator.released.JPN.v1", stage="bridge"), {}, "refused at bridge"),
        (refused_whole(a_report(), topic="indicator.observations.v1", stage="correlate"), {}, "refused at correlate"),
        (a_quarantined(stage="produce", topic="", partition=-1, place="eve.json:7"), {}, "kakehashi produce"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_redriven_is_answered_why_and_what_to_do(
    entry: Quarantined, changes: dict[str, str], why: str
) -> None:
    answer = answered(entry, **changes)
    assert isinstance(answer, NotRedrivable)
    assert answer.key == entry["key"]
    assert why in answer.why
