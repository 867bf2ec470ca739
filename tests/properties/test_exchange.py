"""Promises that hold for whatever sensors say, in any order and in any batches: the real steps, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.codec import DECISION, INDICATOR, RELEASED_INDICATOR, Codec
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from streams.enrichment.installed import installed_enricher
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from tests.builders import HOUR_MS, NOW_MS, a_report
from tests.reference.traffic import LABELS, MARKINGS, Traffic
from tests.rules.rated import rated
from tests.streams.enrichment_builders import an_enricher
from tests.streams.memory_exchange import CLASSIFIER, PARTNER, ROLL_UP_MS, MemoryExchange

CODEC: Final = Codec()
ENRICHER: Final = an_enricher()
HASHES: Final = [sha256(bytes([number])).hexdigest() for number in range(3)]
NEVER_RELEASED: Final = (
    SourceMarking("TLP:RED"),
    SourceMarking("TLP:GREEN", caveats=("UK EYES ONLY",)),
    SourceMarking("TLP:GREEN", releasable_to=("FRA",)),
    SourceMarking(),
    SourceMarking("TLP:CLEAR", caveats=("nobody knows this",)),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One report, and how long nothing comes after it (milliseconds)."""

    report: SensorReport
    pause_ms: int


def _observations(markings: Sequence[SourceMarking]) -> st.SearchStrategy[Observation]:
    ago = st.sampled_from([0, NOW_MS - HOUR_MS, NOW_MS - 5 * HOUR_MS])
    return st.builds(
        Observation,
        kind=st.just(IndicatorType.FILE_SHA256),
        value=st.sampled_from(HASHES),
        first_seen_ms=st.just(0),
        last_seen_ms=ago,
        count=st.integers(1, 3),
        confidence=st.sampled_from([-1, 10, 50, 80]),
        valid_until_ms=st.sampled_from([0, 0, NOW_MS + 100 * HOUR_MS]),
        marking=st.sampled_from(list(markings)),
        labels=st.lists(st.sampled_from(LABELS), max_size=2).map(tuple),
        description=st.sampled_from(["", "seen here"]),
        context=st.sampled_from([(), (("dest_ip", "192.0.2.7"),), _written("for release"), _written("also")]),
    )


def _written(text: str) -> tuple[tuple[str, str], ...]:
    return (("dest_ip", "192.0.2.7"), ("tearline", text))


def _reports(
    sensors: Sequence[str] = ("edge-1", "edge-2", "edge-3"), markings: Sequence[SourceMarking] = MARKINGS, most: int = 8
) -> st.SearchStrategy[list[SensorReport]]:
    """Reports with an identity of their own each, in the order of their numbers."""
    bodies = st.tuples(st.sampled_from(list(sensors)), st.lists(_observations(markings), min_size=1, max_size=3))
    return st.lists(bodies, min_size=1, max_size=most).map(
        lambda found: [
            a_report(rows, sensor=sensor, epoch=NOW_MS - HOUR_MS, sequence=number)
            for number, (sensor, rows) in enumerate(found)
        ]
    )


def _finals(exchange: MemoryExchange) -> Mapping[str, Mapping[str, Any]]:
    """What finally stands, by topic and key: versions and times of decision aside."""
    found: dict[str, dict[str, Any]] = {"national": {}, "partner": {}, "decisions": {}}
    for name, schema, topic in (
        ("national", INDICATOR, topics.NATIONAL),
        ("partner", RELEASED_INDICATOR, topics.accepted("GBR")),
        ("decisions", DECISION, topics.AUDIT),
    ):
        for record in exchange.log(topic):
            decoded = CODEC.decode(schema, record.value)
            assert isinstance(decoded, dict)
            if name == "decisions":
                found[name][decoded["indicator_id"]] = (decoded["outcome"], decoded["rules"], decoded["obligations"])
            else:
                if decoded.get("content") is not None:
                    decoded["content"]["release_expires_ms"] = 0  # counted from when it was released
                found[name][decoded["id"]] = {**decoded, "version": 0, "recalled_through": 0}
    # Whether something was released before it was tightened is left to chance: a recall is as good as nothing.
    found["partner"] = {name: record for name, record in found["partner"].items() if record["content"] is not None}
    return found


def _played(reports: Sequence[SensorReport], random: Random | None = None) -> MemoryExchange:
    """All of it at one moment of the broker's clock; then time continues, so that everything is reported."""
    exchange = MemoryExchange(ENRICHER)
    for report in reports:
        exchange.send(report)
        if random is not None and random.random() < 0.5:
            exchange.run(random)
    exchange.settle(random)
    return exchange


@given(_reports(), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_order_delay_duplication_and_batches_change_nothing(reports: list[SensorReport], random: Random) -> None:
    straight = _played(reports)
    shuffled = [*reports, *random.choices(reports, k=3)]
    random.shuffle(shuffled)
    crooked = _played(shuffled, random)
    assert _finals(crooked) == _finals(straight)
    assert str(straight.audit()) == "GBR to JPN: lost 0, duplicated 0, wrong 0"
    assert crooked.audit().clean, str(crooked.audit())


@pytest.mark.parametrize("seed", range(4))
def test_mixed_traffic_comes_out_as_the_model_states(seed: int) -> None:
    random = Random(seed)
    exchange = MemoryExchange(installed_enricher())
    for report in Traffic(random, "GBR", NOW_MS).reports(60):
        exchange.send(report)
        exchange.go_on(random)
    exchange.settle(random)
    audit = exchange.audit()
    assert audit.clean, str(audit)
    assert audit.replicated > 10
    released = [record.value or b"" for record in exchange.log(topics.released(PARTNER))]
    assert any("公開要旨".encode() in value for value in released)
    for secret in (b"seen by", b"192.0.2.7", b"dest_ip"):
        assert not any(secret in value for value in released)


def test_mixed_traffic_of_sensors_that_are_rated_low_comes_out_as_the_model_states() -> None:
    random = Random(11)
    classifier = Classifier(Engine(rated(low=[f"sensor-{number}" for number in range(0, 8, 2)])))
    plain, exchange = (MemoryExchange(installed_enricher(), classifier=each) for each in (CLASSIFIER, classifier))
    for report in Traffic(random, "GBR", NOW_MS).reports(60):
        for each in (plain, exchange):
            each.send(report)
    for each in (plain, exchange):
        each.settle()
    audit = exchange.audit()
    assert audit.clean, str(audit)
    without, with_ratings = (_finals(each)["partner"].keys() for each in (plain, exchange))
    assert with_ratings < without, "what only they reported waits, and nothing else goes"
    assert with_ratings


def _announced(exchange: MemoryExchange) -> list[tuple[str, Any, int]]:
    """Everything that the partner ever received, in order: id, what, and when (shard time)."""
    found = []
    for record in exchange.log(topics.released(PARTNER)):
        decoded = CODEC.decode(RELEASED_INDICATOR, record.value)
        assert isinstance(decoded, dict)
        found.append((decoded["id"], decoded["content"] or decoded["kind"], decoded["version"]))
    return found


@given(
    base=_reports(),
    secret=_reports(("secret-1", "secret-2"), NEVER_RELEASED),
    places=st.lists(st.integers(0, 8), min_size=8, max_size=8),
    pauses=st.lists(st.sampled_from([0, 1, ROLL_UP_MS // 2, ROLL_UP_MS]), min_size=9, max_size=9),
)
@settings(max_examples=40)
def test_what_a_source_states_that_may_not_be_released_shows_nowhere(
    base: list[SensorReport], secret: list[SensorReport], places: list[int], pauses: list[int]
) -> None:
    """With and without it the partner receives the same, as often, at the same times."""
    without, with_it = MemoryExchange(ENRICHER), MemoryExchange(ENRICHER)
    for exchange in (without, with_it):
        for place in range(9):
            if place < len(base):
                exchange.send(base[place])
                exchange.run()
            if exchange is with_it:
                for report, where in zip(secret, places, strict=False):
                    if where == place:
                        exchange.send(report)
                        exchange.run()
            exchange.now_ms += pauses[place]
            exchange.run()
        exchange.settle()
    assert _announced(with_it) == _announced(without)


@given(_reports(), st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_versions_only_grow_and_decisions_chain(reports: list[SensorReport], random: Random) -> None:
    exchange = MemoryExchange(ENRICHER)
    for report in reports:
        exchange.send(report)
        exchange.run(random)
        exchange.now_ms += random.choice([0, 0, 1, ROLL_UP_MS])  # twice in one millisecond: versions grow all the same
    exchange.settle(random)
    assert exchange.audit().clean, str(exchange.audit())  # which looks at versions and chains


@given(_reports(), st.sampled_from(NEVER_RELEASED), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_a_source_that_tightens_its_marking_takes_its_past_back(
    reports: list[SensorReport], tightened: SourceMarking, random: Random
) -> None:
    """Nothing of it is in what the partner has then, and every version that had some of it is recalled."""
    exchange = MemoryExchange(ENRICHER)
    for report in reports:
        exchange.send(report)
        exchange.run()
        exchange.now_ms += random.choice([1, ROLL_UP_MS])
    exchange.settle()
    before = {name: (content, version) for name, content, version in _announced(exchange) if isinstance(content, dict)}
    words = [Observation(kind=IndicatorType.FILE_SHA256, value=value, marking=tightened) for value in HASHES]
    exchange.send(a_report(words, sensor="edge-1", epoch=NOW_MS - HOUR_MS, sequence=100))
    exchange.settle()
    assert exchange.audit().clean, str(exchange.audit())
    last = {record["id"]: record for record in _released(exchange)}
    had = _released_of(reports, "edge-1")
    for name, (content, version) in before.items():
        if had.get(content["value"]):
            assert last[name]["recalled_through"] >= version


def _released(exchange: MemoryExchange) -> list[Any]:
    return [CODEC.decode(RELEASED_INDICATOR, record.value) for record in exchange.log(topics.accepted("GBR"))]


def _released_of(reports: Sequence[SensorReport], sensor: str) -> Mapping[str, bool]:
    """The values of which the partner has something by this sensor alone, had the others stated nothing."""
    alone = MemoryExchange(ENRICHER)
    for report in reports:
        if report["sensor"] == sensor:
            alone.send(report)
    alone.settle()
    last = {record["id"]: record["content"] for record in _released(alone)}
    return {content["value"]: True for content in last.values() if content is not None}
