"""Replaces a file at once: whoever opens it, and a crash at any moment, finds the old content or the new one."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from consumers.outputs.protocol import OutputUnavailable
from exchange.durable import sync_folder

_SUFFIX: Final = ".kakehashi-new"


def scratch_of(path: Path) -> Path:
    """Where the new content is until it takes the name ``path``."""
    return path.with_name(f".{path.name}{_SUFFIX}")


def is_scratch(path: Path) -> bool:
    """Whether a file is new content that a crash left."""
    return path.name.endswith(_SUFFIX)


@contextmanager
def replaced(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file to write; at the end it is synced, and takes the name ``path`` in one step.

    If the body raises, ``path`` stays as it was. What an earlier crash has left beside it is overwritten. Raises
    OutputUnavailable if the disk is full or refuses.
    """
    with replaced_together(mode=mode) as opened, opened(path) as file:
        yield file


@contextmanager
def replaced_together(*, mode: int = 0o644) -> Iterator[Callable[[Path], AbstractContextManager[BinaryIO]]]:
    """The same for any number of files: all take their names at the end, in the order in which they were opened.

    A crash during that leaves some of them old: a file that refers to others comes last.
    """
    paths = list[Path]()

    @contextmanager
    def opened(path: Path) -> Iterator[BinaryIO]:
        paths.append(path)
        with open(os.open(scratch_of(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    try:
        yield opened
        for path in paths:
            scratch_of(path).replace(path)
        for folder in {path.parent for path in paths}:
            sync_folder(folder)
    except OSError as error:
        _discard(paths)
        raise OutputUnavailable(f"{_named(paths)} cannot be written: {error.strerror or error}") from error
    except BaseException:
        _discard(paths)
        raise


def _named(paths: Sequence[Path]) -> str:
    return f"{paths[-1]}" if paths else "the target"


def _discard(paths: Sequence[Path]) -> None:
    """The disk may refuse this too: a file that cannot be deleted now is overwritten the next time."""
    for path in paths:
        with contextlib.suppress(OSError):
            scratch_of(path).unlink()
