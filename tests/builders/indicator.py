"""The nation's own picture of an indicator."""

from typing import Any

from schemas.records import Indicator, SourceRecord
from tests.builders.changed import DOMAIN, HOUR_MS, NOW_MS, an_id, changed
from tests.builders.observed import a_marking_record


def a_source(**changes: Any) -> SourceRecord:
    """What the sensor ``edge-1`` asserts about the domain."""
    source = SourceRecord(
        sensor="edge-1",
        marking=a_marking_record(),
        confidence=80,
        valid_until_ms=0,
        labels=["malicious-activity"],
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        sightings=2,
        description="Beacon",
        context={"dest_ip": "192.0.2.7"},
    )
    return changed(source, changes)


def an_indicator(**changes: Any) -> Indicator:
    """The nation's own picture of the domain, by one source."""
    indicator = Indicator(
        id=an_id(),
        kind="content",
        version=NOW_MS,
        type="domain-name",
        value=DOMAIN,
        marking=a_marking_record(),
        confidence=80,
        labels=["malicious-activity"],
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        sightings=2,
        valid_until_ms=0,
        source_count=1,
        sources=[a_source()],
        registered_domain="example.com",
        asn=0,
        country="",
        special_use="",
        warninglists=[],
    )
    return changed(indicator, changes)
