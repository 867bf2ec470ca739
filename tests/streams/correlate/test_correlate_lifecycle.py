"""Expiry, revival, recall: what time and a source's later word do to what was reported."""

from typing import Any

from exchange.authority.roster import Roster
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR, SENSOR_REPORT, Codec
from schemas.records import SensorReport
from streams.correlate.lifecycle import DAY_MS, Lifetimes
from streams.correlate.step import Correlate, CorrelateSettings
from streams.intake.step import Intake
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load
from tests.streams.enrichment_builders import an_enricher
from tests.streams.workbench import Workbench

NOW_MS = 1_795_000_000_000
ROLL_UP_MS = 60_000
VALUE = "c2.example-of-an-attacker.jp"
CODEC = Codec()
LIFETIMES = Lifetimes.load()
LIFETIME_MS = 90 * DAY_MS  # of a domain name
HOUR_MS = 60 * 60 * 1000
END_MS = -(-(NOW_MS + LIFETIME_MS) // HOUR_MS) * HOUR_MS  # for the partner: the minute would tell when it was reported


def a_report(sequence: int, *, sensor: str = "edge", tlp: str = "TLP:GREEN", valid_until_ms: int = 0) -> SensorReport:
    return {
        "format_version": 1,
        "nation": "GBR",
        "sensor": sensor,
        "epoch": 1,
        "sequence": sequence,
        "produced_at_ms": NOW_MS,
        "tool": "test",
        "redrive_of": "",
        "values": [VALUE],
        "kinds": bytes([5]),
        "first_seen_ms": [],
        "last_seen_ms": [],
        "counts": [],
        "confidences": [90],
        "valid_until_ms": [valid_until_ms] if valid_until_ms else [],
        "markings": [{"tlp": tlp, "pap": "", "releasable_to": None, "caveats": []}],
        "marking_index": [0],
        "label_sets": [],
        "label_index": [],
        "contexts": [],
        "context_index": [],
    }


class Exchange:
    """Intake and correlate of one nation with one shard, on benches; the broker's clock is the test's."""

    def __init__(self) -> None:
        settings = CorrelateSettings("GBR", ("JPN",), ROLL_UP_MS, LIFETIMES, lambda: Roster("GBR"), 1)
        self._intake = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: Roster("GBR")))
        self._correlate = Workbench(Correlate(settings, 0, CODEC, an_enricher(), Classifier(Engine(load("GBR")))))

    def observes(self, report: SensorReport, at_ms: int) -> None:
        value = CODEC.encode(SENSOR_REPORT, report)
        effects = self._intake.turn(at_ms, Record(topics.SENSOR_REPORTS, 0, 0, b"", value, at_ms))
        blocks = [
            Record(output.topic, 0, 0, output.key, output.value, at_ms)
            for output in effects.outputs
            if output.topic == topics.OBSERVATIONS
        ]
        self._correlate.turn(at_ms, *blocks)

    def waits_until(self, at_ms: int) -> None:
        while 0 < (due := self._correlate.next_due()) <= at_ms:
            self._correlate.turn(due)
        self._correlate.turn(at_ms)

    @property
    def national(self) -> list[dict[str, Any]]:
        return self._correlate.written(topics.NATIONAL, INDICATOR)

    @property
    def released(self) -> list[dict[str, Any]]:
        return self._correlate.written(topics.released("JPN"), RELEASED_INDICATOR)


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [record["kind"] for record in records]


def test_what_no_one_repeats_expires_everywhere_at_the_end_of_its_life() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.waits_until(NOW_MS + LIFETIME_MS - 1)
    assert kinds(exchange.national)[-1] == "content"
    exchange.waits_until(NOW_MS + LIFETIME_MS)
    assert kinds(exchange.national)[-1] == "expired"
    exchange.waits_until(END_MS - 1)
    assert kinds(exchange.released) == ["content"]
    exchange.waits_until(END_MS)
    assert kinds(exchange.released) == ["content", "expired"]
    assert exchange.released[-1]["reason"] == "validity-ended"
    assert exchange.released[-1]["content"] is None
    assert kinds(exchange.national)[-1] == "expired"


def test_confidence_decays_in_the_nation_s_picture_by_bands() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.waits_until(NOW_MS + LIFETIME_MS - 1)
    assert [record["confidence"] for record in exchange.national] == [90, 69, 29]


def test_a_new_word_keeps_it_alive() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.observes(a_report(1), NOW_MS + LIFETIME_MS - 1)
    exchange.waits_until(NOW_MS + LIFETIME_MS + DAY_MS)
    assert "expired" not in kinds(exchange.released)
    assert exchange.national[-1]["sightings"] == 2


def test_what_has_expired_lives_again_at_once_with_a_new_word() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.waits_until(END_MS)
    exchange.observes(a_report(1), END_MS + 5)
    assert kinds(exchange.released) == ["content", "expired", "content"]
    assert exchange.national[-1]["kind"] == "content"
    versions = [record["version"] for record in exchange.released]
    assert versions == sorted(set(versions))


def test_a_source_that_ends_its_word_delists_it() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.observes(a_report(1, valid_until_ms=NOW_MS + 1), NOW_MS + DAY_MS)
    assert kinds(exchange.released) == ["content", "expired"]
    assert exchange.national[-1]["kind"] == "expired"


def test_one_source_s_broken_clock_ends_nothing_that_another_still_states() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.observes(a_report(0, sensor="broken", valid_until_ms=1), NOW_MS + 10)
    exchange.waits_until(NOW_MS + LIFETIME_MS - 1)
    assert "expired" not in kinds(exchange.released)


def test_no_clock_immortalises_anything() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0, valid_until_ms=4_102_444_800_000), NOW_MS)
    exchange.waits_until(NOW_MS + 731 * DAY_MS)
    assert exchange.national[-1]["kind"] == "expired"
    assert exchange.released[-1]["kind"] == "expired"


def test_a_tightened_marking_recalls_and_does_not_merely_expire() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.observes(a_report(1, tlp="TLP:RED"), NOW_MS + 10)
    recall = exchange.released[-1]
    assert kinds(exchange.released) == ["content", "recalled"]
    assert recall["recalled_through"] == exchange.released[0]["version"]
    assert recall["reason"] == "marking-tightened"


def test_a_marking_that_is_tightened_after_the_end_still_recalls() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.waits_until(END_MS)
    exchange.observes(a_report(1, tlp="TLP:RED"), END_MS + 5)
    assert kinds(exchange.released) == ["content", "expired", "recalled"]
    assert exchange.released[-1]["recalled_through"] == exchange.released[1]["version"]


def test_time_passing_over_a_recalled_indicator_states_nothing_more() -> None:
    exchange = Exchange()
    exchange.observes(a_report(0), NOW_MS)
    exchange.observes(a_report(1, tlp="TLP:RED"), NOW_MS + 10)
    exchange.waits_until(NOW_MS + 2 * LIFETIME_MS)
    assert kinds(exchange.released) == ["content", "recalled"]


def test_mere_repetition_is_reported_once_a_roll_up_interval() -> None:
    exchange = Exchange()
    for sequence in range(10):
        exchange.observes(a_report(sequence), NOW_MS + sequence)
    assert [record["sightings"] for record in exchange.national] == [1]
    exchange.waits_until(NOW_MS + ROLL_UP_MS)
    assert [record["sightings"] for record in exchange.national] == [1, 10]
