"""Keeps a copy of a shard's state that another worker owns, so that taking it over is to read a few last batches.

A standby only reads committed rows: it fences no one and writes nothing. It holds the same as any owner's cache
would hold at that offset of the changelog, so a take-over continues from it as from its own. It is a convenience: an
error in it costs time later, and never stops work.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import Final, Protocol

from exchange.protocol.changelog import Portion
from exchange.protocol.record import Position
from exchange.protocol.rows import State
from exchange.protocol.state import StateRefused

_log = logging.getLogger(__name__)

SETTLE_S: Final = 2.0  # one rebalance seldom comes alone: a copy is not begun for a shard that is given back at once
PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
LOOK_S: Final = 0.25  # how long a copy that is asked to stop may wait for rows
LOOK_AGAIN_S: Final = 60 * 60.0


class Followed(Protocol):
    """The changelog of a shard as one who does not own it may read it."""

    def position(self) -> Position | None:
        """The committed position, None if the shard was never committed."""
        ...

    def remembers(self, start: int) -> bool:
        """Whether the changelog still has every dropped row from ``start`` on."""
        ...

    def follow(self, start: int, wait_s: float) -> Generator[Portion, None, None]:
        """The committed rows from ``start`` on as they come, with an empty portion at least every ``wait_s``."""
        ...


class Standby:
    """One shard's copy, in a thread of its own. Every call returns soon, whatever Kafka does.

    ``find`` asks Kafka for the changelog to follow, and gives with it how to open the copy's folder.
    """

    def __init__(
        self,
        name: str,
        find: Callable[[], tuple[Followed, Callable[[], State]]],
        *,
        settle_s: float = SETTLE_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._name, self._find = name, find
        self._settle_s, self._pause_s = settle_s, pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"standby-{name}", daemon=True)
        self.place: tuple[int, int] = (0, 0)

    def start(self) -> None:
        """Begin to follow, once the group has settled."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Ask it to stop, without waiting."""
        self._stopping.set()

    def stop(self, timeout_s: float | None = None) -> bool:
        """Stop, and let go of the folder, so that the shard may be taken from it; whether it has."""
        self._stopping.set()
        self._thread.join(timeout_s)
        return not self.alive

    @property
    def alive(self) -> bool:
        """Whether it follows, or will try again."""
        return self._thread.is_alive()

    def _live(self) -> None:
        if self._stopping.wait(self._settle_s):
            return
        pause_s = self._pause_s
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._copy()
            except StateRefused as error:
                # The disk has other work: what its owner needs room for comes before a copy.
                _log.error("standby.given_up shard=%s: %s", self._name, error)
                return
            except Exception as error:  # a copy is worth making again after any error
                if time.monotonic() - began > LONGEST_PAUSE_S:
                    pause_s = self._pause_s
                _log.warning("standby.paused shard=%s for_s=%g: %s", self._name, pause_s, error)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _copy(self) -> None:
        """Follow until asked to stop, or until it is time to look whether the copy is still one."""
        followed, open_state = self._find()
        committed = followed.position() or Position()
        if self._stopping.is_set():
            return
        with closing(open_state()) as state:
            try:
                self._keep(followed, state, committed.batch)
            except StateRefused:
                with suppress(Exception):
                    state.clear()
                raise

    def _keep(self, followed: Followed, state: State, committed: int) -> None:
        start, batch = state.start()
        if start and batch != committed and not followed.remembers(start):
            state.clear()
            start, batch = state.start()
        self.place, looked = (start, batch), time.monotonic()
        with closing(followed.follow(start, LOOK_S)) as portions:
            for rows, last_batch, next_offset in portions:
                now = time.monotonic()
                # After a long sleep, tombstones of deleted rows may have been compacted away.
                if self._stopping.is_set() or now - looked > LOOK_AGAIN_S:
                    return
                if next_offset != start:
                    start, batch, looked = next_offset, max(batch, last_batch), now
                    state.apply(rows, batch, next_offset)
                    self.place = (start, batch)
