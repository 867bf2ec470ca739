"""Keeps a sensor's records until the cluster has them: durable before the first send, identified for ever.

One commit holds a report, the refusals beside it, the next sequence number and how far the input was read. So
after a crash at any moment a report that exists is sent again unchanged, none has two identities, no number is
left out, and reading continues behind the last committed observation.

A spool has one owner at a time: the process that holds its lock.
"""

import fcntl
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from exchange.errors import ConfigurationError, Refused, TransientError
from producers.spool import outbox
from producers.spool.assertions import Assertions
from producers.spool.layout import connect, damaged, is_sensor_name

REPORT: Final = "report"
QUARANTINED: Final = "quarantined"
_STATES_COMPARED: Final = 16
_INPUTS_KEPT: Final = 100_000


class SpoolFull(TransientError):
    """The disk under the spool is full, or does not write."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in the outbox: its kind, and Kafka's record."""

    id: int
    kind: str
    key: bytes
    payload: bytes
    observations: int


@dataclass(frozen=True, slots=True)
class InputState:
    """How far an input has been read. All items up to (``line``, ``item``) are spooled; items count from 1.
    ``marking`` is what its names and the options stated then, as JSON; ``None`` if that is not known."""

    id: int
    path: str
    size: int
    digest: bytes
    line: int
    item: int
    complete: bool
    marking: str | None = None


class Spool:
    """The spool of one sensor. Not thread-safe, but for reading what waits in it: the ``pending`` counts, and when the
    first of it was spooled, ``oldest_at_ms`` (0 if nothing waits).
    """

    def __init__(self, folder: Path, nation: str, sensor: str, now_ms: int) -> None:
        """Take the spool in ``folder``, which is made if it is not there.

        Raises Refused if another process has it, and ConfigurationError if it is another sensor's or the
        clock is behind the epoch: such reports would be refused as from the future.
        """
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the spool {folder} cannot be made: {error.strerror}: check its rights"
            ) from error
        try:
            self._take(nation, sensor)
            self._database = connect(folder)
            self.assertions = Assertions(self._database)
            self.epoch = self._identify(nation, sensor, now_ms)
            self.pending_reports, self.pending_records, self.pending_bytes = self._database.execute(
                "SELECT COALESCE(SUM(kind = ?), 0), COUNT(*), COALESCE(SUM(LENGTH(payload)), 0) FROM outbox", (REPORT,)
            ).fetchone()
            self._find_oldest()
        except BaseException:
            os.close(self._lock)
            raise

    def _take(self, nation: str, sensor: str) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise Refused(
                f"another process (id {owner}) produces as sensor {sensor} of {nation}: a sensor's reports have one "
                "sequence. Wait for it, or give this one another sensor's name"
            ) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def _identify(self, nation: str, sensor: str, now_ms: int) -> int:
        with self._committed():
            row = self._database.execute("SELECT nation, sensor, epoch FROM identity").fetchone()
            if row is None:
                self._database.execute("INSERT INTO identity VALUES (?, ?, ?, 0)", (nation, sensor, now_ms))
                row = (nation, sensor, now_ms)
        if row[:2] != (nation, sensor):
            raise ConfigurationError(f"the spool {self.folder} is of sensor {row[1]} of {row[0]}: move it away")
        epoch = int(row[2])
        if epoch > now_ms:
            raise ConfigurationError(
                f"this machine's clock is {(epoch - now_ms) // 1000} s behind the time at which the spool "
                f"{self.folder} was made: put the clock right. If it was wrong then, move the spool away and read "
                "again what was not sent"
            )
        return epoch

    def close(self) -> None:
        """Give the spool back."""
        self._database.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inputs -------------------------------------------------------------------------------------------------

    def same_content(self, *digests: bytes) -> list[InputState]:
        """The inputs that had one of these contents, under any name, the last one first."""
        marks = ", ".join("?" * len(digests))
        return self._inputs(f"digest IN ({marks}) ORDER BY id DESC LIMIT ?", (*digests, _STATES_COMPARED))

    def earlier_states(self, path: str, prefixes: Collection[bytes]) -> list[InputState]:
        """Inputs that begin as one with these prefixes does, the longest first: what it may have grown from.

        Inputs of an older spool have no prefix; of these it is those at ``path``.
        """
        marks = ", ".join("?" * len(prefixes))
        return self._inputs(
            f"(prefix IN ({marks}) OR prefix = x'' AND path = ?) AND size > 0 ORDER BY size DESC, id DESC LIMIT ?",
            (*prefixes, path, _STATES_COMPARED),
        )

    def unfinished(self) -> list[InputState]:
        """The files that were not read to their end, the latest first."""
        return self._inputs("path > '' AND complete = 0 AND size > 0 ORDER BY id DESC", ())

    def opened_at_ms(self, source: InputState) -> int:
        """When an input was first opened."""
        row = self._database.execute("SELECT opened_at_ms FROM input WHERE id = ?", (source.id,)).fetchone()
        return int(row[0]) if row else 0

    def finish(self, source: InputState) -> None:
        """Note that nothing more of an input can be read."""
        with self._committed():
            self._database.execute("UPDATE input SET complete = 1 WHERE id = ?", (source.id,))

    def _inputs(self, where: str, values: tuple[object, ...]) -> list[InputState]:
        rows = self._database.execute(
            f"SELECT id, path, size, digest, line, item, complete, marking FROM input WHERE {where}",  # noqa: S608 - ours alone
            values,
        )
        return [InputState(*row) for row in rows]

    def open_input(
        self,
        path: str,
        size: int,
        digest: bytes,
        now_ms: int,
        *,
        line: int = 0,
        item: int = 0,
        prefix: bytes = b"",
        marking: str | None = None,
    ) -> InputState:
        """A new input, of which all up to (``line``, ``item``) was spooled as part of an earlier one."""
        with self._committed():
            cursor = self._database.execute(
                "INSERT INTO input (path, size, digest, line, item, opened_at_ms, prefix, marking)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (path, size, digest, line, item, now_ms, prefix, marking),
            )
            number = int(cursor.lastrowid or 0)
            self._database.execute("DELETE FROM input WHERE id <= ?", (number - _INPUTS_KEPT,))
        return InputState(number, path, size, digest, line, item, complete=False, marking=marking)

    def markings(self) -> list[str]:
        """The distinct markings that names and options have stated for this sensor's inputs."""
        rows = self._database.execute("SELECT DISTINCT marking FROM input WHERE marking IS NOT NULL")
        return [str(text) for (text,) in rows]

    # -- outbox -------------------------------------------------------------------------------------------------

    def next_sequence(self) -> int:
        """The number of the next report."""
        (number,) = self._database.execute("SELECT next_sequence FROM identity").fetchone()
        return int(number)

    def append(
        self,
        source: InputState | None,
        *,
        line: int = 0,
        item: int = 0,
        complete: bool = False,
        report: tuple[bytes, bytes, int] | None,
        refusals: Iterable[tuple[bytes, bytes]] = (),
        now_ms: int,
        beginning: tuple[int, bytes, bytes] | None = None,
    ) -> None:
        """Make one step of an input durable: its results, and that it was read up to (``line``, ``item``); or a
        report alone, of no input. ``beginning`` is what is known now of an input that grows: size, digest and prefix.

        ``report`` is key, value and number of observations, and has taken ``next_sequence``; ``refusals`` are keys
        and values of quarantine records. On return all of it is on disk. Raises SpoolFull if it cannot be.
        """
        rows = [(QUARANTINED, key, value, 0, now_ms) for key, value in refusals]
        if report is not None:
            rows.append((REPORT, *report, now_ms))
        with self._committed():
            outbox.put(self._database, rows)
            if report is not None:
                self._database.execute("UPDATE identity SET next_sequence = next_sequence + 1")
            if source is not None:
                self._step(source, (line, item, complete), beginning)
        if source is not None:
            self.assertions.committed()
        self.pending_records += len(rows)
        self.pending_reports += report is not None
        self.pending_bytes += sum(len(row[2]) for row in rows)
        self._find_oldest()

    def _step(
        self, source: InputState, position: tuple[int, int, bool], beginning: tuple[int, bytes, bytes] | None
    ) -> None:
        self.assertions.write()
        self._database.execute("UPDATE input SET line = ?, item = ?, complete = ? WHERE id = ?", (*position, source.id))
        if beginning is not None:
            known = "UPDATE input SET size = ?, digest = ?, prefix = ? WHERE id = ?"
            self._database.execute(known, (*beginning, source.id))

    def unsent(self, after: int, limit: int) -> list[Entry]:
        """The first entries behind ``after`` that are not acknowledged, in order. Raises SchemaIncompatible."""
        try:
            return [Entry(*row) for row in outbox.read(self._database, after, limit)]
        except sqlite3.DatabaseError as error:
            raise damaged(self.folder, error) from error

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Forget entries that the cluster has."""
        with self._committed():
            self._database.executemany("DELETE FROM outbox WHERE id = ?", [(entry.id,) for entry in entries])
        self.pending_records -= len(entries)
        self.pending_bytes -= sum(len(entry.payload) for entry in entries)
        self.pending_reports -= sum(entry.kind == REPORT for entry in entries)
        self._find_oldest()

    def _find_oldest(self) -> None:
        row = self._database.execute("SELECT spooled_at_ms FROM outbox ORDER BY id LIMIT 1").fetchone()
        self.oldest_at_ms = int(row[0]) if row else 0

    @contextmanager
    def _committed(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._database.in_transaction:  # SQLite itself rolls back if the disk is full
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")  # if COMMIT itself failed
            raise SpoolFull(
                f"the spool {self.folder} cannot be written: {error}. Free space on its disk and run the same command "
                "again: it goes on where it stopped, with nothing lost and nothing sent twice"
            ) from error
        except sqlite3.DatabaseError as error:
            raise damaged(self.folder, error) from error


def folder_of(home: Path, nation: str, sensor: str) -> Path:
    """Where the spool of a sensor is. Raises ConfigurationError if its name is no name for a folder."""
    if not is_sensor_name(sensor):
        raise ConfigurationError(f"a sensor cannot be named {sensor!r}: no slashes, at most 200 bytes, not a dot")
    return home / "spool" / nation / sensor
