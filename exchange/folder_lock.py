"""A lock on a folder itself: it leaves no file behind, and ends with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold the lock in this block, alone or with ``LOCK_SH`` together with others. Waits for those that hold it.

    Raises FileNotFoundError if there is no such folder.
    """
    at = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(at, how)
        yield
    finally:
        os.close(at)
