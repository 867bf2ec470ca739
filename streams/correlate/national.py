"""A row as the national record: the assertions of all its sources, merged. Pure."""

from typing import Final, Literal

from schemas.identity import indicator_id
from schemas.records import Indicator, SourceRecord
from schemas.vocabulary import Withdrawal
from streams.blocks import marking_record
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import Row

MAX_SOURCES: Final = 32
MAX_LABELS: Final = 64
TAKEN_BACK: Final = frozenset({Withdrawal.REVOKED, Withdrawal.REMOVED})


def national(key: bytes, row: Row, version: int, lifetimes: Lifetimes, now_ms: int) -> Indicator:
    """The record for ``indicator.national``. Lists are capped by name; the marking joins over all sources.

    After the end of its last statement an indicator is ``expired``: the record keeps what was known. One that
    an officer has declared false is ``revoked``, even if sensors report it again; so is one that all its sources have
    taken back.
    """
    enrichment = row.enrichment
    end_ms = row.end(lifetimes)
    kind: Literal["content", "expired", "revoked"] = "content" if now_ms < end_ms else "expired"
    if (row.officers is not None and row.officers.revoked) or row.withdrawal in TAKEN_BACK:
        kind = "revoked"
    labels = sorted({label for assertion in row.assertions for label in assertion.latest.labels})
    sources = [_source(assertion) for assertion in row.assertions]
    return {
        "id": indicator_id(key),
        "kind": kind,
        "version": version,
        "type": row.kind.label,
        "value": row.value,
        "marking": marking_record(row.marking),
        "confidence": max(lifetimes.confidence_at(row.kind, assertion.latest, now_ms) for assertion in row.assertions),
        "labels": labels[:MAX_LABELS],
        "first_seen_ms": min([source["first_seen_ms"] for source in sources if source["sightings"]]),
        "last_seen_ms": max([source["last_seen_ms"] for source in sources if source["sightings"]]),
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
    statement, seen = assertion.latest, assertion.total
    return {
        "sensor": assertion.sensor,
        "marking": marking_record(statement.marking),
        "confidence": statement.confidence,
        "valid_until_ms": statement.appended_ms if statement.withdrawal else statement.valid_until_ms,
        "labels": list(statement.labels),
        "first_seen_ms": seen.first_seen_ms,
        "last_seen_ms": seen.last_seen_ms,
        "sightings": seen.count,
        "description": statement.description,
        "context": dict(statement.context),
    }
