"""A clock that two machines must agree on: no process is at a time that its broker has not reached (docs/adr/0044)."""

import threading
from collections.abc import Callable
from typing import Final

TOLERANCE_MS: Final = 10_000  # by which a process may be ahead of its broker: more than the clocks of a network differ


class WitnessedClock:
    """The process's own clock, but never more than ``TOLERANCE_MS`` ahead of the broker's, as it was last seen and has
    gone on since. A clock that is behind is believed: time that has not come yet harms no one. From any thread.

    ``clock`` returns milliseconds since 1970, UTC; ``monotonic`` milliseconds of a clock that no one sets.
    """

    def __init__(self, clock: Callable[[], int], monotonic: Callable[[], int]) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._seen: tuple[int, int] | None = None
        self._changed = threading.Lock()

    def witness(self, append_ms: int) -> None:
        """The broker has appended something at this time by its clock, just now."""
        with self._changed:
            self._seen = append_ms, self._monotonic()

    def __call__(self) -> int:
        """The time. Raises RuntimeError before the broker's clock was seen."""
        return min(self._clock(), self._theirs() + TOLERANCE_MS)

    def ahead_ms(self) -> int:
        """By how much the process's own clock is ahead of the broker's; negative if it is behind."""
        return self._clock() - self._theirs()

    def _theirs(self) -> int:
        with self._changed:
            seen = self._seen
        if seen is None:
            raise RuntimeError("the broker's clock was not seen yet")
        return seen[0] + self._monotonic() - seen[1]
