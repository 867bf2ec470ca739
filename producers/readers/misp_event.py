"""Reads MISP's JSON: one event, several in a ``response``, a list of them, or a collection of attributes.

An attribute is an observation if it is ``to_ids``: MISP's word for "fit for automatic detection". A ``to_ids``
attribute of a type that the exchange does not carry is refused alone, and so is one with the same key twice.

What ends an assertion: ``to_ids`` off, a deleted attribute or object, an event that is no longer published, and a tag
that states that it is wrong. An event that never was published is its author's draft, and holds. Of several versions of
one attribute the newest counts; of several of the same time all do, the strictest of each. An event that is whole
(``misp_document``) ends what it does not have any more.

``misp_markings`` reads the statements about sharing, ``misp_attribute`` the value.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, joined, names_people
from producers.markings.properties import of_properties
from producers.markings.understanding import of_file_names
from producers.readers.document import document, plain, repeated_keys
from producers.readers.misp_attribute import Attribute, Values, carries, sightings_of, times_of, values_of
from producers.readers.misp_context import (
    DELETED,
    UNPUBLISHED,
    Around,
    Event,
    around_of,
    moment,
    searched,
)
from producers.readers.misp_document import events, is_whole, parts_of, states_anything
from producers.readers.misp_index import INDEX, is_index, left_out
from producers.readers.misp_markings import KNOWN, sharing_of
from producers.readers.misp_object import attributes_of
from producers.readers.not_carried import kind_named, not_carried
from producers.readers.reader import Head, Reader, Recognition, Specificity, first_of
from producers.readers.reading import (
    Aside,
    Defaults,
    Emptied,
    LeftOut,
    Reading,
    Rejected,
    Seen,
    Whole,
    Withdrawn,
    rejected,
)
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal

_NOT_TO_IDS: Final = "not-to-ids"
_WRONG: Final = "tagged-as-wrong"
_SUPERSEDED: Final = "superseded"
_PROPOSAL: Final = "proposal"
_SIGHTING: Final = "sighting"
_PART: Final = "part-of-object"
_WORDS: Final = (b'"Event"', b'"Attribute"', b'"to_ids"')
_TWICE: Final = "has the same key twice, so what it says is unknown"


class _Version(msgspec.Struct, frozen=True):
    """One attribute of the document, or why it cannot be read."""

    place: SourcePlace
    raw: bytes
    around: Around
    attribute: Attribute | None
    problem: str = ""
    modified_ms: int = 0
    found: Marked = NOTHING
    ended: str = ""


class _Newest(msgspec.Struct, frozen=True):
    """The newest versions of one attribute, all of one time: their statements, how they end it, and their values."""

    modified_ms: int
    found: Marked
    ended: str
    values: frozenset[str]


def _newest_of(versions: list[_Version]) -> _Newest:
    last_ms = max(each.modified_ms for each in versions)
    newest = [each for each in versions if each.modified_ms == last_ms]
    ended = next((each.ended for each in newest if each.ended), "")
    values = frozenset(str(each.attribute.value) for each in newest if each.attribute)
    return _Newest(last_ms, joined(each.found for each in newest), ended, values)


def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """One reading or more for each attribute; ``place.line`` counts attributes and proposals of the document."""
    if is_index(Head(source.head, source.name)):
        yield from left_out(source)
        return
    parsed = document(source, defaults.encoding, msgspec.Raw)
    if isinstance(parsed, Rejected):
        yield parsed
        return
    repeats = repeated_keys(parsed)
    if repeats > sum(repeated_keys(found.raw) for found in events(parsed)):
        place = SourcePlace(source.name, 0)
        yield rejected(place, RejectReason.UNDECODABLE, f"the document {_TWICE}", bytes(parsed))
        return
    doubtful = bool(repeats)
    is_asked = _NOT_TO_IDS in defaults.include
    pieces = list(_pieces(parsed, source.names, doubtful=doubtful, is_asked=is_asked))
    source.records = sum(not isinstance(piece, Aside) for piece in pieces)
    versions = dict[str, list[_Version]]()
    for piece in pieces:
        if isinstance(piece, _Version) and piece.attribute is not None and piece.attribute.uuid:
            versions.setdefault(piece.attribute.uuid, []).append(piece)
    newest = {uuid: _newest_of(of_one) for uuid, of_one in versions.items()}
    for piece in pieces:
        if not isinstance(piece, _Version):
            yield piece
        elif piece.attribute is None:
            yield rejected(piece.place, RejectReason.UNDECODABLE, piece.problem, piece.raw)
        else:
            known = newest.get(piece.attribute.uuid) or _newest_of([piece])
            yield from _readings(piece, piece.attribute, known, defaults)


def _pieces(
    parsed: msgspec.Raw, names: tuple[str, ...], *, doubtful: bool, is_asked: bool
) -> Iterator[_Version | Reading]:
    number, of_names = 0, of_file_names(names)
    for found in events(parsed):
        raw = found.raw
        outer = of_names.join(joined(of_properties(each, KNOWN["event"], "document") for each in found.beside))
        try:
            event = msgspec.json.decode(raw, type=Event, strict=False)
            inner = sum(map(repeated_keys, parts_of(event))) if doubtful else 0
            problem = _TWICE if doubtful and repeated_keys(raw) > inner else ""
            problem = problem or (
                "" if states_anything(event, raw) else "it has neither uuid nor attributes nor objects"
            )
        except msgspec.ValidationError as error:
            event, problem = Event(), str(error)
        if problem:
            number += 1
            detail = f"not a MISP event: {problem}"
            yield rejected(SourcePlace(names[0], number), RejectReason.UNDECODABLE, detail, bytes(raw))
            continue
        around = around_of(event, plain(raw), outer)
        attributes = []
        for attribute, inside, stands in attributes_of(event, around, is_asked=is_asked):
            number += 1
            place = SourcePlace(names[0], number)
            version = _version(attribute, place, inside, doubtful=doubtful, is_asked=is_asked, stands=stands)
            attributes.append(version.attribute)
            yield version
        for _ in event.ShadowAttribute:
            number += 1
            yield LeftOut(SourcePlace(names[0], number), _PROPOSAL, event.uuid)
        if around.group is not None and is_whole(event, found, attributes):
            ids = frozenset(each.uuid for each in attributes if each is not None)
            yield Whole(SourcePlace(names[0], number), around.group, ids, is_express=bool(event.deleted))


def _version(
    raw: msgspec.Raw, place: SourcePlace, around: Around, *, doubtful: bool, is_asked: bool, stands: bool
) -> _Version:
    if doubtful and repeated_keys(raw):
        return _Version(place, bytes(raw), around, None, f"the attribute {_TWICE}")
    try:
        attribute = msgspec.json.decode(raw, type=Attribute, strict=False)
        around = searched(attribute, around)
    except msgspec.ValidationError as error:
        return _Version(place, bytes(raw), around, None, f"not a MISP attribute: {error}")
    own = sharing_of(attribute, "attribute", {"comment": attribute.comment}, plain(raw))
    found = own.within(around.sharing).found
    ended = DELETED if attribute.deleted else around.ended or (_WRONG if found.withdrawn else "")
    if not ended and not attribute.to_ids and not (is_asked and isinstance(_values_in(attribute), Values)):
        ended = _NOT_TO_IDS
    if not ended and not stands:
        ended = _PART
    modified_ms = max(moment(attribute.timestamp), around.modified_ms)
    return _Version(place, bytes(raw), around, attribute, "", modified_ms, found, ended)


def _values_in(attribute: Attribute) -> Values | str:
    return values_of(attribute) if carries(attribute) else ""


def _readings(version: _Version, attribute: Attribute, newest: _Newest, defaults: Defaults) -> Iterator[Reading]:
    place = version.place
    ended = newest.ended if version.modified_ms == newest.modified_ms else _SUPERSEDED
    yield from (LeftOut(place, _PROPOSAL, attribute.uuid) for _ in attribute.ShadowAttribute)
    yield from (LeftOut(place, _SIGHTING, attribute.uuid) for _ in sightings_of(attribute))
    if times_of(attribute) is None and ended in ("", _SUPERSEDED):
        detail = f"{attribute.uuid}: first_seen, last_seen or timestamp is not a time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, version.raw)
    elif ended:
        yield from _ended(version, attribute, ended, newest)
    elif not carries(attribute):
        detail = f"{attribute.uuid or 'an attribute'} is of type {attribute.type!r}"
        yield not_carried(place, kind_named(attribute.type), detail, version.raw)
        yield from _emptied(version, attribute)
    else:
        yield from _asserted(version, attribute, newest.found.with_default(defaults.marking), defaults)


def _ended(version: _Version, attribute: Attribute, rule: str, newest: _Newest) -> Iterator[Reading]:
    """The values that end; empty if the attribute never asserted any, or if a newer version still has the value."""
    values = _values_in(attribute)
    is_still = rule == _SUPERSEDED and str(attribute.value) in newest.values
    if isinstance(values, str) or attribute.to_ids is None or is_still:
        yield LeftOut(version.place, rule, attribute.uuid or attribute.type)
        if rule != _SUPERSEDED and (rule != _NOT_TO_IDS or attribute.to_ids is not None):
            yield from _emptied(version, attribute)
        return
    for kind, value in values.indicators:
        yield Withdrawn(
            version.place,
            rule,
            attribute.uuid,
            kind=kind,
            value=value,
            withdrawal=Withdrawal.REVOKED,
            object_id=attribute.uuid,
            modified_ms=newest.modified_ms,
            implied=rule in (_NOT_TO_IDS, _PART),
            group=version.around.group,
        )


def _emptied(version: _Version, attribute: Attribute) -> Iterator[Emptied]:
    if attribute.uuid:
        yield Emptied(version.place, attribute.uuid, version.modified_ms, version.around.group)


def _asserted(version: _Version, attribute: Attribute, found: Marked, defaults: Defaults) -> Iterator[Reading]:
    first_ms, last_ms = times_of(attribute) or (0, 0)
    values = values_of(attribute)
    if isinstance(values, str):
        yield rejected(version.place, RejectReason.INVALID_VALUE, f"{attribute.uuid}: {values}", version.raw)
        return
    facts = (
        ("misp-event", version.around.event_uuid),
        ("event", version.around.event_info),
        ("misp-attribute", attribute.uuid),
        ("category", attribute.category),
        ("object", version.around.object_name),
    )
    template = Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value="",
        first_seen_ms=first_ms,
        last_seen_ms=last_ms,
        confidence=found.confidence
        if found.confidence is not None
        else defaults.confidence
        if attribute.to_ids
        else -1,
        marking=names_people(found.marking) if attribute.type == "email-attachment" else found.marking,
        labels=tuple(dict.fromkeys((*found.labels, *defaults.labels))),
        description=attribute.comment or "",
        context=(*((name, fact) for name, fact in facts if fact), *values.context),
    )
    for kind, value in values.indicators:
        observation = msgspec.structs.replace(template, kind=kind, value=value)
        group = version.around.group
        yield Seen(version.place, observation, found.origins, attribute.uuid, version.modified_ms, group)


def _recognise(head: Head) -> Recognition | None:
    return Recognition(Specificity.WORDS) if is_index(head) else first_of(head, _WORDS)


READER: Final = Reader(
    name="misp-event",
    reads="attributes that are `to_ids`; markings by tags, distribution and texts of event, object and attribute",
    leaves_out={
        _NOT_TO_IDS: "attributes that are not `to_ids`: withdrawn if they were before",
        DELETED: "deleted attributes and the attributes of deleted objects: withdrawn",
        UNPUBLISHED: "attributes of an event that is no longer published: withdrawn",
        _WRONG: "attributes that a tag calls wrong or over: withdrawn",
        _SUPERSEDED: "older versions of an attribute; a value that the newest one does not have: withdrawn",
        _PART: "parts of an object that describes one thing, not specific by themselves: withdrawn if they were before",
        _PROPOSAL: "proposals, also those to delete the attribute",
        INDEX: "`manifest.json` and `hashes.csv` of a feed, which have no values of their own",
        _SIGHTING: "sightings: they state when the value was first and last seen",
    },
    on_request={_NOT_TO_IDS: "the value, if the exchange has its type"},
    example=b"""{"Event": {"uuid": "6a1f0001-0000-4000-8000-000000000001", "info": "made up", "distribution": "3",
 "Tag": [{"name": "tlp:green"}], "Attribute": [
 {"uuid": "6a1f0001-0000-4000-8000-000000000002", "type": "domain", "value": "bad.example.com", "to_ids": true},
 {"uuid": "6a1f0001-0000-4000-8000-000000000003", "type": "comment", "value": "made up", "to_ids": false}]}}
""",
    recognise=_recognise,
    read=read,
    unit="attribute",
    grows=False,
)
