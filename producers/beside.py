"""A view of a run that lets another one watch as well, as the meter does beside a terminal."""

import time
from collections.abc import Callable
from typing import Final

from producers.produce import View
from producers.readers.reading import LeftOut
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.summary import Summary

_EVERY_S: Final = 1.0


class Beside:
    """Hands everything on to the other view, and calls ``look`` once a second at most."""

    def __init__(self, watcher: View, look: Callable[[Spool, Summary], None]) -> None:
        self._watcher, self._look, self._looked_s = watcher, look, 0.0

    def opened(self, name: str, size: int | None) -> None:
        """A next input begins."""
        self._watcher.opened(name, size)

    def left_out(self, piece: LeftOut) -> None:
        """A piece of input was left out by a rule."""
        self._watcher.left_out(piece)

    def gap(self, text: str) -> None:
        """Something that was written could not be read."""
        self._watcher.gap(text)

    def failed(self, text: str) -> None:
        """A live input could not be read for now."""
        self._watcher.failed(text)

    def progressed(self, bytes_read: int, summary: Summary, spool: Spool, publisher: Publisher) -> None:
        """Something continued, or still does not."""
        self._watcher.progressed(bytes_read, summary, spool, publisher)
        now_s = time.monotonic()
        if now_s - self._looked_s >= _EVERY_S:
            self._looked_s = now_s
            self._look(spool, summary)
