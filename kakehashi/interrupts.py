"""The signals that end a command in the foreground."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """SIGINT, SIGTERM and SIGHUP as KeyboardInterrupt, from ``listen`` to ``forget``.

    It is raised where the signal arrives, and again by ``check``: Python drops what is raised in a callback of a
    client or of the garbage collector, so a signal that arrives there would be lost. Used in the main thread.
    """

    def __init__(self) -> None:
        self._arrived = self._held = False
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """Take the signals from whoever handled them before."""
        self._before = {number: signal.signal(number, self._arrive) for number in _SIGNALS}

    def check(self) -> None:
        """Raises KeyboardInterrupt if a signal has arrived."""
        if self._arrived:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """A signal in this block takes effect after it: no process is started without being known."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()

    def ignore(self) -> None:
        """From now on: ending takes seconds, and is not left half-way."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def forget(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _arrive(self, _number: int, _frame: FrameType | None) -> None:
        self._arrived = True
        if not self._held:
            raise KeyboardInterrupt
