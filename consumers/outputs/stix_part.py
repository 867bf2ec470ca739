"""One bundle of STIX 2.1 on a disk, an object a line, in the order of the indicators' ids.

The old bundle and the picture, or its changes, are merged without holding either in memory. A removed indicator becomes
a revoked object, because tools keep what is missing from a bundle; it stays for a stated time. Only expired or revoked
ones keep their content until then.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from consumers.outputs.protocol import Difference
from consumers.picture.entry import Entry
from consumers.stix.identifiers import identifier, identity_id, milliseconds, timestamp
from consumers.stix.markings import Object, definitions_of, tlp_definition
from consumers.stix.objects import SOURCE, identity_of, indicator_of, sightings_of, withdrawn
from consumers.subscription.changes import State

Key = tuple[str, str]
"""The exchange's id of an indicator, and its origin."""
_KEEPS_CONTENT: Final = frozenset({State.EXPIRED, State.REVOKED})
_encode: Final = msgspec.json.Encoder().encode


class Kept(msgspec.Struct, frozen=True):
    """What a bundle has of one indicator of one origin."""

    key: Key
    indicator: Object
    sightings: tuple[Object, ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether it has left."""
        return bool(self.indicator.get("revoked"))


class Part:
    """A bundle. ``keep_ms`` is how long removed objects stay in it as revoked."""

    def __init__(self, path: Path, nation: str, keep_ms: int) -> None:
        self.path, self._nation, self._keep_ms = path, nation, keep_ms
        self._definitions = dict[str, Object]()

    def kept(self) -> Iterator[Kept]:
        """What the file holds, in its order; a line that is no object of ours is skipped."""
        waiting: Kept | None = None
        for thing in self._objects():
            if thing["type"] == "sighting":
                if waiting is not None and thing.get("sighting_of_ref") == waiting.indicator["id"]:
                    waiting = Kept(waiting.key, waiting.indicator, (*waiting.sightings, thing))
                continue
            if thing["type"] != "indicator":
                self._definitions[thing["id"]] = thing
                continue
            key = _key_of(thing, self._definitions)
            if key is not None:
                if waiting is not None:
                    yield waiting
                waiting = Kept(key, thing)
        if waiting is not None:
            yield waiting

    def write(
        self, file: BinaryIO, entries: Iterable[Entry], ends: Mapping[Key, State] | None, now_ms: int
    ) -> tuple[int, int]:
        """Write the merge of the old file, and these entries in the order of their ids.

        ``ends`` are the removals; None if the entries are all there are. Returns the numbers of entries and of
        removals.
        """
        self._definitions = {}
        written = removed = 0
        own = identity_of(self._nation)
        file.write(b'{"type":"bundle","id":"%b","objects":[\n' % identifier("bundle", self.path.name).encode())
        file.write(_encode(own))
        known = {own["id"]}
        for before, entry in _pairs(self.kept(), entries):
            now: Kept | None = None
            if entry is not None:
                now = _current(entry, before)
                nations = {entry.origin, *(each.nation for each in entry.answers)}
                self._define([*definitions_of(entry), *map(identity_of, sorted(nations))])
                written += 1
            elif before is not None:
                now = self._left(before, ends, now_ms)
                removed += now is not before and not before.is_ended
            if now is not None:
                self._append(file, now, known)
        file.write(b"\n]}\n")
        return written, removed

    def differences(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """What the file has in excess, lacks, or has in another form."""
        live = (each for each in self.kept() if not each.is_ended)
        for before, entry in _pairs(live, entries):
            if entry is None:
                if before is not None:
                    yield Difference("extra", before.key[0])
            elif before is None:
                yield Difference("missing", entry.id)
            elif not _is_same(before, _kept_of(entry)):
                yield Difference("altered", entry.id)

    def _left(self, before: Kept, ends: Mapping[Key, State] | None, now_ms: int) -> Kept | None:
        """The new form of an object that has no entry now; None if its time in the bundle is over."""
        state = State.REMOVED if ends is None else ends.get(before.key)
        if state is None and not before.is_ended:
            return before
        since_ms = milliseconds(before.indicator["valid_until"]) if before.is_ended else now_ms
        if now_ms - since_ms >= self._keep_ms:
            return None
        keeps_content = state is None or state in _KEEPS_CONTENT
        if before.is_ended and (keeps_content or _is_empty(before)):
            return before
        made = before.indicator if keeps_content else withdrawn(*before.key, 0)
        self._define([tlp_definition("TLP:RED"), identity_of(before.key[1])])
        ended = {"modified": _after(before.indicator["modified"]), "valid_until": timestamp(since_ms), "revoked": True}
        return Kept(before.key, {**made, "valid_from": min(made["valid_from"], timestamp(since_ms - 1)), **ended})

    def _define(self, things: Iterable[Object]) -> None:
        for thing in things:
            self._definitions.setdefault(thing["id"], thing)

    def _append(self, file: BinaryIO, kept: Kept, known: set[str]) -> None:
        """Its lines, after those that they refer to and the file does not have yet."""
        written = (kept.indicator, *kept.sightings)
        creators = (each["created_by_ref"] for each in written)
        wanted = dict.fromkeys((*creators, *kept.indicator["object_marking_refs"]))
        things = [self._definitions[each] for each in wanted if each not in known and each in self._definitions]
        known.update(wanted)
        for thing in (*things, *written):
            file.write(b",\n" + _encode(thing))

    def _objects(self) -> Iterator[Object]:
        try:
            file = self.path.open("rb")
        except OSError:
            return
        with file:
            for line in file:
                try:
                    thing = msgspec.json.decode(line.rstrip(b",\n"))
                except msgspec.DecodeError:
                    continue
                if isinstance(thing, dict) and isinstance(thing.get("id"), str) and isinstance(thing.get("type"), str):
                    yield thing


def _key_of(indicator: Object, definitions: Mapping[str, Object]) -> Key | None:
    """None if the object is not as this output writes it."""
    try:
        [decision] = [each for each in indicator["external_references"] if each["source_name"] == SOURCE]
        origin = definitions[indicator["created_by_ref"]]["name"]
        for name in ("modified", "valid_until") if indicator.get("revoked") else ("modified",):
            milliseconds(indicator[name])
        return (decision["external_id"], origin) if indicator["created_by_ref"] == identity_id(origin) else None
    except (KeyError, TypeError, ValueError):
        return None


def _is_empty(kept: Kept) -> bool:
    return "x-kakehashi-withdrawn" in kept.indicator["pattern"]


def _pairs(before: Iterable[Kept], entries: Iterable[Entry]) -> Iterator[tuple[Kept | None, Entry | None]]:
    """Both sides of each indicator and origin; both come in the order of the ids."""
    old: Iterator[tuple[str, Kept | Entry]] = ((each.key[0], each) for each in before)
    new: Iterator[tuple[str, Kept | Entry]] = ((each.id, each) for each in entries)
    for _, group in groupby(merge(old, new, key=lambda each: each[0]), key=lambda each: each[0]):
        kept, there = dict[str, Kept](), dict[str, Entry]()
        for _, each in group:
            if isinstance(each, Kept):
                kept[each.key[1]] = each
            else:
                there[each.origin] = each
        for origin in sorted(kept.keys() | there.keys()):
            yield kept.get(origin), there.get(origin)


def _current(entry: Entry, before: Kept | None) -> Kept:
    """An entry's objects. `modified` never goes back: an indicator may come back without a new version."""
    now = _kept_of(entry)
    if before is None:
        return now
    earlier = {each["id"]: each for each in (before.indicator, *before.sightings)}
    indicator, *sightings = (_later(earlier.get(each["id"]), each) for each in (now.indicator, *now.sightings))
    return Kept(now.key, indicator, tuple(sightings))


def _kept_of(entry: Entry) -> Kept:
    return Kept((entry.id, entry.origin), indicator_of(entry), tuple(sightings_of(entry)))


def _later(before: Object | None, now: Object) -> Object:
    if before is None or now["modified"] > before["modified"]:
        return now
    return before if _timeless(before) == _timeless(now) else now | {"modified": _after(before["modified"])}


def _is_same(one: Kept, other: Kept) -> bool:
    """Whether only the times of change differ."""
    things = ((one.indicator, *one.sightings), (other.indicator, *other.sightings))
    return [_timeless(each) for each in things[0]] == [_timeless(each) for each in things[1]]


def _timeless(thing: Object) -> Object:
    return thing | {"modified": ""}


def _after(modified: str) -> str:
    return timestamp(milliseconds(modified) + 1)
