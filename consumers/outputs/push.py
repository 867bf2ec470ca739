"""The writer of every output that pushes to a receiver: at least once, under keys that make it once.

The receiver confirms before anything counts as sent, and the ledger notes what it has confirmed. So a receiver that is
away holds no memory, and what it had already taken is not sent again when it is back. A removal names an indicator by
its id and origin, which came with it: it has no value, because the value may have been recalled.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from heapq import merge
from itertools import groupby, islice
from typing import Final, Protocol, TypeVar

import msgspec

from consumers.outputs.ledger import Key, Ledger, ledger_of
from consumers.outputs.protocol import (
    LONGEST_VALUE,
    Change,
    Difference,
    Held,
    LeftOut,
    OutputUnavailable,
    Put,
    Remove,
    Report,
    Target,
)
from consumers.picture.entry import Entry
from consumers.subscription.changes import State

_log = logging.getLogger(__name__)
_WAITS_S: Final = (0.2, 1.0)  # between attempts; after these the runner tries again, at growing intervals
_encode: Final = msgspec.msgpack.Encoder().encode
_Item = TypeVar("_Item")


class Receiver(Protocol):
    """Where an output pushes to. ``at_once`` is how many changes one delivery has at most."""

    at_once: int

    def fits(self, entry: Entry) -> LeftOut | None:
        """Why an entry cannot be sent; None if it can. By default only values that no tool takes are left out."""
        return LeftOut.LIMIT if len(entry.value) > LONGEST_VALUE else None

    def is_known(self, ledger: str) -> bool:
        """Whether the receiver still has what this ledger notes. If not, it is empty now, and is known from now on."""
        ...

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """Send, and wait until the receiver has confirmed all. Sending twice is the same as once.

        Returns the indexes of the puts that the receiver refuses for good. Raises OutputUnavailable if it has not
        confirmed: any part of it may have arrived.
        """
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def refused_of(takes: Callable[[Sequence[_Item]], bool], items: Sequence[_Item]) -> list[_Item]:
    """Those that a receiver refuses: all are offered at once, and what it refuses is bisected."""
    if takes(items):
        return []
    if len(items) <= 1:
        return list(items)
    middle = len(items) // 2
    return [*refused_of(takes, items[:middle]), *refused_of(takes, items[middle:])]


class Pushing:
    """The writer on one receiver."""

    def __init__(
        self, name: str, receiver: Receiver, ledger: Ledger, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._name, self._receiver, self._ledger, self._sleep = name, receiver, ledger, sleep

    def held(self) -> Held | None:
        """By the ledger, if the receiver still has what it notes."""
        held = self._ledger.held()
        if held is None or self._receiver.is_known(self._ledger.id()):
            return held
        self._ledger.clear()
        return None

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Send what the receiver does not hold as it is now, then remove what is not among these."""
        if not self._receiver.is_known(self._ledger.id()):
            self._ledger.clear()
        number, left_out, written, removed = self._ledger.begin(), Counter[LeftOut](), 0, 0
        fitting = iter(self._fitting(entries, left_out))
        while batch := list(islice(fitting, self._receiver.at_once)):
            wanted = self._ledger.unlike([(_key(each), _digest(each)) for each in batch], number)
            refused = self._send([Put(each) for each in batch if _key(each) in wanted], number)
            left_out[LeftOut.VALUE] += refused
            written += len(batch) - refused
        while left := self._ledger.left_over(number, self._receiver.at_once):
            self._send([Remove(key, origin, "", "", State.REMOVED, 0) for key, origin in left], number)
            removed += len(left)
        self._ledger.store(held)
        return Report(written, removed, {reason: count for reason, count in left_out.items() if count})

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Send the removals, then the rest. An entry that cannot be sent any more is removed."""
        del whole
        left_out, puts, gone, refused = Counter[LeftOut](), list[Change](), list[Change](), 0
        for change in changes:
            if isinstance(change, Put):
                reason = self._receiver.fits(change.entry)
                if reason is None:
                    puts.append(change)
                else:
                    left_out[reason] += 1
                    gone.append(_removal(change.entry))
            else:
                gone.append(change)
        for every in (gone, puts):
            for start in range(0, len(every), self._receiver.at_once):
                refused += self._send(every[start : start + self._receiver.at_once], None)
        left_out[LeftOut.VALUE] += refused
        self._ledger.store(held)
        return Report(len(puts) - refused, len(gone), {reason: count for reason, count in left_out.items() if count})

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By what the receiver has confirmed."""
        there = ((*each, True) for each in self._ledger.sent())
        wanted = ((_key(each), _digest(each), False) for each in self._fitting(entries, Counter()))
        by_id = groupby(merge(there, wanted, key=lambda each: each[0][0]), key=lambda each: each[0][0])
        for _, group in by_id:
            sent, now = dict[Key, bytes](), dict[Key, bytes]()
            for key, digest, is_sent in group:
                (sent if is_sent else now)[key] = digest
            for key in sorted(sent.keys() | now.keys()):
                if sent.get(key) != now.get(key):
                    yield Difference("extra" if key not in now else "missing" if key not in sent else "altered", key[0])

    def close(self) -> None:
        """The ledger stays."""
        self._receiver.close()
        self._ledger.close()

    def _send(self, changes: Sequence[Change], number: int | None) -> int:
        """One delivery, and what the receiver has confirmed. Returns how many it refused for good."""
        if not changes:
            return 0
        puts = [each.entry for each in changes if isinstance(each, Put)]
        self._ledger.intend(map(_key, puts))
        refused = self._delivered(changes)
        confirmed, gone = list[tuple[Key, bytes]](), list[Key]()
        for place, change in enumerate(changes):
            if isinstance(change, Put) and place not in refused:
                confirmed.append((_key(change.entry), _digest(change.entry)))
            else:
                gone.append(_key(change.entry if isinstance(change, Put) else change))
        self._ledger.confirm(confirmed, gone, number)
        return len(refused)

    def _delivered(self, changes: Sequence[Change]) -> Collection[int]:
        """A delivery, tried again if it fails. What was refused may be there in an earlier version: it is removed."""
        refused = self._tried(changes)
        if not refused:
            return ()
        _log.warning("output.refused output=%s count=%d: the receiver does not take them", self._name, len(refused))
        self._tried(
            [
                _removal(change.entry)
                for place, change in enumerate(changes)
                if place in refused and isinstance(change, Put)
            ]
        )
        return frozenset(refused)

    def _tried(self, changes: Sequence[Change]) -> Collection[int]:
        for wait_s in _WAITS_S:
            try:
                return self._receiver.deliver(changes)
            except OutputUnavailable as error:
                _log.info("output.retry output=%s wait_s=%.1f: %s", self._name, wait_s, error)
                self._sleep(wait_s)
        return self._receiver.deliver(changes)

    def _fitting(self, entries: Iterable[Entry], left_out: Counter[LeftOut]) -> Iterator[Entry]:
        for entry in entries:
            reason = self._receiver.fits(entry)
            if reason is None:
                yield entry
            else:
                left_out[reason] += 1


def pushing(target: Target, name: str, receiver: Receiver, place: str = "") -> Pushing:
    """The writer of a target ``name:place``, with its ledger. ``place`` is the target's own unless it is given."""
    return Pushing(name, receiver, ledger_of(target.home, target.nation, f"{name}:{place or target.place}"))


def _removal(entry: Entry) -> Remove:
    return Remove(entry.id, entry.origin, entry.type, "", State.REMOVED, entry.version)


def _key(of: Entry | Remove) -> Key:
    return of.id, of.origin


def _digest(entry: Entry) -> bytes:
    """Of all that a receiver may get of it: another position in the picture is no change."""
    return blake2b(_encode(msgspec.structs.replace(entry, added_us=0)), digest_size=16).digest()
