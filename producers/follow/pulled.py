"""Pulls readings out of a reader that waits for more input, without ever waiting with it.

A reader is a generator over a stream that blocks. It runs in a thread of its own, but only while its owner waits for
it: at any time one of the two runs. So the spool and all else belong to one thread.
"""

from collections.abc import Callable, Iterator
from threading import Semaphore, Thread
from typing import Final

from producers.readers.reading import Reading

MOST_AT_ONCE: Final = 500


class _Closed(BaseException):
    """The owner wants no more: the reader is unwound."""


class Pulled:
    """The readings of one input, as far as they can be made now."""

    def __init__(self, read: Callable[[Callable[[], None]], Iterator[Reading]], name: str) -> None:
        """``read`` makes the readings; it is given the function that its stream calls if it has no more for now."""
        self._read = read
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        self._got: list[Reading] = []
        self._error: BaseException | None = None
        self._closing = self.has_ended = False
        self._thread = Thread(target=self._run, name=f"reader of {name}", daemon=True)
        self._thread.start()

    def more(self) -> list[Reading]:
        """The next readings, at most 500; empty if the stream has nothing more for now, or has ended.

        Raises what the reader has raised.
        """
        if not self.has_ended:
            self._go.release()
            self._stopped.acquire()
        got, self._got = self._got, []
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return got

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._closing:
                for reading in self._read(self._wait):
                    self._got.append(reading)
                    if len(self._got) >= MOST_AT_ONCE:
                        self._wait()
        except _Closed:
            return
        except BaseException as error:  # it is raised again in the owner's thread
            self._error = error
        finally:
            self.has_ended = True
            self._stopped.release()

    def _wait(self) -> None:
        """Let the owner go on until it asks for more."""
        self._stopped.release()
        self._go.acquire()
        if self._closing:
            raise _Closed
