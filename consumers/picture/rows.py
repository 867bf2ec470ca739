"""An entry as a row of the picture's tables, and back."""

import sqlite3
from typing import Any, Final, cast

import msgspec

from consumers.picture.address import Place, place_of
from consumers.picture.entry import Ended, Entry, techniques_in
from consumers.picture.words import indexed
from consumers.subscription.changes import State
from schemas.identity import indicator_id, key_of_id
from schemas.markings import Tlp
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

COLUMNS: Final = (
    "key, origin, added_us, version, received_ms, state, reason, type, tlp, confidence, first_seen_ms, last_seen_ms, "
    "ends_ms, value, body"
)
Row = tuple[Any, ...]
_TLPS: Final = {tlp.label: tlp.value for tlp in Tlp}
_LABELS: Final = {tlp.value: tlp.label for tlp in Tlp}
_STATES: Final = {state.value: state for state in State}
_TYPES: Final = {kind.value: kind.label for kind in IndicatorType}


class Body(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of an entry that are not columns: no query searches by them. New fields go at the end."""

    pap: str
    releasable_to: tuple[str, ...] | None
    caveats: tuple[str, ...]
    labels: tuple[str, ...]
    sightings: int
    valid_until_ms: int | None
    release_expires_ms: int | None
    registered_domain: str
    asn: int | None
    country: str
    tearline: str
    special_use: str
    warninglists: tuple[str, ...]
    source_count: int | None
    descriptions: tuple[str, ...] = ()


class Columns(msgspec.Struct, frozen=True, gc=False):
    """An entry's content as columns; in the order of the table."""

    type: int
    tlp: int
    confidence: int | None
    first_seen_ms: int
    last_seen_ms: int
    ends_ms: int | None
    address: Place | None
    value: str | None
    body: bytes | None
    sources: bytes | None


class Held(msgspec.Struct, frozen=True, gc=False):
    """What the picture has of an indicator, in the order of HELD."""

    n: int
    key: bytes
    version: int
    received_ms: int
    state: str
    reason: str
    type: int
    tlp: int
    confidence: int | None
    value: str | None
    body: bytes | None
    sources: bytes | None


HELD: Final = ", ".join(Held.__struct_fields__)
NOTHING: Final = Columns(0, Tlp.RED.value, None, 0, 0, None, None, None, None, None)
"""The columns of a version without content."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Body).decode


def columns_of(entry: Entry, sources: bytes | None) -> Columns:
    """The columns of an entry; ``sources`` are its sources' assertions, encoded."""
    body = Body(
        entry.pap,
        entry.releasable_to,
        entry.caveats,
        entry.labels,
        entry.sightings,
        entry.valid_until_ms,
        entry.release_expires_ms,
        entry.registered_domain,
        entry.asn,
        entry.country,
        entry.tearline,
        entry.special_use,
        entry.warninglists,
        entry.source_count,
        entry.descriptions,
    )
    return Columns(
        TYPE_BY_LABEL[entry.type].value,
        _TLPS.get(entry.tlp, Tlp.RED.value),
        entry.confidence,
        entry.first_seen_ms,
        entry.last_seen_ms,
        entry.ends_ms,
        place_of(entry.type, entry.value),
        entry.value,
        _encode(body),
        sources,
    )


def entry_of(row: Row, origins: dict[int, str], now_ms: int) -> Entry | Ended:
    """The entry of a row of COLUMNS, as of ``now_ms``: what has ended since the row was written is ended."""
    (
        key,
        number,
        added_us,
        version,
        received_ms,
        state,
        reason,
        kind,
        tlp,
        confidence,
        first,
        last,
        ends,
        value,
        raw,
    ) = row
    state = _STATES[state]
    if state is State.LIVE and ends is not None and ends <= now_ms:
        state = State.ENDED
    body = None if raw is None else _decode(raw)
    if body is None or release_is_over(body, now_ms):
        return Ended(
            id=indicator_id(key),
            origin=origins[number],
            state=state,
            reason=reason,
            version=version,
            received_ms=received_ms,
            added_us=added_us,
        )
    return Entry(
        id=indicator_id(key),
        origin=origins[number],
        type=_TYPES[kind],
        value=value,
        state=state,
        reason=reason,
        version=version,
        received_ms=received_ms,
        added_us=added_us,
        tlp=_LABELS[tlp],
        pap=body.pap,
        releasable_to=body.releasable_to,
        caveats=body.caveats,
        confidence=confidence,
        labels=body.labels,
        techniques=techniques_in(body.labels),
        first_seen_ms=first,
        last_seen_ms=last,
        sightings=body.sightings,
        valid_until_ms=body.valid_until_ms,
        release_expires_ms=body.release_expires_ms,
        registered_domain=body.registered_domain,
        asn=body.asn,
        country=body.country,
        tearline=body.tearline,
        special_use=body.special_use,
        warninglists=body.warninglists,
        source_count=body.source_count,
        descriptions=body.descriptions,
    )


def release_is_over(body: Body, now_ms: int) -> bool:
    """Whether the release was for a limited time that is over: then the content may not be kept."""
    return body.release_expires_ms is not None and body.release_expires_ms <= now_ms


def body_of(raw: bytes) -> Body:
    """What ``columns_of`` encoded."""
    return _decode(raw)


def words_of(value: str | None, body: bytes | None) -> str:
    """The text of a row in the word index: to take it out again, the same text has to be given."""
    if value is None or body is None:
        return ""
    found = _decode(body)
    return indexed((value, *found.labels, found.tearline, *found.descriptions))


def sources_of(raw: bytes) -> list[dict[str, Any]]:
    """The sources' assertions of a national record, as its schema has them."""
    return cast("list[dict[str, Any]]", msgspec.msgpack.decode(raw))


def key_of(text: str) -> bytes | None:
    """The 16 bytes of an indicator's id; None if it is invalid."""
    try:
        return key_of_id(text)
    except ValueError:
        return None


def tlp_label(code: int) -> str:
    """``TLP:GREEN`` of its code."""
    return _LABELS[code]


def origins_in(database: sqlite3.Connection) -> dict[int, str]:
    """The names of origins by their numbers."""
    return dict(database.execute("SELECT number, name FROM origin").fetchall())
