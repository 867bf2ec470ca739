"""The rows of a spool's outbox, each with a checksum: a record that has changed on the disk is never sent.

SQLite notices damage to its own structure, not to the content of a row; a changed byte could be a looser marking.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final
from zlib import crc32

SINCE_5: Final = ("ALTER TABLE outbox ADD COLUMN checksum INTEGER",)  # NULL of what was there before
_INSERT: Final = (
    "INSERT INTO outbox (kind, key, payload, observations, spooled_at_ms, checksum) VALUES (?, ?, ?, ?, ?, ?)"
)
_SELECT: Final = "SELECT id, kind, key, payload, observations, checksum FROM outbox WHERE id > ? ORDER BY id LIMIT ?"
Row = tuple[str, bytes, bytes, int, int]
"""Kind, key, payload, observations, and when it was spooled."""


def put(database: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Add rows, in the transaction that the caller has begun."""
    database.executemany(_INSERT, [(*row, _checksum(row[1], row[2])) for row in rows])


def read(database: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, str, bytes, bytes, int]]:
    """The first rows behind the id ``after``. Raises sqlite3.DatabaseError if one is not as it was written."""
    found = []
    for number, kind, key, payload, observations, checksum in database.execute(_SELECT, (after, limit)):
        if checksum is not None and checksum != _checksum(key, payload):
            raise sqlite3.DatabaseError(f"record {number} is not as it was written")
        found.append((number, kind, key, payload, observations))
    return found


def _checksum(key: bytes, payload: bytes) -> int:
    return crc32(payload, crc32(key))
