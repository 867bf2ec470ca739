"""The events and objects around MISP attributes: what they state about sharing, and whether they end their content."""

from typing import Any, Final

import msgspec

from producers.markings.marked import NOTHING, Marked, of_caveat
from producers.readers.document import plain
from producers.readers.misp_attribute import Attribute
from producers.readers.misp_markings import Shared, Sharing, sharing_of
from producers.readers.reading import Group
from producers.readers.times import seconds
from schemas.markings import Caveat

DELETED: Final = "deleted"
UNPUBLISHED: Final = "unpublished"


class Object(Shared, kw_only=True):
    """An object: attributes that belong together."""

    name: str | None = None
    comment: str | None = None
    deleted: bool | None = None
    Attribute: list[msgspec.Raw] = msgspec.field(default_factory=list)


class Event(Shared, kw_only=True):
    """An event."""

    info: str | None = None
    published: bool | None = None
    publish_timestamp: str | int | None = None
    attribute_count: str | int | None = None
    deleted: bool | None = None
    Attribute: list[msgspec.Raw] = msgspec.field(default_factory=list)
    Object: list[msgspec.Raw] = msgspec.field(default_factory=list)
    ShadowAttribute: list[msgspec.Raw] = msgspec.field(default_factory=list)


class Around(msgspec.Struct, frozen=True):
    """The event and the object that an attribute is part of; ``ended`` is the rule by which they end its assertion."""

    event_uuid: str = ""
    event_info: str = ""
    object_name: str = ""
    sharing: Sharing = Sharing()
    ended: str = ""
    modified_ms: int = 0
    group: Group | None = None


def around_of(event: Event, thing: dict[str, Any], outer: Marked = NOTHING) -> Around:
    """What an event states; ``thing`` is all of it, ``outer`` the statements around it."""
    sharing = sharing_of(event, "event", {"info": event.info}, thing).within(Sharing(outer))
    published_ms = moment(event.publish_timestamp)
    modified_ms = max(moment(event.timestamp), published_ms)
    is_off = event.published is False
    is_draft = is_off and event.publish_timestamp is not None and not published_ms
    if is_draft:
        draft = of_caveat(Caveat.DRAFT, "event published: false")
        sharing = msgspec.structs.replace(sharing, found=sharing.found.join(draft))
    return Around(
        event.uuid,
        event.info or "",
        "",
        sharing,
        DELETED if event.deleted else UNPUBLISHED if is_off and not is_draft else "",
        modified_ms,
        Group(event.uuid, modified_ms) if event.uuid else None,
    )


def within(group: Object, thing: dict[str, Any], around: Around) -> Around:
    """The same for what is in one of its objects."""
    return msgspec.structs.replace(
        around,
        object_name=group.name or "",
        sharing=sharing_of(group, "object", {"comment": group.comment}, thing).within(around.sharing),
        ended=DELETED if group.deleted else around.ended,
        modified_ms=max(around.modified_ms, moment(group.timestamp)),
    )


def searched(attribute: Attribute, around: Around) -> Around:
    """The answer to a search for attributes has event and object within each attribute."""
    if bytes(attribute.Event).startswith(b"{"):
        event = msgspec.json.decode(attribute.Event, type=Event, strict=False)
        of_event = around_of(event, plain(attribute.Event))
        around = msgspec.structs.replace(of_event, sharing=of_event.sharing.within(around.sharing))
    if bytes(attribute.Object).startswith(b"{"):
        group = msgspec.json.decode(attribute.Object, type=Object, strict=False)
        around = within(group, plain(attribute.Object), around)
    return around


def moment(timestamp: str | int | None) -> int:
    """MISP's seconds since 1970 in milliseconds; 0 if it is invalid."""
    return 0 if timestamp is None else seconds(str(timestamp).strip()) or 0
