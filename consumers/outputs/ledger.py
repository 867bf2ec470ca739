"""What a receiver has confirmed: the ids that it holds, each with a digest of its content, and the position.

A receiver that is pushed to cannot be read back. The ledger is on this machine, in ``KAKEHASHI_HOME/outputs``, and has
no values, so nothing in it has to be erased after a recall. An id is noted before it is sent: what was sent and not
confirmed before a crash may be there, and its removal must be sent.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from consumers.outputs.protocol import Held, OutputUnavailable
from schemas.identity import indicator_id, key_of_id

Key = tuple[str, str]
"""An indicator's id, and its origin."""
UNCONFIRMED: Final = b""
_TABLES: Final = (
    "CREATE TABLE about (id TEXT NOT NULL, pass INTEGER NOT NULL, held BLOB)",
    """CREATE TABLE sent (
        key BLOB NOT NULL, origin TEXT NOT NULL, digest BLOB NOT NULL, pass INTEGER NOT NULL,
        PRIMARY KEY (key, origin)) WITHOUT ROWID""",
)


class Ledger:
    """One target's. One thread uses it. All methods raise OutputUnavailable if the disk refuses."""

    def __init__(self, path: Path) -> None:
        """The file is made with the first change."""
        self._path = path
        self._database: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def id(self) -> str:
        """A name for this ledger, drawn when it was made: what follows another one begins anew."""
        with self._reading() as database:
            return str(database.execute("SELECT id FROM about").fetchone()[0])

    def held(self) -> Held | None:
        """The position of what is confirmed."""
        if self._database is None and not self._path.exists():
            return None
        with self._reading() as database:
            (raw,) = database.execute("SELECT held FROM about").fetchone()
        try:
            return None if raw is None else msgspec.json.decode(raw, type=Held)
        except msgspec.DecodeError:
            return None

    def store(self, held: Held) -> None:
        """Note the position: all before it is confirmed."""
        with self._writing() as database:
            database.execute("UPDATE about SET held = ?", (msgspec.json.encode(held),))

    def clear(self) -> None:
        """Forget everything: the receiver holds nothing of it any more."""
        with self._writing() as database:
            database.execute("DELETE FROM sent")
            database.execute("UPDATE about SET held = NULL")

    def begin(self) -> int:
        """The number of a new pass over everything; what it does not confirm is left over."""
        with self._writing() as database:
            database.execute("UPDATE about SET pass = pass + 1")
            return int(database.execute("SELECT pass FROM about").fetchone()[0])

    def unlike(self, digests: Sequence[tuple[Key, bytes]], number: int) -> set[Key]:
        """The keys that the receiver does not hold with these digests; the others are confirmed in this pass."""
        found = set[Key]()
        with self._writing() as database:
            for key, digest in digests:
                changed = database.execute(
                    "UPDATE sent SET pass = ? WHERE key = ? AND origin = ? AND digest = ?", (number, *_row(key), digest)
                )
                if not changed.rowcount:
                    found.add(key)
        return found

    def intend(self, keys: Iterable[Key]) -> None:
        """Note before sending that the receiver may hold these."""
        with self._writing() as database:
            database.executemany(
                "INSERT INTO sent VALUES (?, ?, ?, 0) ON CONFLICT DO UPDATE SET digest = excluded.digest",
                ((*_row(key), UNCONFIRMED) for key in keys),
            )

    def confirm(self, put: Iterable[tuple[Key, bytes]], gone: Iterable[Key], number: int | None = None) -> None:
        """Note that the receiver holds what was put, and not what is gone."""
        with self._writing() as database:
            database.executemany(
                "UPDATE sent SET digest = ?, pass = COALESCE(?, pass) WHERE key = ? AND origin = ?",
                ((digest, number, *_row(key)) for key, digest in put),
            )
            database.executemany("DELETE FROM sent WHERE key = ? AND origin = ?", map(_row, gone))

    def left_over(self, number: int, at_most: int) -> list[Key]:
        """What the receiver may hold, and this pass has not confirmed."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT key, origin FROM sent WHERE pass <> ? LIMIT ?", (number, at_most)
            ).fetchall()
        return [(indicator_id(key), origin) for key, origin in rows]

    def sent(self) -> Iterator[tuple[Key, bytes]]:
        """Everything with its digest, in the order of the ids."""
        if self._database is None and not self._path.exists():
            return
        with self._reading() as database:
            for key, origin, digest in database.execute("SELECT key, origin, digest FROM sent ORDER BY key, origin"):
                yield (indicator_id(key), origin), digest

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._open()
        except (sqlite3.Error, OSError) as error:
            raise OutputUnavailable(f"{self._path} cannot be used: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as database, database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = _opened(self._path)
        return self._database


def ledger_of(home: Path, nation: str, target: str) -> Ledger:
    """The ledger of a nation's target under ``KAKEHASHI_HOME``; ``target`` is its name and place."""
    return Ledger(home / "outputs" / nation / f"{sha256(target.encode()).hexdigest()[:16]}.sqlite")


def _opened(path: Path) -> sqlite3.Connection:
    """Open it; one that is damaged is made anew, so the receiver gets everything again."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        if database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,):
            for table in _TABLES:
                database.execute(table)
        if database.execute("SELECT COUNT(*) FROM about").fetchone() == (0,):
            database.execute("INSERT INTO about VALUES (?, 0, NULL)", (secrets.token_hex(8),))
    except sqlite3.DatabaseError as error:
        database.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _opened(path)
    return database


@lru_cache(maxsize=1 << 14)
def _row(key: Key) -> tuple[bytes, str]:
    """A delivery needs that of each key three times."""
    return key_of_id(key[0]), key[1]
