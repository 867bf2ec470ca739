"""The events of a MISP document, however they are wrapped; and which are whole, so that what they lack is gone.

``{"Event": …}`` is a whole event: MISP's export, and a file of a MISP feed. An event in a ``response`` is the answer to
a search, which may have left attributes out. Either is whole only if it has as many attributes as its
``attribute_count`` states, deleted ones aside; in a ``response`` the count must be there.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from producers.readers.document import plain
from producers.readers.misp_attribute import Attribute
from producers.readers.misp_context import Event, Object

MAX_WRAPPINGS: Final = 4
_RESPONSE: Final = "response"
_EVENT: Final = "Event"
_PARTS: Final = ("Attribute", "Object")
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Found(msgspec.Struct, frozen=True):
    """An event of a document; ``is_export`` if it is under ``Event`` and not in a ``response``.

    ``beside`` are the properties around it.
    """

    raw: msgspec.Raw
    is_export: bool
    beside: tuple[dict[str, Any], ...] = ()


def events(parsed: msgspec.Raw, depth: int = MAX_WRAPPINGS, *, searched: bool = False) -> Iterator[Found]:
    """The events of a document. Bare attributes and objects are an event that states nothing."""
    if depth and _begins(parsed, b"["):
        for part in msgspec.json.decode(parsed, type=list[msgspec.Raw]):
            yield from events(part, depth - 1, searched=searched)
        return
    try:
        members = _MEMBERS.decode(parsed)
    except msgspec.ValidationError:
        yield Found(parsed, False)
        return
    inner = _RESPONSE if depth and _RESPONSE in members else _EVENT
    if inner not in members:
        yield Found(_as_event(members, parsed), False)
        return
    beside = {name: plain(raw) for name, raw in members.items() if name not in (inner, *_PARTS)}
    if inner == _RESPONSE:
        found = events(members[_RESPONSE], depth - 1, searched=True)
    elif depth and _begins(members[_EVENT], b"["):
        found = (each for each in events(members[_EVENT], depth - 1, searched=searched))
    elif any(name in members for name in _PARTS) and _begins(members[_EVENT], b"{"):  # as MISP publishes by ZeroMQ
        found = iter((Found(_with_parts(_MEMBERS.decode(members[_EVENT]), members), False),))
    else:
        found = iter((Found(members[_EVENT], not searched),))
    for each in found:
        yield msgspec.structs.replace(each, beside=(beside, *each.beside)) if beside else each


def _begins(raw: msgspec.Raw, sign: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == sign


def _as_event(members: dict[str, msgspec.Raw], parsed: msgspec.Raw) -> msgspec.Raw:
    """An object without ``Event`` as one: it is one, or an attribute, or has an attribute or object that is no list."""
    if "type" in members and "value" in members:
        return msgspec.Raw(b'{"Attribute": [' + bytes(parsed) + b"]}")
    is_listed = all(_begins(members[name], b"[") for name in _PARTS if name in members)
    return parsed if is_listed else _with_parts({}, members)


def _with_parts(event: dict[str, msgspec.Raw], members: dict[str, msgspec.Raw]) -> msgspec.Raw:
    """An event with the attributes and objects that are beside it."""
    whole: dict[str, Any] = {
        **{name: raw for name, raw in members.items() if not event and name not in _PARTS},
        **event,
    }
    for name in _PARTS:
        lists = [_items(each[name]) for each in (event, members) if name in each]
        whole[name] = [raw for items in lists for raw in items]
    return msgspec.Raw(msgspec.json.encode(whole))


def _items(raw: msgspec.Raw) -> list[msgspec.Raw]:
    return msgspec.json.decode(raw, type=list[msgspec.Raw]) if _begins(raw, b"[") else [raw]


def parts_of(event: Event) -> Iterator[msgspec.Raw]:
    """The attributes of an event, those of its objects too: the parts that are refused alone."""
    yield from event.Attribute
    for raw in event.Object:
        try:
            yield from msgspec.json.decode(raw, type=Object, strict=False).Attribute
        except msgspec.ValidationError:
            yield raw


def states_anything(event: Event, raw: msgspec.Raw) -> bool:
    """Whether an object is an event at all: it has a name or a list of attributes, if that is empty."""
    return bool(event.uuid or event.info or not _MEMBERS.decode(raw).keys().isdisjoint((*_PARTS, "ShadowAttribute")))


def is_whole(event: Event, found: Found, attributes: Sequence[Attribute | None]) -> bool:
    """Whether an event that was read is all of it. ``None`` among its attributes is one that could not be read."""
    if not event.uuid or None in attributes or not all(each is None or each.uuid for each in attributes):
        return False
    stated = str(event.attribute_count if event.attribute_count is not None else "").strip()
    if not stated:
        return found.is_export
    return stated.isdigit() and sum(each is not None and not each.deleted for each in attributes) >= int(stated)
