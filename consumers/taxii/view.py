"""What a client sees of a collection, in the order of added times, a page at a time.

First come the identity and the markings that never change, each with a time before all changes of the picture; then
every indicator with the ``added_us`` of its latest change, and its sighting a microsecond later. Searches without a
result are changes of their own, after that of their indicator. Before the first one that needs it comes each definition
of a caveat or of recipients, and each identity of a nation that may answer. An indicator that changes moves to the end,
so a client that pages on misses nothing, and gets no version twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

import msgspec

from consumers.picture.entry import Ended, Entry
from consumers.picture.picture import Picture
from consumers.stix.identifiers import indicators_of_object_id
from consumers.taxii.clients import Client
from consumers.taxii.collections import Collection
from consumers.taxii.objects import Added, Object, explained, fixed, gone, searched, shown, sighted
from consumers.taxii.query import Query
from consumers.taxii.times import moment_of
from schemas.markings import Tlp

_SPEC_VERSION: Final = "2.1"
_INDICATOR: Final = "indicator"
_SIGHTING: Final = "sighting"
_LOOKED_AT: Final = 20_000


class Page(msgspec.Struct, frozen=True):
    """Some objects; with ``more`` there may be others after ``position_us``."""

    added: tuple[Added, ...]
    more: bool
    position_us: int


@dataclass(frozen=True, slots=True)
class View:
    """One client's view of one collection in a picture.

    The picture gives states as they are stored: what ends without a record is served again when it is stored as ended,
    and not before under its former time. ``now_ms`` is for releases that are over: their content is not served even
    if no one keeps the picture.
    """

    picture: Picture
    collection: Collection
    client: Client
    now_ms: Callable[[], int]

    def page(self, query: Query) -> Page:
        """The objects that a query asks for, up to its limit.

        A request looks at some ten thousand objects and no more: a page may have less, and still have more after it.
        """
        found: list[Added] = []
        position_us = query.after_us
        head_us = self.picture.head_us()  # what is added while this is read is for the next page, all of it
        objects = merge(
            self._definitions(query, head_us),
            self._indicators(query, head_us),
            self._searches(query, head_us),
            key=_at,
        )
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
            if each.at_us > query.after_us:
                yield each

    def _indicators(self, query: Query, head_us: int) -> Iterator[Added]:
        """Indicators and their sightings. A page may have ended between the two."""
        indicators = self._asked(query)
        if (query.types and not query.types & {_INDICATOR, _SIGHTING}) or (query.ids and not indicators):
            return
        position_us, size = max(query.after_us - 1, 0), query.limit + 2
        while True:
            rows = self.picture.within(
                self.collection.origin, self._ceiling, self.client.use, (position_us, head_us), size, indicators
            )
            for entry, is_within in rows:
                position_us = entry.added_us
                for at_us, found in enumerate(self._objects_of(entry, is_within=is_within), entry.added_us):
                    if found is not None and at_us > query.after_us:
                        yield Added(found, at_us)
            if len(rows) < size:
                return

    def _searches(self, query: Query, head_us: int) -> Iterator[Added]:
        indicators = self._asked(query)
        if (query.types and _SIGHTING not in query.types) or (query.ids and not indicators):
            return
        position_us, size = query.after_us, query.limit + 1
        while True:
            rows = self.picture.not_seen(
                self.collection.origin, self._ceiling, self.client.use, (position_us, head_us), size, indicators
            )
            for entry, is_within, answer in rows:
                position_us = answer.added_us
                is_over = self._is_over(entry)
                is_shown = is_within and not is_over
                yield Added(searched(entry, answer, self._ceiling, is_shown=is_shown, ends=is_over), answer.added_us)
            if len(rows) < size:
                return

    def _objects_of(self, entry: Entry | Ended, *, is_within: bool) -> tuple[Object, Object | None]:
        """An entry's indicator, and its sighting."""
        is_over = self._is_over(entry)
        is_shown = is_within and not is_over
        sighting = sighted(entry, self._ceiling, is_shown=is_shown, ends=is_over)
        if isinstance(entry, Entry) and is_shown:
            return shown(entry), sighting
        return gone(entry, self._ceiling, ends=is_over), sighting

    def _is_over(self, entry: Entry | Ended) -> bool:
        """Whether its release is over, and no one has taken its content out yet."""
        return (
            isinstance(entry, Entry)
            and entry.release_expires_ms is not None
            and entry.release_expires_ms <= self.now_ms()
        )

    def _asked(self, query: Query) -> tuple[str, ...]:
        """The picture's ids of the indicators that are asked for by id, or by that of a sighting."""
        origin = self.collection.origin
        nations = self.picture.answering(origin) if query.ids else ()
        return tuple(name for each in sorted(query.ids) for name in indicators_of_object_id(origin, each, nations))

    @property
    def _ceiling(self) -> Tlp:
        return min(self.collection.ceiling, self.client.ceiling)


def _at(added: Added) -> int:
    return added.at_us


def _matches(added: Added, query: Query) -> bool:
    found = added.object
    return (
        (not query.ids or found["id"] in query.ids)
        and (not query.types or found["type"] in query.types)
        and (not query.spec_versions or _SPEC_VERSION in query.spec_versions)
        and (not query.versions or moment_of(added.version, "version") in query.versions)
    )
