"""Feeds as facts: one that meets all of the standard, and pieces that do not."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import msgspec

from producers.conformance.facts import (
    Ended,
    Fact,
    FactPlace,
    Kept,
    Listed,
    Question,
    Refusal,
    Sent,
    Signature,
    Span,
    Statement,
)
from producers.conformance.judge import Judgement, Met, Result
from producers.conformance.profile import Bounds, ConformanceProfile, profile_text, read_profile
from producers.conformance.standard import Shown, standard
from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.topics import AUDIT, DAY_MS, FOR_EVER, QUARANTINE, SENSOR_REPORTS
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS

HOUR_MS = 3_600_000
BOUNDS = Bounds(
    observed_to_published_hours=1,
    built_to_published_hours=1,
    silence_hours=6,
    open_refusal_hours=24,
    reports_kept_days=7,
    refusals_kept_days=365,
    incident_published_hours=6,
)
QUESTION = Question(
    nation="GBR",
    sensor="edge-1",
    now_ms=NOW_MS,
    aware_ms=NOW_MS - 5 * HOUR_MS,
    bounds=BOUNDS,
    types=frozenset({IndicatorType.DOMAIN_NAME}),
)
ALL = (Shown.FILE, Shown.TOPIC, Shown.COMPARISON)
MARKING = Marking(tlp=Tlp.AMBER, pap=Pap.GREEN, releasable_to=("JPN",), caveats=(Caveat.INCIDENT,))


@cache
def energy() -> ConformanceProfile:
    """The profile that comes with the software."""
    found = read_profile(profile_text("energy"), standard()).profile
    assert found is not None
    return found


def a_statement(number: int = 0, **changes: Any) -> Statement:
    """An observation that meets everything, of the report ``number``."""
    published_ms = NOW_MS - (4 - number) * HOUR_MS
    made = Statement(
        place=FactPlace("partition 0", number, 0),
        kind=IndicatorType.DOMAIN_NAME,
        value=f"bad-{number}.example",
        key=number.to_bytes(16, "big"),
        is_canonical=True,
        refused=None,
        marking=MARKING,
        tlp="TLP:AMBER",
        first_seen_ms=published_ms - HOUR_MS,
        last_seen_ms=published_ms - HOUR_MS // 2,
        valid_until_ms=NOW_MS + DAY_MS,
        confidence=80,
        labels=1,
        is_withdrawal=False,
        at_ms=published_ms,
    )
    return msgspec.structs.replace(made, **changes)


def a_withdrawal(number: int, **changes: Any) -> Statement:
    """A withdrawal that meets everything."""
    return a_statement(number, is_withdrawal=True, key=b"w" * 16, valid_until_ms=0, confidence=-1, labels=0, **changes)


def a_report(number: int = 0, **changes: Any) -> Sent:
    """A report that meets everything."""
    published_ms = NOW_MS - (4 - number) * HOUR_MS
    made = Sent(
        place=FactPlace("partition 0", number),
        key="edge-1",
        nation="GBR",
        sensor="edge-1",
        epoch=1,
        sequence=number,
        built_ms=published_ms - 1000,
        published_ms=published_ms,
        digest=number.to_bytes(32, "big"),
        signature=Signature.VALID,
    )
    return msgspec.structs.replace(made, **changes)


def a_feed() -> list[Fact]:
    """All kinds of facts, each of which meets the standard."""
    reports: list[Fact] = [each for number in range(4) for each in (a_report(number), a_statement(number))]
    listed: list[Fact] = [Listed(FactPlace("list.txt", 1 + number), number.to_bytes(16, "big")) for number in range(4)]
    return [
        Span(0, 0, 4),
        *reports,
        a_withdrawal(3),
        Ended(FactPlace("feed.csv", 0), is_damaged=False),
        *listed,
        Kept(SENSOR_REPORTS, 7 * DAY_MS, is_broker_time=True),
        Kept(QUARANTINE, 365 * DAY_MS, is_broker_time=False),
        Kept(AUDIT, FOR_EVER, is_broker_time=False),
        Refusal("sensor.reports.v1-0-9-0", "invalid-value", NOW_MS - 2 * HOUR_MS, is_open=False),
    ]


def results(
    facts: Iterable[Fact], question: Question = QUESTION, shown: Collection[Shown] = ALL, *, values: bool = False
) -> dict[str, Result]:
    """What is found of a feed, by requirement."""
    judgement = Judgement(standard(), energy().incident("ransomware"), question, shown, values=values)
    judgement.take(facts)
    return {each.id: each for each in judgement.results()}


def met(facts: Iterable[Fact], question: Question = QUESTION, shown: Collection[Shown] = ALL) -> dict[str, Met]:
    """The result of each requirement."""
    return {name: each.result for name, each in results(facts, question, shown).items()}
