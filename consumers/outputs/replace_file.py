"""Replaces a file at once: whoever opens it, and a crash at any moment, finds the old content or the new one."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from consumers.outputs.protocol import OutputUnavailable

_SUFFIX: Final = ".kakehashi-new"


def scratch_of(path: Path) -> Path:
    """Where the new content is until it takes the name ``path``."""
    return path.with_name(f".{path.name}{_SUFFIX}")


@contextmanager
def replaced(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file to write; at the end it is synced, and takes the name ``path`` in one step.

    If the body raises, ``path`` stays as it was. What an earlier crash has left beside it is overwritten. Raises
    OutputUnavailable if the disk is full or refuses.
    """
    scratch = scratch_of(path)
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        _discard(scratch)
        raise OutputUnavailable(f"{path} cannot be written: {error.strerror or error}") from error
    except BaseException:
        _discard(scratch)
        raise


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(scratch: Path) -> None:
    """The disk may be the one that refuses: what cannot be deleted now is overwritten the next time."""
    with contextlib.suppress(OSError):
        scratch.unlink()
