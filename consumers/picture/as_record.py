"""Entries in the JSON layout of all records (``consumers/queries/layout.py``), and as rows of CSV.

``docs/indicator.schema.json`` is the JSON Schema of it.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from consumers.picture.entry import Answer, Ended, Entry
from consumers.subscription.changes import State

_CONTENT: Final = frozenset({State.LIVE, State.LIMITED, State.ENDED})
CSV_COLUMNS: Final = (
    "id", "origin", "state", "type", "value", "tlp", "pap", "confidence", "labels", "first_seen", "last_seen",
    "sightings", "valid_until", "received", "version",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")


def record_of(entry: Entry | Ended) -> dict[str, Any]:
    """One object. Times are milliseconds since 1970 UTC; confidence -1, a time 0 and an AS number 0 are not known."""
    head = {
        "state": entry.state.value,
        "id": entry.id,
        "kind": "content" if entry.state in _CONTENT else entry.state.value,
        "version": entry.version,
        "origin": entry.origin,
        "reason": entry.reason,
        "received_ms": entry.received_ms,
    }
    return head if isinstance(entry, Ended) else head | _content(entry)


def _content(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": entry.type,
        "value": entry.value,
        "marking": {
            "tlp": entry.tlp,
            "pap": entry.pap,
            "releasable_to": None if entry.releasable_to is None else list(entry.releasable_to),
            "caveats": list(entry.caveats),
        },
        "confidence": -1 if entry.confidence is None else entry.confidence,
        "labels": list(entry.labels),
        "techniques": list(entry.techniques),
        "first_seen_ms": entry.first_seen_ms,
        "last_seen_ms": entry.last_seen_ms,
        "sightings": entry.sightings,
        "valid_until_ms": entry.valid_until_ms or 0,
        "registered_domain": entry.registered_domain,
        "asn": entry.asn or 0,
        "country": entry.country,
    }
    if entry.answers:
        found["answers"] = [_answer(each) for each in entry.answers]
    if entry.is_own:
        own = {"source_count": entry.source_count, "special_use": entry.special_use}
        lists = {"warninglists": list(entry.warninglists), "descriptions": list(entry.descriptions)}
        return found | own | lists
    if entry.tearline:
        found["tearline"] = entry.tearline
    return found | {"release_expires_ms": entry.release_expires_ms or 0}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "nation": answer.nation,
        "kind": answer.kind,
        "reason": answer.reason,
        "version": answer.version,
        "at_ms": answer.at_ms,
    }


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A heading and a line for each, by RFC 4180. A cell that a spreadsheet would take for a formula begins with an
    apostrophe."""
    yield _line(CSV_COLUMNS)
    for entry in entries:
        yield _line(
            cell(each)
            for each in (
                entry.id,
                entry.origin,
                entry.state.value,
                entry.type,
                entry.value,
                entry.tlp,
                entry.pap,
                "" if entry.confidence is None else str(entry.confidence),
                ", ".join(entry.labels),
                _time(entry.first_seen_ms),
                _time(entry.last_seen_ms),
                str(entry.sightings),
                _time(entry.valid_until_ms or 0),
                _time(entry.received_ms),
                str(entry.version),
            )
        )


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection), on one line."""
    shown = text if text.isprintable() else "".join(map(_visible, text))
    begin = (shown if shown.isascii() else unicodedata.normalize("NFKC", shown)).lstrip()
    return f"'{shown}" if begin.startswith(_FORMULA) else shown


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _line(cells: Iterable[str]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(cells)
    return row.getvalue()


def _time(at_ms: int) -> str:
    """RFC 3339; empty for 0, the number if no calendar has the time."""
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}" if at_ms else ""
    except (ValueError, OverflowError, OSError):
        return str(at_ms)
