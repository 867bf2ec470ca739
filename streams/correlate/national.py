"""A row as the national record: the assertions of all its sources, merged. Pure."""

from typing import Final, Literal

from schemas.identity import indicator_id
from schemas.records import Indicator, SourceRecord
from schemas.vocabulary import Withdrawal
from streams.blocks import marking_record
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import MAX_SOURCES, Row

MAX_LABELS: Final = 64
TAKEN_BACK: Final = frozenset({Withdrawal.REVOKED, Withdrawal.REMOVED})


def national(key: bytes, row: Row, version: int, lifetimes: Lifetimes, now_ms: int) -> Indicator:
    """The record for ``indicator.national``. Lists are capped by name; marking, counts and times are of all sources.

    After the end of its last statement an indicator is ``expired``: the record keeps what was known. One that
    an officer has declared false is ``revoked``, even if sensors report it again; so is one that all its sources have
    taken back.
    """
    enrichment = row.enrichment
    end_ms = row.end(lifetimes)
    kind: Literal["content", "expired", "revoked"] = "content" if now_ms < end_ms else "expired"
    if (row.officers is not None and row.officers.revoked) or row.withdrawal in TAKEN_BACK:
        kind = "revoked"
    labels = sorted({label for statement in row.statements for label in statement.labels})
    sources = [_source(assertion) for assertion in row.assertions]
    groups = () if row.further is None else row.further.groups
    return {
        "id": indicator_id(key),
        "kind": kind,
        "version": version,
        "type": row.kind.label,
        "value": row.value,
        "marking": marking_record(row.marking),
        "confidence": row.confidence(lifetimes, now_ms),
        "labels": labels[:MAX_LABELS],
        "first_seen_ms": min(
            [each["first_seen_ms"] for each in sources if each["sightings"]] + [each.first_seen_ms for each in groups]
        ),
        "last_seen_ms": max(
            [each["last_seen_ms"] for each in sources if each["sightings"]] + [each.last_seen_ms for each in groups]
        ),
        "sightings": min(sum([each["sightings"] for each in sources] + [each.count for each in groups]), MAX_SIGHTINGS),
        "valid_until_ms": end_ms,
        "source_count": row.sources,
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
