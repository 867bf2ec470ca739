"""A row as the nation's own picture of it: everything its sources say, merged."""

from typing import Final, Literal

from schemas.identity import indicator_id
from schemas.records import Indicator, SourceRecord
from streams.blocks import marking_record
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import Row

MAX_SOURCES: Final = 32
MAX_LABELS: Final = 64


def national(key: bytes, row: Row, version: int, lifetimes: Lifetimes, now_ms: int) -> Indicator:
    """The record for ``indicator.national``. Lists are capped by name; the marking joins over all sources.

    An indicator whose last word has ended is ``expired``: the record says what was known, and that it is over. One that
    an officer has called false is ``revoked``, whoever reports it again.
    """
    enrichment = row.enrichment
    end_ms = row.end(lifetimes)
    kind: Literal["content", "expired", "revoked"] = "content" if now_ms < end_ms else "expired"
    if row.standing is not None and row.standing.revoked:
        kind = "revoked"
    labels = sorted({label for assertion in row.assertions for label in assertion.word.labels})
    sources = [_source(assertion) for assertion in row.assertions]
    return {
        "id": indicator_id(key),
        "kind": kind,
        "version": version,
        "type": row.kind.label,
        "value": row.value,
        "marking": marking_record(row.marking),
        "confidence": max(lifetimes.confidence_at(row.kind, assertion.word, now_ms) for assertion in row.assertions),
        "labels": labels[:MAX_LABELS],
        "first_seen_ms": min([source["first_seen_ms"] for source in sources]),
        "last_seen_ms": max([source["last_seen_ms"] for source in sources]),
        "sightings": min(sum([source["sightings"] for source in sources]), MAX_SIGHTINGS),
        "valid_until_ms": end_ms,
        "source_count": len(sources),
        "sources": sources[:MAX_SOURCES],
        "registered_domain": enrichment.registered_domain,
        "asn": enrichment.asn,
        "country": enrichment.country,
        "special_use": enrichment.special_use,
        "warninglists": list(enrichment.warninglists),
    }


def _source(assertion: Assertion) -> SourceRecord:
    word, seen = assertion.word, assertion.total
    return {
        "sensor": assertion.sensor,
        "marking": marking_record(word.marking),
        "confidence": word.confidence,
        "valid_until_ms": word.valid_until_ms,
        "labels": list(word.labels),
        "first_seen_ms": seen.first_seen_ms,
        "last_seen_ms": seen.last_seen_ms,
        "sightings": seen.count,
        "description": word.description,
        "context": dict(word.context),
    }
