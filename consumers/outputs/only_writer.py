"""One process writes a target from a picture: the others are refused, and can see which one it is, and since when.

The lock ends with its process. Taking it and looking at it exclude each other: a look would make another process's
taking fail.
"""

import fcntl
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from exchange.errors import Refused
from exchange.folder_lock import locked

_MOST_BYTES: Final = 256


class Running(msgspec.Struct, frozen=True):
    """The process that writes a target; 0 if that is not known."""

    pid: int = 0
    since_ms: int = 0


def take(path: Path, name: str, now_ms: int) -> int:
    """Be the only writer of the target ``name`` from the picture at ``path``, until the descriptor is closed.

    Raises Refused if another process is.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(path.parent):
        lock = os.open(_file(path, name), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise Refused(f"{name}: another process writes it: two would undo each other; stop one") from error
        with suppress(OSError):  # of a full disk
            os.ftruncate(lock, 0)
            os.write(lock, msgspec.json.encode(Running(os.getpid(), now_ms)))
    return lock


def running(path: Path, name: str) -> Running | None:
    """The process that writes the target now; None if there is none."""
    with suppress(FileNotFoundError), locked(path.parent):
        lock = os.open(_file(path, name), os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _described(os.read(lock, _MOST_BYTES))
        finally:
            os.close(lock)
    return None


def _described(content: bytes) -> Running:
    try:
        return msgspec.json.decode(content, type=Running)
    except msgspec.DecodeError:
        return Running()


def _file(path: Path, name: str) -> Path:
    return path.with_name(f"{sha256(name.encode()).hexdigest()[:16]}.output.lock")
