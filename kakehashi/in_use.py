"""Which commands use a home folder now, so that nothing is deleted under them.

Each holds a lock on a file of its own, ``<home>/in-use/<process>``, which names it. The kernel releases the lock when
the process ends, however it ends.
"""

import contextlib
import fcntl
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from exchange.errors import Refused
from exchange.folder_lock import locked
from kakehashi import roles

KEEP_FILES: Final = frozenset(
    {
        *("streams", "produce", "sensor run", "sensor canary", "sighting report", "sighting follow"),
        *("output run", "output check", "output list", "output forget", "taxii serve"),
        *("search", "get", "export", "shard rebuild", "shard reset-time"),
    }
)
"""Commands that keep something in the home."""
USE_CLUSTERS: Final = frozenset({"bridge", "tail", "wait", "reconcile"})
"""Commands that run for long, and keep nothing."""


@dataclass(frozen=True, slots=True)
class User:
    """A command that runs, as it was started, and the nations that it works for; none if a file names them."""

    process: roles.RoleProcess
    nations: tuple[str, ...]

    def __str__(self) -> str:
        return f"kakehashi {self.process.name} (process {self.process.pid})"


@contextlib.contextmanager
def using(home: Path, command: str, nations: Sequence[str]) -> Iterator[None]:
    """Be listed in this block. It begins when no one deletes. A home that cannot be written lists no one."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError), _folder(home, fcntl.LOCK_SH) as folder:
            held.enter_context(_listed(folder, command, nations))
        yield


@contextlib.contextmanager
def users(home: Path, nation: str = "") -> Iterator[list[User]]:
    """Those that use the home now, or only those that work for this nation. None begins in this block."""
    with _folder(home, fcntl.LOCK_EX) as folder:
        found = [user for path in sorted(folder.iterdir()) if (user := _user(path)) is not None]
        yield [user for user in found if not (nation and user.nations) or nation in user.nations]


def end(found: Sequence[User]) -> None:
    """End them in good order, by force if one takes too long. Raises Refused for one that is not ours to end."""
    foreign = [user for user in found if not roles.is_running(user.process)]
    if foreign:
        raise Refused(
            f"{', '.join(map(str, foreign))}: it runs in another container or on another machine; end it there"
        )
    try:
        roles.end([user.process for user in found])
    except PermissionError as error:
        raise Refused(f"{', '.join(map(str, found))}: not all of them are yours to end: ask their user") from error


@contextlib.contextmanager
def _folder(home: Path, how: int) -> Iterator[Path]:
    folder = home / "in-use"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, how):
        yield folder


@contextlib.contextmanager
def _listed(folder: Path, command: str, nations: Sequence[str]) -> Iterator[None]:
    process = roles.this_process(command)
    path = folder / f"{process.pid}-{secrets.token_hex(4)}"  # another container may have the same process id
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        json.dump({"command": command, "pid": process.pid, "started": process.started, "nations": list(nations)}, file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _user(path: Path) -> User | None:
    """The command of this file; None, and no file any more, if it has ended."""
    with contextlib.suppress(FileNotFoundError), path.open("r+", encoding="utf-8") as file:
        if _is_free(file):
            path.unlink(missing_ok=True)
            return None
        fields = json.load(file)
        process = roles.RoleProcess(fields["command"], fields["pid"], fields["started"], ())
        return User(process, tuple(fields["nations"]))
    return None


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
