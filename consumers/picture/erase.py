"""Takes content that may not be kept out of the picture's files, down to the last byte (ADR 49).

``secure_delete`` overwrites what is deleted where it was. That is not enough: SQLite leaves old copies in unused parts
of pages when it balances its trees, FTS5 keeps deleted words until segments are merged, and the write-ahead log holds
former pages. So the words are merged, the file is written anew by VACUUM, and the log is emptied. The picture notes
what is due with the change itself: a crash in between only delays it.
"""

import logging
import sqlite3
from typing import Final

_log = logging.getLogger(__name__)
_BUSY_MS: Final = 1_000
_USUAL_BUSY_MS: Final = 30_000


def is_due(database: sqlite3.Connection) -> bool:
    """Whether the files may hold content that was taken out."""
    return bool(database.execute("SELECT erase_us FROM about").fetchone()[0])


def erase(database: sqlite3.Connection) -> bool:
    """Write the files anew without what was taken out. False if a reader is in the way: then it is still due.

    Costs as much as the picture is large. No transaction may be open.
    """
    (due,) = database.execute("SELECT erase_us FROM about").fetchone()
    if not due:
        return True
    if not _log_is_emptied(database):  # before the work: a reader would only make it come again
        return False
    database.execute("INSERT INTO words (words) VALUES ('optimize')")
    database.execute("VACUUM")
    if not _log_is_emptied(database):
        return False
    database.execute("UPDATE about SET erase_us = 0 WHERE erase_us = ?", (due,))
    return True


def _log_is_emptied(database: sqlite3.Connection) -> bool:
    """Whether no reader needs the log any more, so that it could be written into the file and cut to nothing."""
    database.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    try:
        (busy, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        database.execute(f"PRAGMA busy_timeout = {_USUAL_BUSY_MS}")
    if busy:
        _log.info("picture.erase waits=reader")
    return not busy
