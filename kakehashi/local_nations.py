"""Nations on this machine for a demo or a trial: clusters and roles, in a home of their own, from start to stop."""

import fcntl
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from exchange.errors import FatalError, Refused
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from exchange.settings import Settings, cluster_from_env
from kakehashi import roles
from kakehashi.in_use import users
from kakehashi.interrupts import Interrupts
from localkafka import persistent, ports
from localkafka.guard import Guard
from localkafka.provider import Say
from localkafka.settings import BrokerSettings
from schemas.topics import topics_of

INSTANCE: Final = "a"
_PORTS: Final = range(18_000, 19_000)  # below the ports of outgoing connections, apart from those of local brokers
_ANSWER_S: Final = 1.0
_LOG_LINES: Final = 12
_LAST_WORDS: Final = 'KAKEHASHI_HOME="$1" "$2" -m kakehashi down --wipe --yes; rm -rf "$1"'
_AND_NO_TRACE: Final = '; rm -f "$1.lock"; rmdir "${1%/*}"'


@dataclass(frozen=True, slots=True)
class Role:
    """One role process: its command line, and the port of its metrics."""

    name: str
    arguments: tuple[str, ...]
    port: int


def streams_of(nation: str) -> str:
    """The name of a nation's stream worker."""
    return f"streams-{nation}-{INSTANCE}"


def bridge_of(home: str, partner: str) -> str:
    """The name of a bridge."""
    return f"bridge-{home}-{partner}"


class LocalNations:
    """The nations that ``environ`` names, which names no clusters: these are always new ones.

    ``open`` starts everything. Leaving the block ends it, and a signal does, at the latest with the next ``check``; if
    we die in the block, a guard does. After a failure the home stays, with the logs, unless it ``leaves_nothing``.
    """

    def __init__(self, home: Path, environ: Mapping[str, str], *, leaves_nothing: bool = False) -> None:
        self.home = home.absolute()
        self.environ = {**environ, "KAKEHASHI_HOME": str(self.home)}
        self.leaves_nothing = leaves_nothing
        self.settings = Settings.from_env(self.environ)
        self.clusters: dict[str, Cluster] = {}
        self.roles: dict[str, Role] = {}
        self._running: dict[str, roles.RoleProcess] = {}
        self._guard: Guard | None = None
        self._lock: IO[str]
        self._left = False
        self._interrupts = Interrupts()

    def __enter__(self) -> Self:
        """Raises Refused if another process uses this home."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.home.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise Refused(f"another one runs in {self.home}: wait for its end, or end it") from error
        self._interrupts.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._interrupts.ignore()
        if not self._left:
            self._end(wipe=kind is None or self.leaves_nothing)  # after a failure, the logs may have the cause
        if self._guard is not None:
            self._guard.dismiss()
        if self.leaves_nothing:
            self.home.with_suffix(".lock").unlink(missing_ok=True)
            with suppress(OSError):  # it is not empty
                self.home.parent.rmdir()
        self._lock.close()
        self._interrupts.forget()

    def open(self, say: Say) -> None:
        """Fresh clusters with their topics, and every role started. Raises ExchangeError."""
        self.bring_up(say)
        self.start_roles()

    def bring_up(self, say: Say) -> None:
        """Fresh clusters with their topics. Raises ExchangeError."""
        if self._end(wipe=True):
            say("processes that an earlier one left have been stopped")
        last_words = _LAST_WORDS + (_AND_NO_TRACE if self.leaves_nothing else "")
        self._guard = Guard(["sh", "-c", last_words, "sh", str(self.home), sys.executable])
        names = self.settings.nations
        for known in persistent.up(BrokerSettings.from_env(self.environ, names), say):
            cluster = cluster_from_env(self.environ, known.nation, known.bootstrap)
            self.clusters[known.nation] = cluster
            ensure_topics(cluster, topics_of(known.nation, self.settings.partners(known.nation), self.settings.shards))

    def start_roles(self) -> None:
        """A worker of each nation, and a bridge to each partner."""
        partners = {nation: self.settings.partners(nation) for nation in self.settings.nations}
        numbers = iter(ports.free(_PORTS, sum(1 + len(each) for each in partners.values())))
        with self._interrupts.held():
            for home, others in partners.items():
                worker = ("streams", "--nation", home, "--instance", INSTANCE)
                self.start(Role(streams_of(home), worker, next(numbers)))
                for partner in others:
                    carry = ("bridge", "--nation", home, "--partner", partner)
                    self.start(Role(bridge_of(home, partner), carry, next(numbers)))

    def start(self, role: Role) -> int:
        """Start a role, or start it again under its name; its process id."""
        self.roles[role.name] = role
        environ = self.environ | {"KAKEHASHI_METRICS_PORT": str(role.port)}
        self._running[role.name] = roles.start(self.home, role.name, role.arguments, environ)
        return self._running[role.name].pid

    def kill(self, name: str) -> int:
        """``kill -9`` a role; the process id that it had."""
        process = self._running.pop(name)
        roles.kill(process)
        return process.pid

    def are_ready(self) -> bool:
        """Whether every role reports that it is ready."""
        return len(self.ready()) == len(self.roles)

    def ready(self) -> frozenset[str]:
        """The roles that report that they are ready."""
        return frozenset(role.name for role in self.roles.values() if _is_ready(role.port))

    def check(self) -> None:
        """Raises KeyboardInterrupt after a signal, and FatalError, with the end of its log, if a role has ended."""
        self._interrupts.check()
        for name, process in self._running.items():
            if not roles.is_running(process):
                raise FatalError(f"{name} has ended by itself. The end of its log:\n{self.end_of_log(name)}")

    def end_of_log(self, name: str) -> str:
        """The last lines that a role wrote."""
        lines = roles.log_of(self.home, name).read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:]) or "(empty)"

    def leave(self) -> None:
        """Leave everything running after we end."""
        self._left = True

    def _end(self, *, wipe: bool) -> bool:
        """Stop everything, with what others run here if it is wiped; whether anything ran."""
        if wipe:
            with users(self.home) as others:
                roles.end([user.process for user in others])
        stopped = [*roles.stop(self.home), *persistent.down(self.home, self.settings.nations, wipe=wipe)]
        if wipe:
            shutil.rmtree(self.home, ignore_errors=True)
        return bool(stopped)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=_ANSWER_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
