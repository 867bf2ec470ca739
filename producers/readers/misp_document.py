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
_ABSENT: Final = msgspec.Raw()


class _Wrapped(msgspec.Struct):
    Event: msgspec.Raw = _ABSENT
    response: msgspec.Raw = _ABSENT


class Found(msgspec.Struct, frozen=True):
    """An event of a document; ``is_export`` if it is under ``Event`` and not in a ``response``."""

    raw: msgspec.Raw
    is_export: bool


def events(parsed: msgspec.Raw, depth: int = MAX_WRAPPINGS, *, searched: bool = False) -> Iterator[Found]:
    """The events of a document. Bare attributes are an event that states nothing."""
    if depth and bytes(memoryview(parsed)[:1]) == b"[":
        for part in msgspec.json.decode(parsed, type=list[msgspec.Raw]):
            yield from events(part, depth - 1, searched=searched)
        return
    try:
        wrapped = msgspec.json.decode(parsed, type=_Wrapped)
    except msgspec.ValidationError:
        wrapped = _Wrapped()
    if depth and bytes(wrapped.response):
        yield from events(wrapped.response, depth - 1, searched=True)
    elif bytes(wrapped.Event):
        yield Found(wrapped.Event, not searched)
    else:
        yield Found(parsed, False)


def wrapping(parsed: msgspec.Raw) -> dict[str, Any]:
    """What is beside the events of a document."""
    try:
        found = msgspec.json.decode(parsed, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return {}
    inner = {"Event", "response"} & set(found)
    return {name: plain(raw) for name, raw in found.items() if name not in inner} if inner else {}


def parts_of(event: Event) -> Iterator[msgspec.Raw]:
    """The attributes of an event, those of its objects too: the parts that are refused alone."""
    yield from event.Attribute
    for raw in event.Object:
        try:
            yield from msgspec.json.decode(raw, type=Object, strict=False).Attribute
        except msgspec.ValidationError:
            yield raw


def is_whole(event: Event, found: Found, attributes: Sequence[Attribute | None]) -> bool:
    """Whether an event that was read is all of it. ``None`` among its attributes is one that could not be read."""
    if not event.uuid or None in attributes or not all(each is None or each.uuid for each in attributes):
        return False
    stated = str(event.attribute_count if event.attribute_count is not None else "").strip()
    if not stated:
        return found.is_export
    return stated.isdigit() and sum(each is not None and not each.deleted for each in attributes) >= int(stated)
