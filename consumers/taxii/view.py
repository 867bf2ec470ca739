"""What a client sees of a collection, in the order of added times, a page at a time.

First come the identity and the markings that never change, each with a time before all changes of the picture; then
every indicator with the ``added_us`` of its latest change, and before the first one that needs it each definition of a
caveat or of recipients. An indicator that changes moves to the end, so a client that pages on misses nothing, and gets
no version twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

import msgspec

from consumers.picture.entry import Ended, Entry
from consumers.picture.picture import Picture
from consumers.stix.identifiers import indicator_of_object_id
from consumers.taxii.clients import Client
from consumers.taxii.collections import Collection
from consumers.taxii.objects import Added, explained, fixed, gone, shown
from consumers.taxii.query import Query
from consumers.taxii.times import moment_of
from schemas.markings import Tlp

_SPEC_VERSION: Final = "2.1"
_INDICATOR: Final = "indicator"
_LOOKED_AT: Final = 20_000


class Page(msgspec.Struct, frozen=True):
    """Some objects; with ``more`` there may be others behind ``position_us``."""

    added: tuple[Added, ...]
    more: bool
    position_us: int


@dataclass(frozen=True, slots=True)
class View:
    """One client's view of one collection in a picture.

    The picture gives states as they are stored: what ends without a record is served again when it is stored as ended,
    and not before under its former time. ``now_ms`` is for releases that are over: their content is not served even
    if nobody keeps the picture.
    """

    picture: Picture
    collection: Collection
    client: Client
    now_ms: Callable[[], int]

    def page(self, query: Query) -> Page:
        """What a query asks for, as many as its limit.

        A request looks at some ten thousand objects and no more: a page may have less, and still have more behind it.
        """
        found: list[Added] = []
        position_us = query.after_us
        head_us = self.picture.head_us()  # what is added while this is read is for the next page, all of it
        objects = merge(self._definitions(query, head_us), self._indicators(query, head_us), key=_at)
        for place, added in enumerate(objects):
            if len(found) == query.limit or place == _LOOKED_AT:
                return Page(tuple(found), True, position_us)
            position_us = added.at_us
            if _matches(added, query):
                found.append(added)
        return Page(tuple(found), False, position_us)

    def has(self, stix_id: str) -> bool:
        """Whether the client may know of an object."""
        return bool(self.page(Query(ids=frozenset({stix_id}))).added)

    def _definitions(self, query: Query, head_us: int) -> Iterator[Added]:
        """The last one that never changes has the time at which the picture was made: all changes have a later one."""
        objects = fixed(self.collection.origin)
        added = [
            Added(each, self.picture.made_ms * 1000 + place) for place, each in enumerate(objects, 1 - len(objects))
        ]
        most = query.limit + 1 if not query.ids else -1
        added += [
            Added(explained(each), each.added_us)
            for each in self.picture.handling(
                self.collection.origin, self._ceiling, self.client.use, (query.after_us, head_us), most
            )
        ]
        for each in added:
            is_asked = not query.ids or each.object["id"] in query.ids
            if each.at_us > query.after_us and is_asked and (not query.types or each.object["type"] in query.types):
                yield each

    def _indicators(self, query: Query, head_us: int) -> Iterator[Added]:
        indicators = self._asked(query)
        if (query.types and _INDICATOR not in query.types) or (query.ids and not indicators):
            return
        position_us, size = query.after_us, query.limit + 1
        while True:
            rows = self.picture.within(
                self.collection.origin, self._ceiling, self.client.use, (position_us, head_us), size, indicators
            )
            for entry, is_within in rows:
                position_us = entry.added_us
                yield self._added(entry, is_within=is_within)
            if len(rows) < size:
                return

    def _added(self, entry: Entry | Ended, *, is_within: bool) -> Added:
        is_over = (
            isinstance(entry, Entry)
            and entry.release_expires_ms is not None
            and entry.release_expires_ms <= self.now_ms()
        )
        if isinstance(entry, Entry) and is_within and not is_over:
            return Added(shown(entry), entry.added_us)
        return Added(gone(entry, self._ceiling, ends=is_over), entry.added_us)

    def _asked(self, query: Query) -> tuple[str, ...]:
        """The picture's ids of the indicators that are asked for by id."""
        found = (indicator_of_object_id(self.collection.origin, each) for each in sorted(query.ids))
        return tuple(filter(None, found))

    @property
    def _ceiling(self) -> Tlp:
        return min(self.collection.ceiling, self.client.ceiling)


def _at(added: Added) -> int:
    return added.at_us


def _matches(added: Added, query: Query) -> bool:
    return (not query.spec_versions or _SPEC_VERSION in query.spec_versions) and (
        not query.versions or moment_of(added.version, "version") in query.versions
    )
