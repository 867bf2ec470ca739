"""Which files are followed: a path, a folder's files, or those of a pattern; and the rotated copies of one."""

import glob
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode."""


def files_at(place: str) -> Iterator[Path]:
    """The regular files that a place names now: the file, those in the folder, or those that match the pattern."""
    return filter(is_regular, _named(place))


def folders_at(place: str) -> int:
    """How many folders there are now in a folder, or match a pattern: their files are not the place's."""
    return sum(path.is_dir() for path in _named(place))


def _named(place: str) -> Iterator[Path]:
    path = Path(place)
    if path.is_dir():
        return (entry for entry in path.iterdir() if not entry.name.startswith("."))
    if glob.has_magic(place) and not path.exists():
        return (Path(name) for name in glob.glob(place))
    return iter((path,))


def files_of(place: str) -> list[str]:
    """What is read of a place that is not followed: the file itself, also if it is not there; else the files in order.

    Raises OSError for a folder that cannot be listed.
    """
    return [place] if is_one_file(place) else sorted(map(str, files_at(place)))


def is_one_file(place: str) -> bool:
    """Whether a place is a single path, which need not be there yet."""
    return not Path(place).is_dir() and (Path(place).exists() or not glob.has_magic(place))


def siblings_of(path: Path) -> list[Path]:
    """Files beside a file that are named as its rotated copies, the youngest first.

    ``eve.json.1``, ``eve.json-20261130.gz``, ``eve-20261130.json``; a file such as ``eve-stats.json`` is not one.
    """
    stem, dot, extension = map(re.escape, path.name.partition("."))
    behind = rf"{stem}{dot}{extension}[.\-_~].+"
    between = rf"{stem}[.\-_]\d[\dT:.\-_+]*(?:{dot}{extension})?(?:\.\w{{1,4}})?"
    named = re.compile(f"{behind}|{between}")
    try:
        found = [each for each in path.parent.iterdir() if each != path and named.fullmatch(each.name)]
    except OSError:
        return []
    return sorted(filter(is_regular, found), key=_modified, reverse=True)


def is_regular(path: Path) -> bool:
    """Whether there is a regular file of this name now, or a link to one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def identity_of(path: Path) -> Identity | None:
    """Device and inode of the file that has this name now; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def size_of(path: Path) -> int:
    """Its size in bytes; 0 if there is no file of this name."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
