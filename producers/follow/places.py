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
    if os.path.isdir(place):
        return (entry for entry in path.iterdir() if not entry.name.startswith("."))
    if glob.has_magic(place) and not os.path.exists(place):
        return (Path(name) for name in glob.glob(place))
    return iter((path,))


def settled(place: str) -> str:
    """A place that means the same while its file is away: a file's name may have the characters of a pattern."""
    return glob.escape(place) if glob.has_magic(place) and os.path.isfile(place) else place


def is_at(place: str, path: Path) -> bool:
    """Whether a file of this absolute path, which need not be there now, is one of a folder's or of a pattern's."""
    at = Path(os.path.abspath(place))
    return path.parent == at if at.is_dir() else path.match(str(at)) and len(path.parts) == len(at.parts)


def why_none(place: str) -> str:
    """Why the files of a place cannot be known: it cannot be looked at, or is no regular file; empty if they can be."""
    try:
        if is_one_file(place):
            mode = os.stat(place).st_mode
            return "" if stat.S_ISREG(mode) else "is no regular file: read it without --follow"
        folder = Path(place)
        while glob.has_magic(str(folder)):
            folder = folder.parent
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return ""  # it may come
    except OSError as error:
        return cannot_be_read(error)
    return ""


def cannot_be_read(error: OSError) -> str:
    """What to do about a file or folder that is there, and cannot be read."""
    advice = (
        "give this user the right to read it" if isinstance(error, PermissionError) else "look at its disk or server"
    )
    return f"cannot be read: {error.strerror or error}: {advice}. It is tried again"


def files_of(place: str) -> list[str]:
    """What is read of a place that is not followed: the file itself, also if it is not there; else the files in order.

    Raises OSError for a folder that cannot be listed.
    """
    return [place] if is_one_file(place) else sorted(map(str, files_at(place)))


def is_one_file(place: str) -> bool:
    """Whether a place is a single path, which need not be there yet."""
    return not os.path.isdir(place) and (os.path.exists(place) or not glob.has_magic(place))


def siblings_of(path: Path) -> list[Path]:
    """Files beside a file that are named as its rotated copies, the youngest first.

    ``eve.json.1``, ``eve.json-20261130.gz``, ``eve-20261130.json``; a file such as ``eve-stats.json`` is not one. Of a
    link also files beside what it names, whose names differ from that in numbers only.
    """
    stem, dot, extension = map(re.escape, path.name.partition("."))
    behind = rf"{stem}{dot}{extension}[.\-_~].+"
    between = rf"{stem}[.\-_]\d[\dT:.\-_+]*(?:{dot}{extension})?(?:\.\w{{1,4}})?"
    found = _beside(path, f"{behind}|{between}")
    if os.path.islink(path):
        target = Path(os.path.realpath(path))
        found += _beside(target, rf"{re.sub(r'[0-9]+', '[0-9]+', re.escape(target.name))}(?:\.\w{{1,4}})?")
    return sorted(filter(is_regular, found), key=_modified, reverse=True)


def _beside(path: Path, named: str) -> list[Path]:
    try:
        return [each for each in path.parent.iterdir() if each != path and re.fullmatch(named, each.name)]
    except OSError:
        return []


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
