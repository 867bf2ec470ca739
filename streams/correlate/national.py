"""A row as the national record: the assertions of all its sources, merged. Pure."""

from typing import Any, Final, Literal

from schemas.codec import INDICATOR, Codec, form
from schemas.identity import indicator_id
from schemas.marking_records import marking_record
from schemas.row_writer import array_of
from schemas.vocabulary import Withdrawal
from streams.correlate.assertion import Assertion, Tally, seen_in
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.repeated import Repeated
from streams.correlate.row import MAX_SOURCES, Row
from streams.correlate.terms import SOURCE, TERMS, TEXTS

MAX_LABELS: Final = 64
TAKEN_BACK: Final = frozenset({Withdrawal.REVOKED, Withdrawal.REMOVED})
Kind = Literal["content", "expired", "revoked"]

_FORM: Final = form(
    INDICATOR,
    "id",
    "version",
    "value",
    "confidence",
    "first_seen_ms",
    "last_seen_ms",
    "sightings",
    "valid_until_ms",
    "source_count",
    "sources",
    "registered_domain",
)
_CUTS: Final = Repeated(_FORM)


def national(codec: Codec, key: bytes, row: Row, version: int, lifetimes: Lifetimes, now_ms: int) -> tuple[Kind, bytes]:
    """The kind of the record for ``indicator.national``, and its framed bytes (``schemas.records.Indicator``).

    Lists are capped by name; marking, counts and times are of all sources. After the end of its last statement an
    indicator is ``expired``: the record keeps what was known. One that an officer has declared false is ``revoked``,
    even if sensors report it again; so is one that all its sources have taken back.
    """
    statements = row.statements
    end_ms = max([lifetimes.end_of(row.kind, statement) for statement in statements])
    kind: Kind = "content" if now_ms < end_ms else "expired"
    if (row.officers is not None and row.officers.revoked) or row.withdrawal in TAKEN_BACK:
        kind = "revoked"
    labels = {TERMS[statement.terms].labels for statement in statements}
    totals = [each.total for each in row.assertions]
    seen = [each for each in totals if each.count]
    if row.further is not None:
        seen += [group.tally for group in row.further.groups]
        labels.update(group.labels for group in row.further.groups)
    known, marking = row.enrichment, row.marking
    repeated = (
        kind,
        row.kind,
        marking,
        frozenset(labels),
        known.asn,
        known.country,
        known.special_use,
        known.warninglists,
    )
    cut = _CUTS.get(repeated)
    if cut is None:
        record: dict[str, Any] = {
            "kind": kind,
            "type": row.kind.label,
            "marking": marking_record(marking),
            "labels": sorted({label for each in labels for label in each})[:MAX_LABELS],
            "asn": known.asn,
            "country": known.country,
            "special_use": known.special_use,
            "warninglists": known.warninglists,
        }
        cut = _CUTS.cut(repeated, record)
    first_seen_ms, last_seen_ms, sightings = seen_in(seen)
    return kind, _FORM.write(
        cut,
        codec.head_of(INDICATOR),
        indicator_id(key),
        version,
        row.value,
        max([lifetimes.confidence_at(row.kind, statement, now_ms) for statement in statements]),
        first_seen_ms,
        last_seen_ms,
        sightings,
        end_ms,
        row.sources,
        array_of([*map(_source, row.assertions[:MAX_SOURCES], totals)]),
        known.registered_domain,
    )


def _source(assertion: Assertion, seen: Tally) -> bytes:
    statement = assertion.latest
    terms = TERMS[statement.terms]
    return SOURCE.write(
        (*terms.cut, TEXTS[statement.texts].end),
        b"",
        assertion.sensor,
        statement.appended_ms if terms.withdrawal else statement.valid_until_ms,
        seen.first_seen_ms,
        seen.last_seen_ms,
        seen.count,
    )
