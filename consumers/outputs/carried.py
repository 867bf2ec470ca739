"""Which part of a picture a target has to hold, whole and as changes."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain, islice, takewhile
from secrets import token_bytes
from typing import Final

import msgspec

from consumers.outputs.protocol import Change, LeftOut, Output, Put, Remove, Target
from consumers.picture.entry import Ended, Entry
from consumers.picture.filters import Filter
from consumers.picture.followers import Leaving, leaving
from consumers.picture.picture import Picture
from consumers.subscription.changes import State, Use
from schemas.identity import key_of_id
from schemas.markings import Pap
from schemas.vocabulary import IndicatorType

BATCH: Final = 5_000


class Carried:
    """What one output on one target, or one program, has to hold of a picture.

    ``merges`` is as in ``Output``; ``filters`` are the user's; ``purpose`` names all else that makes a difference.
    """

    def __init__(
        self, types: Iterable[IndicatorType], filters: Filter, use: Use, *, merges: bool, purpose: Sequence[str] = ()
    ) -> None:
        self._types = frozenset(kind.label for kind in types)
        self._filters, self._use, self._merges = filters, use, merges
        self._narrowed = _narrowed(filters, self._types)
        told = msgspec.json.encode([purpose, use, filters, sorted(self._types)], order="sorted")
        self.selection = sha256(told).hexdigest()[:16]

    @property
    def origins(self) -> frozenset[str]:
        """The origins that are wanted; empty if all are."""
        return self._filters.origins

    def is_whole(self, picture: Picture) -> bool:
        """Whether the picture has all of every origin that is wanted."""
        states = {each.origin: each.is_whole for each in picture.origins()}
        return bool(states) and all(states.get(name, False) for name in self.origins or states)

    def entries(self, picture: Picture, left_out: Counter[LeftOut]) -> Iterator[Entry]:
        """All of it, as ``Writer.write`` takes it. What may not be carried is counted."""
        left_out[LeftOut.TYPE] += picture.count(self._filters) - picture.count(self._narrowed)
        yield from self._allowed(picture, left_out)

    def sample(self, picture: Picture, at_most: int) -> Iterator[Entry]:
        """Some of it, from a random id on: ids are digests, so neighbours have nothing in common."""
        start = token_bytes(16)
        behind = self._allowed(picture, Counter(), start)
        before = takewhile(lambda entry: key_of_id(entry.id) <= start, self._allowed(picture, Counter()))
        return islice(chain(behind, before), at_most)

    def _allowed(self, picture: Picture, left_out: Counter[LeftOut], start: bytes = b"") -> Iterator[Entry]:
        last = ""
        for entry in picture.entries(self._narrowed, start):
            if not self._use.allowed_by(entry.pap_code):
                left_out[LeftOut.PAP] += 1
            elif not self._merges or entry.id != last:
                last = entry.id
                yield entry

    def changes(
        self, picture: Picture, database: sqlite3.Connection, between_us: tuple[int, int], at_most: int
    ) -> list[Change] | None:
        """What the changes after one up to another require, removals first; None if that is more than ``at_most``
        changes."""
        changed = picture.changes(between_us[0], at_most + 1, between_us[1])
        left = leaving(database, *between_us, at_most + 1)
        if len(changed) + len(left) > at_most:
            return None
        return [*self.removals(picture, changed, left), *self.puts(picture, changed)]

    def removals(self, picture: Picture, changed: Iterable[Entry | Ended], left: Iterable[Leaving]) -> list[Change]:
        """The removals that these changes require, or their replacements from another origin."""
        gone = [
            Remove(each.id, each.origin, each.type, each.value, each.state, each.version)
            for each in left
            if self._is_wanted(each.origin) and each.type in self._types
        ]
        gone += [
            Remove(each.id, each.origin, each.type, each.value, _why(each), each.version)
            for each in changed
            if isinstance(each, Entry)
            and self._is_wanted(each.origin)
            and each.type in self._types
            and not self._is_carried(each)
        ]
        return [self._instead(picture, each) for each in gone]

    def puts(self, picture: Picture, changed: Iterable[Entry | Ended]) -> list[Change]:
        """The entries to put because of these changes."""
        found = [each for each in changed if isinstance(each, Entry) and self._is_carried(each)]
        if not self._merges:
            return [Put(each) for each in found]
        first = {each.id: self._first(picture, each.id) for each in found}
        return [Put(each) for each in first.values() if each is not None]

    def _instead(self, picture: Picture, removal: Remove) -> Change:
        other = self._first(picture, removal.id) if self._merges else None
        return removal if other is None else Put(other)

    def _first(self, picture: Picture, indicator: str) -> Entry | None:
        found = (each for each in picture.get(indicator) if isinstance(each, Entry) and self._is_carried(each))
        return next(found, None)

    def _is_wanted(self, origin: str) -> bool:
        return not self._filters.origins or origin in self._filters.origins

    def _is_carried(self, entry: Entry) -> bool:
        return entry.type in self._types and self._filters.matches(entry) and self._use.allowed_by(entry.pap_code)


def carried_by(output: Output, target: Target, filters: Filter, unstated: Pap = Pap.UNSTATED) -> Carried:
    """What an output has to hold on a target; ``unstated`` is how an indicator without a PAP is taken."""
    purpose = [output.name, *(f"{name}={value}" for name, value in sorted(target.options.items()))]
    use = Use(output.activity_on(target), unstated)
    return Carried(output.carries, filters, use, merges=output.merges, purpose=purpose)


def portions(picture: Picture, after_us: int, head_us: int) -> Iterator[list[Entry | Ended]]:
    """The changes after one up to another, in their order, in portions."""
    while changed := picture.changes(after_us, BATCH, head_us):
        after_us = changed[-1].added_us
        yield changed


def left_between(database: sqlite3.Connection, after_us: int, head_us: int) -> Iterator[list[Leaving]]:
    """The removals after one change up to another, in their order, in portions."""
    while left := leaving(database, after_us, head_us, BATCH):
        after_us = left[-1].added_us
        yield left


def batches(changes: Sequence[Change], at_most: int) -> Iterator[Sequence[Change]]:
    """In portions of at most this many."""
    for start in range(0, len(changes), at_most):
        yield changes[start : start + at_most]


def merged(*counts: Mapping[LeftOut, int]) -> dict[LeftOut, int]:
    """The sum of counts by reason, without zeros."""
    total: Counter[LeftOut] = Counter()
    for each in counts:
        total.update(each)
    return {reason: count for reason, count in total.items() if count}


def _why(entry: Entry) -> State:
    return State.LIMITED if entry.state is State.LIVE else entry.state


def _narrowed(filters: Filter, types: frozenset[str]) -> Filter:
    wanted = filters.types & types if filters.types else types
    return msgspec.structs.replace(filters, types=wanted or frozenset({"nothing"}))
