"""A request to end, by Ctrl-C or SIGTERM, that is taken between two reads: nothing is cut in half."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(KeyboardInterrupt):
    """The run ends because someone asked for it, at a place where all that was read can be kept."""


class Stop:
    """Whether an end was asked for. A second request does not wait for the next safe place."""

    def __init__(self) -> None:
        self.requested = False

    def check(self) -> None:
        """Raise Stopped if an end was asked for."""
        if self.requested:
            raise Stopped

    def request(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Ask for an end; a signal handler. Raises KeyboardInterrupt, wherever the program is, the second time."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take Ctrl-C and SIGTERM as requests."""
        before = {number: signal.signal(number, self.request) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
