"""A row as the national record: the assertions of all its sources, merged. Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from schemas.identity import indicator_id
from schemas.vocabulary import Withdrawal
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion, Tally
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import MAX_SOURCES, Row
from streams.correlate.terms import MARKS, TERMS, TEXTS, mark_of

MAX_LABELS: Final = 64
TAKEN_BACK: Final = frozenset({Withdrawal.REVOKED, Withdrawal.REMOVED})


def national(key: bytes, row: Row, version: int, lifetimes: Lifetimes, now_ms: int) -> Mapping[str, Any]:
    """The record for ``indicator.national`` (``schemas.records.Indicator``); parts of it are encoded already.

    Lists are capped by name; marking, counts and times are of all sources. After the end of its last statement an
    indicator is ``expired``: the record keeps what was known. One that an officer has declared false is ``revoked``,
    even if sensors report it again; so is one that all its sources have taken back.
    """
    enrichment, statements = row.enrichment, row.statements
    end_ms = max([lifetimes.end_of(row.kind, statement) for statement in statements])
    kind: Literal["content", "expired", "revoked"] = "content" if now_ms < end_ms else "expired"
    if (row.officers is not None and row.officers.revoked) or row.withdrawal in TAKEN_BACK:
        kind = "revoked"
    labels = {TERMS[statement.terms].labels for statement in statements}
    totals = [each.total for each in row.assertions]
    seen = [each for each in totals if each.count]
    if row.further is not None:
        seen += [group.tally for group in row.further.groups]
        labels.update(group.labels for group in row.further.groups)
    return {
        "id": indicator_id(key),
        "kind": kind,
        "version": version,
        "type": row.kind.label,
        "value": row.value,
        "marking": MARKS[mark_of(row.marking)].record,
        "confidence": max([lifetimes.confidence_at(row.kind, statement, now_ms) for statement in statements]),
        "labels": sorted({label for each in labels for label in each})[:MAX_LABELS],
        "first_seen_ms": min([each.first_seen_ms for each in seen]),
        "last_seen_ms": max([each.last_seen_ms for each in seen]),
        "sightings": min(sum([each.count for each in seen]), MAX_SIGHTINGS),
        "valid_until_ms": end_ms,
        "source_count": row.sources,
        "sources": [*map(_source, row.assertions[:MAX_SOURCES], totals)],
        "registered_domain": enrichment.registered_domain,
        "asn": enrichment.asn,
        "country": enrichment.country,
        "special_use": enrichment.special_use,
        "warninglists": enrichment.warninglists,
    }


def _source(assertion: Assertion, seen: Tally) -> dict[str, Any]:
    statement = assertion.latest
    terms, texts = TERMS[statement.terms], TEXTS[statement.texts]
    return {
        "sensor": assertion.sensor,
        "marking": terms.marking_record,
        "confidence": terms.confidence,
        "valid_until_ms": statement.appended_ms if terms.withdrawal else statement.valid_until_ms,
        "labels": terms.labels_record,
        "first_seen_ms": seen.first_seen_ms,
        "last_seen_ms": seen.last_seen_ms,
        "sightings": seen.count,
        "description": texts.description_record,
        "context": texts.context_record,
    }
