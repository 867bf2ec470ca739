"""The changes of a picture for other programs: its present content, then every change, resumed at a position."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumers.outputs.carried import Carried, left_between, portions
from consumers.outputs.protocol import EVERY_TYPE, Change, Put
from consumers.picture.filters import Filter
from consumers.picture.followers import advance, applied_by, register
from consumers.picture.picture import Picture
from consumers.picture.tables import connect
from consumers.subscription.changes import Use
from exchange.errors import NotFound

_LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Restart:
    """Discard everything: the whole picture follows again. It is the first change of a name that is new."""


@dataclass(frozen=True, slots=True)
class Current:
    """All that was there has been handed on: a good moment to write a file or to flush."""


Event = Change | Restart | Current


class Changes:
    """Follows a picture under a name, which the picture remembers: values that it needs for removals are kept for it.

    The position is stored after each Current: after a crash the changes after the last one come again.
    """

    def __init__(
        self, path: Path, nation: str, name: str, filters: Filter, use: Use, clock_ms: Callable[[], int]
    ) -> None:
        self._path, self._nation, self._name, self._clock_ms = path, nation, name, clock_ms
        self._carried = Carried(EVERY_TYPE, filters, use, merges=False)

    def events(self, *, follow: bool, stopping: threading.Event) -> Iterator[Event]:
        """From the stored position on: to the present end, or with ``follow`` until ``stopping``."""
        while not stopping.is_set():
            try:
                with Picture(self._path, self._nation, self._clock_ms) as picture:
                    yield from self._of(picture, follow=follow, stopping=stopping)
                if not follow:
                    return
            except NotFound:  # it is being made
                if not follow:
                    raise
                stopping.wait(_LOOK_S)

    def _of(self, picture: Picture, *, follow: bool, stopping: threading.Event) -> Iterator[Event]:
        database = connect(self._path, writes=True)
        try:
            at_us = applied_by(database, self._name)
            if not at_us:
                while follow and not stopping.is_set() and not self._carried.is_whole(picture):
                    stopping.wait(_LOOK_S)
                at_us = picture.head_us()
                wanted = self._carried.origins or [each.origin for each in picture.origins()]
                register(database, self._name, wanted, at_us, self._clock_ms(), is_begun=False)
                yield Restart()
                yield from map(Put, self._carried.entries(picture, Counter()))
            yield Current()
            advance(database, self._name, at_us, at_us, self._clock_ms())
            while follow or picture.head_us() > at_us:
                head_us = picture.head_us()
                if head_us > at_us:
                    yield from self._between(picture, database, at_us, head_us)
                    yield Current()
                    advance(database, self._name, head_us, head_us, self._clock_ms())
                    at_us = head_us
                picture.wait(at_us, _LOOK_S, stopping)
                if stopping.is_set() or picture.is_replaced():
                    return
        finally:
            database.close()

    def _between(self, picture: Picture, database: sqlite3.Connection, after_us: int, head_us: int) -> Iterator[Change]:
        """The removals among the waiting changes first."""
        for left in left_between(database, after_us, head_us):
            yield from self._carried.removals(picture, (), left)
        for changed in portions(picture, after_us, head_us):
            yield from self._carried.removals(picture, changed, ())
        for changed in portions(picture, after_us, head_us):
            yield from self._carried.puts(picture, changed)
