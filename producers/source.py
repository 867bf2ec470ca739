"""An input's descriptor: other work of the run goes on while it is quiet, and a request to end is taken between reads.

It is waited for with ``poll`` in the thread that reads it. A thread of its own would be blocked inside a buffered
reader when the interpreter ends, which aborts the process.
"""

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from exchange.errors import ConfigurationError
from producers.inputs import name_in_utf8
from producers.stop import Stop

STANDARD_INPUT: Final = "-"
_WAIT_MS: Final = 100


class Source(io.FileIO):
    """One open input, unbuffered. ``turn`` is called before each read and several times a second while none comes."""

    def __init__(self, name: str, turn: Callable[[], None], stop: Stop, descriptor: int | None = None) -> None:
        """Open the file of this name, or standard input; or read the one that has this descriptor, from its start.

        A FIFO need not have a writer yet. Raises OSError.
        """
        self._turn, self._stop, self._ready = turn, stop, select.poll()
        is_ours = name != STANDARD_INPUT
        if descriptor is not None:
            descriptor = os.dup(descriptor)
            os.lseek(descriptor, 0, os.SEEK_SET)
        elif is_ours:
            descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        else:
            descriptor = _standard()
        try:
            super().__init__(descriptor, "rb", closefd=is_ours)
        except OSError:
            if is_ours:
                os.close(descriptor)
            raise
        self._ready.register(descriptor, select.POLLIN)

    def read(self, size: int | None = -1, /) -> bytes:
        """The bytes that are there now; empty at the end. Raises Stopped if an end is asked for."""
        while True:
            self._turn()
            self._stop.check()
            if self._ready.poll(_WAIT_MS):
                got = super().read(-1 if size is None else size)
                if got is not None:  # it is None if another reader of the pipe was faster
                    return got


@contextmanager
def opened(name: str, turn: Callable[[], None], stop: Stop, descriptor: int | None = None) -> Iterator[Source]:
    """A file, or standard input. Raises ConfigurationError if it cannot be read."""
    try:
        stream = Source(name, turn, stop, descriptor)
    except OSError as error:
        raise ConfigurationError(f"{name_in_utf8(name)} cannot be read: {error.strerror}") from error
    with stream:
        yield stream


def _standard() -> int:
    if sys.stdin is None:  # closed by the caller
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.fileno()
