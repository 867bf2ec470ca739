"""Role processes on this machine that outlive the command which started them: started, found, killed, stopped.

Each has a file ``<home>/roles/<name>.json`` with its process id and start time, and a log beside it.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from exchange.errors import FatalError, Refused

STOP_S: Final = 15.0
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class RoleProcess:
    """A role as it was started: ``started`` distinguishes it from a later process that was given the same id."""

    name: str
    pid: int
    started: str
    arguments: tuple[str, ...]


def start(home: Path, name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> RoleProcess:
    """Start ``kakehashi <arguments>`` in a session of its own, its output at the end of ``log_of(home, name)``.

    Raises Refused if a role of that name runs already.
    """
    running = next((role for role in known(home) if role.name == name and is_running(role)), None)
    if running is not None:
        raise Refused(f"{name} runs already, as process {running.pid}: stop it first with `kakehashi down`")
    log = log_of(home, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "kakehashi", *arguments],
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,  # the terminal's Ctrl-C is for the command: whoever started the role stops it
    )
    role = RoleProcess(name, pid, _started(pid), tuple(arguments))
    scratch = _file(home, name).with_suffix(".new")
    scratch.write_text(json.dumps(asdict(role)) + "\n", encoding="utf-8")
    scratch.replace(_file(home, name))
    return role


def known(home: Path) -> list[RoleProcess]:
    """The roles that were started under ``home`` since the last ``stop``, running or not.

    Raises FatalError for a damaged file.
    """
    found = []
    for file in sorted((home / "roles").glob("*.json")):
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
            found.append(RoleProcess(fields["name"], fields["pid"], fields["started"], tuple(fields["arguments"])))
        except (ValueError, TypeError, KeyError) as error:
            raise FatalError(f"{file} is damaged ({error}); stop what it names by hand and delete it") from error
    return found


def log_of(home: Path, name: str) -> Path:
    """Where a role's output goes."""
    return home / "roles" / f"{name}.log"


def is_running(role: RoleProcess) -> bool:
    """Whether it is still that process."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(role.pid, os.WNOHANG)  # a child of ours that has ended stays in the table until it is asked for
    return _started(role.pid) == role.started != ""


def kill(role: RoleProcess) -> None:
    """End it as ``kill -9`` does, and return when it is gone."""
    _signal(role, signal.SIGKILL)
    _await_end([role], STOP_S)


def stop(home: Path) -> list[RoleProcess]:
    """Stop every role under ``home`` in good order, by force if one takes too long; those that were running."""
    roles = known(home)
    running = [role for role in roles if is_running(role)]
    end(running)
    for role in roles:
        _file(home, role.name).unlink(missing_ok=True)
    return running


def end(running: Sequence[RoleProcess]) -> None:
    """Stop these in good order, by force if one takes too long. Raises PermissionError for another user's."""
    for role in running:
        _signal(role, signal.SIGTERM)
    for role in _await_end(running, STOP_S):
        kill(role)


def this_process(name: str) -> RoleProcess:
    """The process that asks."""
    return RoleProcess(name, os.getpid(), _started(os.getpid()), ())


def _signal(role: RoleProcess, number: signal.Signals) -> None:
    if is_running(role):
        with contextlib.suppress(ProcessLookupError):
            os.kill(role.pid, number)


def _await_end(roles: Sequence[RoleProcess], timeout_s: float) -> list[RoleProcess]:
    """Wait until they have ended; those that have not in time."""
    give_up = time.monotonic() + timeout_s
    left = [role for role in roles if is_running(role)]
    while left and time.monotonic() < give_up:
        time.sleep(_POLL_S)
        left = [role for role in left if is_running(role)]
    return left


def _file(home: Path, name: str) -> Path:
    return home / "roles" / f"{name}.json"


def _started(pid: int) -> str:
    """When the process began, in the kernel's clock ticks since boot; empty if there is none (proc(5), stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return _without_proc(pid)
    return "" if fields[0] == "Z" else fields[19]


def _without_proc(pid: int) -> str:
    """If processes cannot be seen that way, the id has to suffice."""
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return ""
    return "running"
