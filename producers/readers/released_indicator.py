"""Reads what another exchange has released: indicators as ``kakehashi tail``, ``export`` and ``get --json`` print them.

Each record is a version of one indicator from one origin; markings and releasability are kept unchanged. A record
of the origin's that ends an indicator ends what older versions of it asserted. What comes from one of our own nations,
or has passed through one, has gone round in a circle and is left out: its own exchange has it, with its own sources.

The form is that of docs/indicator.schema.json; the content may also be nested, as in ``released_indicator.v2.avsc``.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

from producers.inputs import OpenInput
from producers.markings.marked import Marked, joined, unrecognised
from producers.markings.properties import of_properties
from producers.markings.understanding import of_file_names, of_prose, of_tag
from producers.readers.document import plain, repeated_keys
from producers.readers.json_records import Record, records
from producers.readers.not_carried import kind_named, not_carried
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, Emptied, LeftOut, Reading, Seen, rejected
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.vocabulary import TYPE_BY_LABEL, RejectReason

_OWN: Final = "own-nation"
_ENDED: Final = "ended"
_GONE: Final = frozenset({"removed", "unreadable"})
_MOST_MS: Final = 253_402_300_799_999  # the end of the year 9999
_CONTENT: Final = "content"
_KINDS: Final = frozenset({_CONTENT, "expired", "revoked", "recalled"})
_ID: Final = re.compile(rb'"id"\s*:\s*"indicator--[0-9a-f-]{36}"')
_ORIGIN: Final = re.compile(rb'"origin"\s*:\s*"[A-Z]{3}"')
_NOT_ABOUT_SHARING: Final = frozenset(
    {
        *("state", "id", "kind", "version", "origin", "hops", "reason", "received_ms", "type", "value", "marking"),
        *("confidence", "labels", "techniques", "first_seen_ms", "last_seen_ms", "sightings", "valid_until_ms"),
        *("release_expires_ms", "registered_domain", "asn", "country", "source_count", "special_use", "warninglists"),
        *("recalled_through", "content", "tlp", "pap", "releasable_to", "caveats", "key", "added_us"),
    }
)


class _Stated(msgspec.Struct):
    """A marking, of which every part must be there."""

    tlp: str
    pap: str
    releasable_to: tuple[str, ...] | None
    caveats: tuple[str, ...]


class _Content(msgspec.Struct):
    """The content of a record."""

    type: str
    value: str
    confidence: int = -1
    labels: tuple[str, ...] = ()
    first_seen_ms: int = 0
    last_seen_ms: int = 0
    sightings: int = 0
    valid_until_ms: int = 0
    release_expires_ms: int = 0
    tearline: str = ""


class _Head(msgspec.Struct):
    """What every record has."""

    id: str
    kind: str
    version: Annotated[int, msgspec.Meta(ge=0, le=_MOST_MS)]
    origin: str
    hops: tuple[str, ...] = ()
    state: str = ""
    reason: str = ""
    content: msgspec.Raw = msgspec.Raw()


def _read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    of_file, count = of_file_names(source.names), 0
    for record in records(source, defaults.encoding):
        count += 1
        if isinstance(record, Record):
            yield from _readings(record, of_file, defaults)
        else:
            yield record
    source.records = count


def _readings(record: Record, around: Marked, defaults: Defaults) -> Iterator[Reading]:
    try:
        if repeated_keys(record.content):
            raise ValueError("an object in it has a key twice, so the record contradicts itself")
        head = msgspec.json.decode(record.content, type=_Head)
        thing: dict[str, Any] = plain(record.content)
        is_nested = bytes(head.content).startswith(b"{")
        inner = bytes(head.content) if is_nested else record.content
        content = msgspec.json.decode(inner, type=_Content) if _has_content(head) else None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        detail = f"no record of an exchange: {str(error)[:200]}"
        yield rejected(record.place, RejectReason.UNDECODABLE, detail, record.content)
        return
    name = f"{head.origin} {head.id}"
    passed = sorted({head.origin, *head.hops} & defaults.parties)
    if passed:
        yield LeftOut(record.place, _OWN, f"{head.id} from {head.origin}, by {', '.join(passed)}")
    elif content is None:
        yield LeftOut(record.place, _ENDED, f"{name}: {head.kind} {head.reason}".rstrip())
        yield Emptied(record.place, name, head.version)
    elif content.type not in TYPE_BY_LABEL:
        detail = f"{name} is of type {content.type[:80]!r}"
        yield not_carried(record.place, kind_named(content.type[:80]), detail, record.content)
        yield Emptied(record.place, name, head.version)
    else:
        found = _marking(inner, thing, is_nested=is_nested).join(_of_texts(content)).join(around)
        found = found.with_default(defaults.marking)
        yield Seen(record.place, _observation(head, content, found, defaults), found.origins, name, head.version)


def _has_content(head: _Head) -> bool:
    if head.kind not in _KINDS:
        raise ValueError(f"kind is {head.kind[:40]!r}, not one of {', '.join(sorted(_KINDS))}")
    return head.kind == _CONTENT and head.state not in _GONE


def _marking(inner: bytes, thing: dict[str, Any], *, is_nested: bool) -> Marked:
    """The record's marking, and what properties that the form does not have state. A part that is missing holds."""
    beside = of_properties(thing, _NOT_ABOUT_SHARING, "record")
    if is_nested:
        beside = beside.join(of_properties(plain(inner), _NOT_ABOUT_SHARING, "content"))
    try:
        raw = inner if is_nested else msgspec.json.decode(inner, type=dict[str, msgspec.Raw])["marking"]
        stated = msgspec.json.decode(raw, type=_Stated)
    except (msgspec.DecodeError, KeyError) as error:
        return unrecognised(f"marking: {error}", "marking").join(beside)
    marking = SourceMarking(stated.tlp, stated.pap, stated.releasable_to, stated.caveats)
    return Marked(marking, ("marking",)).join(beside)


def _of_texts(content: _Content) -> Marked:
    """What labels and tearline state about sharing, and the labels."""
    of_labels = joined(of_tag(label, "label") for label in content.labels)
    return of_labels.join(of_prose(content.tearline, "tearline"))


def _observation(head: _Head, content: _Content, found: Marked, defaults: Defaults) -> Observation:
    ends = [at for at in (content.valid_until_ms, content.release_expires_ms) if at]
    facts = (
        ("origin", head.origin),
        ("hops", ", ".join(head.hops)),
        ("indicator", head.id),
        ("sightings", str(content.sightings or "")),
        ("origin-tearline", content.tearline),
    )
    stated = [each for each in (content.confidence, found.confidence) if each is not None and each >= 0]
    return Observation(
        kind=TYPE_BY_LABEL[content.type],
        value=content.value,
        first_seen_ms=content.first_seen_ms,
        last_seen_ms=content.last_seen_ms,
        confidence=min(stated, default=defaults.confidence),
        valid_until_ms=min(ends, default=0),
        marking=found.marking,
        labels=tuple(dict.fromkeys((*found.labels, *defaults.labels))),
        context=tuple(fact for fact in facts if fact[1]),
    )


def _recognise(head: Head) -> Recognition | None:
    start = head.start[: 64 << 10]
    if not start.startswith((b"{", b"[")) or b'"version"' not in start:
        return None
    found = _ID.search(start)
    return Recognition(Specificity.WORDS) if found and _ORIGIN.search(start) else None


READER: Final = Reader(
    name="released-indicator",
    reads="indicators that another exchange has released, as `tail --json` and `export` print them: each version once, "
    "with its marking and releasability; origin and hops are kept as context",
    leaves_out={
        _OWN: "indicators that come from one of our own nations, or have passed through one",
        _ENDED: "records that end an indicator: what older versions asserted is withdrawn",
    },
    example=b'{"state": "live", "id": "indicator--6a1f0001-0000-5000-8000-000000000001", "kind": "content", '
    b'"version": 1763625600000, "origin": "DEU", "type": "domain-name", "value": "bad.example.com", "marking": '
    b'{"tlp": "TLP:GREEN", "pap": "", "releasable_to": ["FRA", "GBR"], "caveats": []}, "confidence": 60, '
    b'"labels": ["c2"], "first_seen_ms": 1763539200000, "last_seen_ms": 1763539200000, "sightings": 2, '
    b'"valid_until_ms": 0, "release_expires_ms": 0, "received_ms": 1763625601000}\n',
    recognise=_recognise,
    read=_read,
    unit="record",
)
