"""Takes content that may not be kept out of the picture's files, down to the last byte (ADR 49).

``secure_delete`` overwrites what is deleted where it was. That is not enough: FTS5 keeps deleted words until segments
are merged, SQLite leaves old copies in unused parts of pages, and the write-ahead log holds former pages. So the words
are merged, the unused parts are overwritten, and the log is emptied: in short steps, so that changes come in between.
The picture notes what is due with the change itself: a crash in between only delays it.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from consumers.picture.scrub import Scrub

_log = logging.getLogger(__name__)
_MERGED: Final = 200  # pages of words in one step
_BUSY_MS: Final = 50
_USUAL_BUSY_MS: Final = 30_000


def is_due(database: sqlite3.Connection) -> bool:
    """Whether the files may hold content that was taken out."""
    return bool(_due(database))


class Erasing:
    """One pass, a step at a time. ``is_done`` at its end: what has become due since it began is for the next one."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database, self._due = database, _due(database)
        self._merge: int = -_MERGED  # negative: all segments are merged, however large
        self._scrub = Scrub(database, path)
        self.is_done = False

    def step(self) -> bool:
        """The next step, of some 20 ms. False if a reader is in the way: then nothing was done.

        No transaction may be open.
        """
        if self._merge:
            before = self._database.total_changes
            self._database.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (self._merge,))
            self._merge = _MERGED if self._database.total_changes - before >= 2 else 0  # SQLite FTS5, 6.9
            return True
        with _impatient(self._database):
            if not self._scrub.some():
                _log.info("picture.erase waits=reader")
                return False
        if self._scrub.is_done:
            self._database.execute("UPDATE about SET erase_us = 0 WHERE erase_us = ?", (self._due,))
            self.is_done = True
        return True


@contextmanager
def _impatient(database: sqlite3.Connection) -> Iterator[None]:
    database.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    try:
        yield
    finally:
        database.execute(f"PRAGMA busy_timeout = {_USUAL_BUSY_MS}")


def _due(database: sqlite3.Connection) -> int:
    (due,) = database.execute("SELECT erase_us FROM about").fetchone()
    return int(due)
