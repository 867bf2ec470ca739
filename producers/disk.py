"""Writes beside the spool; the error for a full or protected disk states what to do."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EFBIG, ENOSPC, EPERM, EROFS
from pathlib import Path
from typing import Final

from exchange.durable import sync_folder
from exchange.errors import TransientError

_FULL: Final = frozenset({ENOSPC, EDQUOT, EFBIG})
_PROTECTED: Final = frozenset({EACCES, EPERM, EROFS})


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """An OSError in this block, which reads or writes ``path``, as a TransientError with what to do."""
    try:
        yield
    except OSError as error:
        what = "Check its disk"
        if error.errno in _FULL:
            what = "Free space on its disk"
        elif error.errno in _PROTECTED:
            what = "Give this user the right to read and write there"
        raise TransientError(
            f"{path} cannot be written: {error.strerror or error}. {what} and run the same command again: it goes on "
            "where it stopped"
        ) from error


def write(path: Path, content: Iterable[bytes]) -> None:
    """Put the content there, durably and at once. Raises TransientError if the disk does not take it."""
    part = path.with_name(f"{path.name}.part")
    with writing(path):
        with part.open("wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.parent)
