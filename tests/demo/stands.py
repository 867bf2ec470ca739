"""A small day on the topics of one direction: what went in at GBR, and what of it stands at JPN."""

from collections.abc import Sequence
from typing import Any, Final

from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RELEASED_INDICATOR, SENSOR_REPORT, Codec
from schemas.markings import Tlp
from schemas.vocabulary import IndicatorType
from tests.builders import (
    NOW_MS,
    a_content,
    a_decision,
    a_quarantined,
    a_released,
    a_report,
    an_id,
    an_indicator,
    an_observation,
    facets,
)
from tests.reference.audit import Stand

FREE, UNMARKED, RED, LATE = ("free.example", "unmarked.example", "red.example", "late.example")
SLOW_MS: Final = 4_000
_CODEC: Final = Codec()


def record(topic: str, offset: int, schema: str, key: str, value: Any, at_ms: int = NOW_MS) -> Record:
    """One record of a topic of one partition."""
    return Record(topic, 0, offset, key.encode(), _CODEC.encode(schema, value), at_ms)


def a_report_of(*values: str, offset: int = 0, at_ms: int = NOW_MS, **changes: Any) -> Record:
    """A sensor's report of these domains."""
    report = a_report([an_observation(value=value) for value in values], **{"sequence": offset, **changes})
    return record(topics.SENSOR_REPORTS, offset, SENSOR_REPORT, report["sensor"], report, at_ms)


def decided(offset: int, value: str, outcome: str, rule: str, tlp: Tlp, **changes: Any) -> Record:
    """A decision on a domain whose one source gave it this label."""
    seen = facets(tlp=int(tlp), releasable_to=[] if tlp in (Tlp.RED, Tlp.UNMARKED) else None)
    groups = [{"facets": seen, "sources": 1, "outcome": outcome, "rules": [rule], "left_out": False}]
    merged = seen if outcome == "release" else None
    decision = a_decision(
        decision_id=f"GBR-0-{offset}", sequence=offset, indicator_id=an_id(IndicatorType.DOMAIN_NAME, value),
        outcome=outcome, rules=[rule], merged=merged, assertions=groups, **changes,
    )  # fmt: skip
    return record(topics.AUDIT, offset, DECISION, decision["indicator_id"], decision)


def _national(offset: int, value: str) -> Record:
    indicator = an_indicator(id=an_id(IndicatorType.DOMAIN_NAME, value), value=value)
    return record(topics.NATIONAL, offset, INDICATOR, indicator["id"], indicator)


def announced(topic: str, offset: int, value: str, at_ms: int = NOW_MS, **changes: Any) -> Record:
    """A released record of a domain, on any of the topics on its way."""
    name = an_id(IndicatorType.DOMAIN_NAME, value)
    content = {} if "kind" in changes else {"content": a_content(value=value)}
    released = a_released(**({"id": name} | content | changes))
    return record(topic, offset, RELEASED_INDICATOR, name, released, at_ms)


def a_stand() -> Stand:
    """Four domains: two go (one waits for a mark first), one waits, one is red; one line and one value are bad.

    A fifth report is a redriven one, which counts as nothing new.
    """
    return Stand(
        reports=[
            a_report_of(FREE, RED),
            a_report_of(UNMARKED, LATE, "bad value", offset=1),
            a_report_of(FREE, offset=2, redrive_of="sensor.reports.v1-0-1-2"),
        ],
        quarantine=[
            record(topics.QUARANTINE, 0, QUARANTINED, "a", a_quarantined(stage="produce", reason="unreadable-line")),
            record(topics.QUARANTINE, 1, QUARANTINED, "b", a_quarantined(index=2)),
        ],
        national=[_national(offset, value) for offset, value in enumerate((FREE, UNMARKED, RED, LATE, FREE))],
        decisions=[
            decided(0, FREE, "release", "tlp-green", Tlp.GREEN),
            decided(1, UNMARKED, "hold", "tlp-unmarked", Tlp.UNMARKED),
            decided(2, RED, "withhold", "tlp-red", Tlp.RED),
            decided(3, LATE, "hold", "tlp-unmarked", Tlp.UNMARKED),
            decided(4, LATE, "release", "tlp-green", Tlp.GREEN),
        ],
        released=_way(topics.released("JPN")),
        inbox=_way(topics.inbox("GBR")),
        accepted=_way(topics.accepted("GBR")),
    )


def _way(topic: str) -> Sequence[Record]:
    return [announced(topic, 0, FREE, NOW_MS + SLOW_MS), announced(topic, 1, LATE, NOW_MS + 60_000)]
