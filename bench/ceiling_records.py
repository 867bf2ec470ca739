"""(c) Records of the ceiling's process: as large as the pipeline's, with only the value changed."""

from typing import Final

from bench.released import release
from bench.stand import HOME, PARTNER
from schemas.records import (
    Decision,
    FacetsRecord,
    Indicator,
    MarkingRecord,
    ReleasedIndicator,
    SourceRecord,
)
from schemas.vocabulary import IndicatorType

_MARKING: Final[MarkingRecord] = {"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []}


def national(sources: int) -> Indicator:
    """A national record with this many sources."""
    source: SourceRecord = {
        "sensor": "bench-00",
        "marking": _MARKING,
        "confidence": 80,
        "valid_until_ms": 0,
        "labels": ["malicious-activity"],
        "first_seen_ms": 1_795_000_000_000,
        "last_seen_ms": 1_795_000_000_000,
        "sightings": 1,
        "description": "Rule 1",
        "context": {"dest_ip": "192.0.2.1", "rule": "1"},
    }
    return {
        "id": "indicator--00000000-0000-5000-8000-000000000000",
        "kind": "content",
        "version": 1_795_000_000_000,
        "type": "domain-name",
        "value": "",
        "marking": _MARKING,
        "confidence": 80,
        "labels": ["malicious-activity"],
        "first_seen_ms": 1_795_000_000_000,
        "last_seen_ms": 1_795_000_000_000,
        "sightings": 1,
        "valid_until_ms": 0,
        "source_count": sources,
        "sources": [source] * sources,
        "registered_domain": "example.com",
        "asn": 0,
        "country": "",
        "special_use": "",
        "warninglists": [],
    }


def released() -> ReleasedIndicator:
    """Content for the partner."""
    name, at_ms = "indicator--00000000-0000-5000-8000-000000000000", 1_795_000_000_000
    ends_ms = 1_810_000_000_000
    return release(
        name, IndicatorType.DOMAIN_NAME, "", at_ms, release_expires_ms=ends_ms, registered_domain="example.com"
    )


def decision() -> Decision:
    """A release by one rule."""
    facets: FacetsRecord = {
        "tlp": 1,
        "pap": 0,
        "releasable_to": None,
        "caveats": [],
        "confidence_band": "high",
        "type": "domain-name",
        "warninglisted": False,
        "special_use": False,
        "personal_data": False,
        "prefix_length": -1,
        "local_query": False,
        "rating": "unrated",
    }
    return {
        "decision_id": f"{HOME}-0-0",
        "shard": 0,
        "sequence": 0,
        "previous": bytes(32),
        "indicator_id": "indicator--00000000-0000-5000-8000-000000000000",
        "partner": PARTNER,
        "at_ms": 1_795_000_000_000,
        "outcome": "release",
        "rules": ["tlp-green"],
        "obligations": ["coarsen-time:hour"],
        "merged": facets,
        "assertions": [
            {"facets": facets, "sources": 1, "outcome": "release", "rules": ["tlp-green"], "left_out": False}
        ],
        "policy_version": "0123456789abcdef",
        "engine_version": "cedarpy 4.12.2, cedar 4.12.0",
        "enrichment_version": "0123456789abcdef",
        "released_version": 1_795_000_000_000,
        "review": "",
        "question": b"",
        "deadline_ms": 0,
        "verdicts": [],
        "assigned": None,
        "veto": None,
        "border": "",
        "shadow": False,
        "labels": [],
    }
