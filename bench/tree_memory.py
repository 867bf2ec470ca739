"""The memory that a process and its children hold together, at most: sampled, from ``/proc``. Linux only."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bench.role import resident_bytes

_EVERY_S: Final = 0.25


class Peak:
    """The most that was seen so far, in bytes."""

    value = 0


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Look until the block ends. Pages that they share are counted for each."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(_EVERY_S):
            with suppress(OSError, ValueError):  # one of them has just ended
                peak.value = max(peak.value, sum(map(resident_bytes, (pid, *_children(pid)))))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _children(pid: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if int((entry / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[1]) == pid:
                    yield int(entry.name)
