"""Runs a follower in a process of its own, writes to what it follows, and counts what it has made durable."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.clock import now_ms
from producers.spool.spool import Spool
from tests.polling import eventually
from tests.producers.producing import SENSOR, values_in

QUIET_S = 0.5


class Follower:
    """A follower that is started, killed and started again over one spool."""

    def __init__(
        self,
        folder: Path,
        *places: Path | str,
        quiet_s: float = QUIET_S,
        worker: Sequence[str] = ("tests.producers.following_worker",),
    ) -> None:
        self.folder, self.places, self.quiet_s, self.worker = folder, places, quiet_s, worker
        self.process: subprocess.Popen[str] | None = None
        self.gaps: list[str] = []

    def start(self) -> None:
        """Start it."""
        command = (sys.executable, "-m", *self.worker, str(self.folder), str(self.quiet_s))
        self.process = subprocess.Popen([*command, *map(str, self.places)], stdout=subprocess.PIPE, text=True)

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it: at a safe place, or at once."""
        if self.process is not None:
            self.process.send_signal(number)
            output, _ = self.process.communicate(timeout=30)
            self.gaps += output.splitlines()
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.end(signal.SIGKILL)

    @property
    def spooled(self) -> int:
        """How many observations are durable."""
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(self._database)) as database:
            return int(database.execute("SELECT COALESCE(SUM(observations), 0) FROM outbox").fetchone()[0])
        return 0

    def waits_for(self, observations: int, within_s: float = 60) -> None:
        """Wait until so many are durable."""
        eventually(lambda: self.spooled >= observations, within_s, f"{observations} observations are durable")

    def values(self) -> list[str]:
        """What it has spooled in all runs, once it has ended."""
        with Spool(self.folder, SENSOR.nation, SENSOR.name, now_ms()) as spool:
            return values_in(spool)

    @property
    def _database(self) -> Path:
        return self.folder / "spool.sqlite"


class Writer:
    """Writes numbered values to a file, as a sensor does: it keeps its descriptor until it is told to open anew."""

    def __init__(self, path: Path) -> None:
        self.path, self.written = path, 0
        self.file = path.open("ab", buffering=0)

    def write(self, lines: int) -> None:
        """Write so many more lines, each value once."""
        first = self.written
        self.file.write(b"".join(b"%d.example.com\n" % number for number in range(first, first + lines)))
        self.written += lines

    def reopen(self) -> None:
        """Open the file of its name anew, as after SIGHUP."""
        self.file.close()
        self.file = self.path.open("ab", buffering=0)

    def values(self) -> list[str]:
        """All that it has written."""
        return [f"{number}.example.com" for number in range(self.written)]


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A writer of one file."""
    writer = Writer(path)
    try:
        yield writer
    finally:
        writer.file.close()
