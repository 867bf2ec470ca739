"""What changes something is reported at once; repetition at most once per interval, to nation and partners."""

from collections import Counter

import pytest

from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType
from streams.enrichment.enrich import Enricher
from tests.builders import DAY_MS, NOW_MS, a_report
from tests.streams.enrichment_builders import an_enricher
from tests.streams.memory_exchange import PARTNER, ROLL_UP_MS, MemoryExchange

HASH = "0" * 64
SECOND_MS = 1000
CODEC = Codec()


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return an_enricher()


def report(sequence: int, sensor: str = "edge-1", **changes: object) -> SensorReport:
    fields: dict[str, object] = {"marking": SourceMarking("TLP:CLEAR"), "confidence": 80} | changes
    seen = Observation(kind=IndicatorType.FILE_SHA256, value=HASH, **fields)  # type: ignore[arg-type]
    return a_report([seen], sensor=sensor, sequence=sequence, epoch=NOW_MS - DAY_MS)


def announced(exchange: MemoryExchange) -> Counter[str]:
    """How often the nation and the partner received something."""
    names = {topics.NATIONAL: "nation", topics.released(PARTNER): "partner"}
    return Counter({name: len(exchange.log(topic)) for topic, name in names.items()})


def last_sightings(exchange: MemoryExchange) -> tuple[int, int]:
    """What the nation and the partner last received."""
    national = CODEC.decode(INDICATOR, exchange.log(topics.NATIONAL)[-1].value)
    released = CODEC.decode(RELEASED_INDICATOR, exchange.log(topics.released(PARTNER))[-1].value)
    assert isinstance(national, dict)
    assert isinstance(released, dict)
    return national["sightings"], released["content"]["sightings"]


def test_ten_minutes_of_repetition_every_second_are_reported_ten_times(enricher: Enricher) -> None:
    exchange = MemoryExchange(enricher)
    for sequence in range(600):
        exchange.send(report(sequence))
        exchange.run()
        exchange.now_ms += SECOND_MS
    assert 600 * SECOND_MS // ROLL_UP_MS <= announced(exchange)["nation"] <= 600 * SECOND_MS // ROLL_UP_MS + 1
    assert announced(exchange)["partner"] == announced(exchange)["nation"]
    exchange.settle()
    assert last_sightings(exchange) == (600, 600)


def test_nothing_is_sent_again_where_nothing_comes(enricher: Enricher) -> None:
    exchange = MemoryExchange(enricher)
    exchange.send(report(0))
    exchange.settle()
    before = announced(exchange)
    for _ in range(10):
        exchange.now_ms += ROLL_UP_MS
        exchange.run()
    assert announced(exchange) == before == Counter(nation=1, partner=1)


@pytest.mark.parametrize(
    "changed",
    [
        report(1, "edge-2"),
        report(1, marking=SourceMarking("TLP:GREEN")),
        report(1, confidence=50),
        report(1, labels=("c2",)),
        report(1, context=(("tearline", "for release"),)),
    ],
    ids=["another source", "another marking", "another confidence band", "another label", "another tearline"],
)
def test_what_changes_something_is_reported_at_once(enricher: Enricher, changed: SensorReport) -> None:
    exchange = MemoryExchange(enricher)
    exchange.send(report(0))
    exchange.run()
    exchange.now_ms += 1
    exchange.send(changed)
    exchange.run()
    assert announced(exchange)["nation"] == 2


def test_a_repetition_is_reported_when_the_interval_is_over_without_anything_else_coming(enricher: Enricher) -> None:
    exchange = MemoryExchange(enricher)
    exchange.send(report(0))
    exchange.run()
    exchange.send(report(1))
    exchange.run()
    assert last_sightings(exchange) == (1, 1)
    exchange.now_ms += ROLL_UP_MS - 1
    exchange.run()
    assert last_sightings(exchange) == (1, 1)
    exchange.now_ms += 1
    exchange.run()
    assert last_sightings(exchange) == (2, 2)
    assert announced(exchange) == Counter(nation=2, partner=2)


def test_a_source_that_partners_must_not_know_of_is_reported_to_the_nation_alone(enricher: Enricher) -> None:
    exchange = MemoryExchange(enricher)
    exchange.send(report(0))
    exchange.send(report(1))
    exchange.run()
    exchange.send(report(2))
    exchange.run()
    exchange.now_ms += 1
    exchange.send(report(0, "secret", marking=SourceMarking("TLP:RED")))
    exchange.run()
    assert last_sightings(exchange) == (4, 2)
    exchange.now_ms += ROLL_UP_MS
    exchange.run()
    assert last_sightings(exchange) == (4, 3)
    assert announced(exchange) == Counter(nation=2, partner=2)
