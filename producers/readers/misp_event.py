"""Reads MISP's JSON: one event, several in a ``response``, a list of them, or a collection of attributes.

An attribute is an observation if it is ``to_ids``, which is MISP for "fit for automatic detection". All others are
context for people, and are left out, as are deleted attributes. A ``to_ids`` attribute of a type that the exchange does
not carry is refused alone.

Markings are the tags of the taxonomies ``tlp`` and ``PAP``; event, object and attribute join to the strictest.
Distribution narrows further: "your organisation only", "this community only" and a sharing group name nobody
whom we could send to. Other tags are labels. Types and their meaning: misp-core-format, section 2.4.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

import msgspec

from producers.inputs import Input
from producers.readers.document import document
from producers.readers.reader import Head, Reader, Recognition, first_of
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from producers.readers.source_marking import UNSTATED, marking_of_tags, stricter
from producers.readers.times import milliseconds, seconds
from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

_NOT_TO_IDS: Final = "not-to-ids"
_DELETED: Final = "deleted"
_WORDS: Final = (b'"Event"', b'"Attribute"', b'"to_ids"')

_IP = IndicatorType.IPV4_ADDR  # of the four types of address and network: normalising tells them by the value
_NAME = IndicatorType.FILE_NAME

# Of each part of a value that "|" divides: its type, or a word of context.
_PARTS: Final[dict[str, tuple[IndicatorType | str, ...]]] = {
    **dict.fromkeys(("ip-src", "ip-dst"), (_IP,)),
    **dict.fromkeys(("ip-src|port", "ip-dst|port"), (_IP, "port")),
    **dict.fromkeys(("domain", "hostname"), (IndicatorType.DOMAIN_NAME,)),
    "hostname|port": (IndicatorType.DOMAIN_NAME, "port"),
    "domain|ip": (IndicatorType.DOMAIN_NAME, _IP),
    "url": (IndicatorType.URL,),
    "md5": (IndicatorType.FILE_MD5,),
    "sha1": (IndicatorType.FILE_SHA1,),
    "sha256": (IndicatorType.FILE_SHA256,),
    "sha512": (IndicatorType.FILE_SHA512,),
    **dict.fromkeys(("filename", "email-attachment"), (_NAME,)),
    # A file is known by its hash: its name beside it may be any that a victim gave it.
    **dict.fromkeys(("filename|md5", "malware-sample"), ("file-name", IndicatorType.FILE_MD5)),
    "filename|sha1": ("file-name", IndicatorType.FILE_SHA1),
    "filename|sha256": ("file-name", IndicatorType.FILE_SHA256),
    "filename|sha512": ("file-name", IndicatorType.FILE_SHA512),
    **dict.fromkeys(("email", "email-src", "email-dst", "email-reply-to"), (IndicatorType.EMAIL_ADDR,)),
    "AS": (IndicatorType.AUTONOMOUS_SYSTEM,),
    "ja3-fingerprint-md5": (IndicatorType.JA3,),
}
_UNDIVIDED: Final = frozenset({"url", "filename", "email-attachment"})  # where "|" may be part of the value
# Your organisation only, this community only, a sharing group.
_NOBODY_ABROAD: Final = frozenset({"0", "1", "4"})
_MAX_WRAPPINGS: Final = 4


_ABSENT: Final = msgspec.Raw()


class _Tag(msgspec.Struct):
    name: str = ""


class _Attribute(msgspec.Struct):
    type: str
    value: Any
    to_ids: bool = False
    deleted: bool = False
    uuid: str = ""
    category: str = ""
    comment: str | None = None
    timestamp: str | int | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    distribution: str | int | None = None
    Tag: list[_Tag] = msgspec.field(default_factory=list)


class _Object(msgspec.Struct):
    name: str | None = None
    deleted: bool = False
    distribution: str | int | None = None
    Attribute: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Event(msgspec.Struct):
    uuid: str = ""
    info: str | None = None
    distribution: str | int | None = None
    Tag: list[_Tag] = msgspec.field(default_factory=list)
    Attribute: list[msgspec.Raw] = msgspec.field(default_factory=list)
    Object: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Wrapped(msgspec.Struct):
    Event: msgspec.Raw = _ABSENT
    response: msgspec.Raw = _ABSENT


class _Around(msgspec.Struct, frozen=True):
    """The event and the object that an attribute is part of."""

    event_uuid: str
    event_info: str
    object_name: str
    marking: SourceMarking
    labels: tuple[str, ...]
    is_deleted: bool = False


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each ``to_ids`` attribute, or two; ``place.line`` counts all attributes of the document."""
    parsed = document(source, defaults.encoding, msgspec.Raw)
    if isinstance(parsed, Rejected):
        yield parsed
        return
    number = 0
    for raw in _events(parsed, _MAX_WRAPPINGS):
        try:
            event = msgspec.json.decode(raw, type=_Event, strict=False)
        except msgspec.ValidationError as error:
            source.records = number = number + 1
            place = SourcePlace(source.name, number)
            yield rejected(place, RejectReason.UNDECODABLE, f"not a MISP event: {error}", bytes(raw))
            continue
        for attribute, around in _attributes(event, defaults):
            source.records = number = number + 1
            yield from _readings(attribute, SourcePlace(source.name, number), around, defaults)


def _events(parsed: msgspec.Raw, depth: int) -> Iterator[msgspec.Raw]:
    """The events of a document, however they are wrapped. Bare attributes are an event that says nothing."""
    if depth and bytes(memoryview(parsed)[:1]) == b"[":
        for part in msgspec.json.decode(parsed, type=list[msgspec.Raw]):
            yield from _events(part, depth - 1)
        return
    try:
        wrapped = msgspec.json.decode(parsed, type=_Wrapped)
    except msgspec.ValidationError:
        wrapped = _Wrapped()
    if depth and bytes(wrapped.response):
        yield from _events(wrapped.response, depth - 1)
    else:
        yield wrapped.Event if bytes(wrapped.Event) else parsed


def _attributes(event: _Event, defaults: Defaults) -> Iterator[tuple[msgspec.Raw, _Around]]:
    tagged, labels = marking_of_tags(tag.name for tag in event.Tag)
    marking = reduce(stricter, (tagged, _distributed(event.distribution), defaults.marking))
    labels = tuple(dict.fromkeys((*labels, *defaults.labels)))
    around = _Around(event.uuid, event.info or "", "", marking, labels)
    for raw in event.Attribute:
        yield raw, around
    for raw in event.Object:
        try:
            group = msgspec.json.decode(raw, type=_Object, strict=False)
        except msgspec.ValidationError:
            yield raw, around  # it is refused as what it is not: an attribute
            continue
        narrowed = stricter(marking, _distributed(group.distribution))
        within = msgspec.structs.replace(
            around, object_name=group.name or "", marking=narrowed, is_deleted=group.deleted
        )
        for attribute in group.Attribute:
            yield attribute, within


def _distributed(level: str | int | None) -> SourceMarking:
    return SourceMarking(releasable_to=()) if str(level) in _NOBODY_ABROAD else UNSTATED


def _readings(raw: msgspec.Raw, place: SourcePlace, around: _Around, defaults: Defaults) -> Iterator[Reading]:
    try:
        attribute = msgspec.json.decode(raw, type=_Attribute, strict=False)
    except msgspec.ValidationError as error:
        yield rejected(place, RejectReason.UNDECODABLE, f"not a MISP attribute: {error}", bytes(raw))
        return
    if attribute.deleted or around.is_deleted:
        yield LeftOut(place, _DELETED, attribute.uuid)
        return
    if not attribute.to_ids:
        yield LeftOut(place, _NOT_TO_IDS, attribute.type)
        return
    kinds = _PARTS.get(attribute.type)
    if kinds is None:
        detail = f"{attribute.uuid or 'an attribute'}: the exchange carries no indicators of type {attribute.type!r}"
        yield rejected(place, RejectReason.UNKNOWN_TYPE, detail, bytes(raw))
        return
    template = _template(attribute, around, defaults)
    if template is None:
        detail = f"{attribute.uuid}: first_seen, last_seen or timestamp is not a time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, bytes(raw))
        return
    value = str(attribute.value)
    parts = [value] if attribute.type in _UNDIVIDED else value.rsplit("|", len(kinds) - 1)
    named = dict(zip(kinds, parts, strict=False))
    context = (*template.context, *((word, part) for word, part in named.items() if isinstance(word, str)))
    for kind, part in named.items():
        if isinstance(kind, IndicatorType):
            yield Seen(place, msgspec.structs.replace(template, kind=kind, value=part, context=context))


def _template(attribute: _Attribute, around: _Around, defaults: Defaults) -> Observation | None:
    """All but type and value; ``None`` where a time that is stated cannot be read."""
    times = _times(attribute)
    if times is None:
        return None
    tagged, labels = marking_of_tags(tag.name for tag in attribute.Tag)
    facts = (
        ("misp-event", around.event_uuid),
        ("event", around.event_info),
        ("misp-attribute", attribute.uuid),
        ("category", attribute.category),
        ("object", around.object_name),
    )
    return Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value="",
        first_seen_ms=times[0],
        last_seen_ms=times[1],
        confidence=defaults.confidence,
        marking=reduce(stricter, (around.marking, tagged, _distributed(attribute.distribution))),
        labels=tuple(dict.fromkeys((*labels, *around.labels))),
        description=attribute.comment or "",
        context=tuple((name, fact) for name, fact in facts if fact),
    )


def _times(attribute: _Attribute) -> tuple[int, int] | None:
    """When it was first and last seen. One of them stands for both; the last edit does where neither is stated."""
    moments = [milliseconds(text) for text in (attribute.first_seen, attribute.last_seen) if text]
    if not moments:
        moments = [seconds(str(attribute.timestamp)) if attribute.timestamp not in (None, "") else 0]
    first, last = moments[0], moments[-1]
    return None if first is None or last is None else (first, last)


def _recognise(head: Head) -> Recognition | None:
    return first_of(head, _WORDS)


READER: Final = Reader(
    name="misp-event",
    reads="attributes that are `to_ids`; markings by the tags `tlp` and `PAP`; distribution narrows further",
    leaves_out={
        _NOT_TO_IDS: "attributes that are not `to_ids`",
        _DELETED: "deleted attributes and the attributes of deleted objects",
    },
    example=b"""{"Event": {"uuid": "6a1f0001-0000-4000-8000-000000000001", "info": "made up", "distribution": "3",
 "Tag": [{"name": "tlp:green"}], "Attribute": [
 {"uuid": "6a1f0001-0000-4000-8000-000000000002", "type": "domain", "value": "bad.example.com", "to_ids": true},
 {"uuid": "6a1f0001-0000-4000-8000-000000000003", "type": "comment", "value": "made up", "to_ids": false}]}}
""",
    recognise=_recognise,
    read=read,
    unit="attribute",
)
