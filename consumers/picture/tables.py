"""The layout of a picture on disk: the tables, their version, and the settings that make a commit durable.

A picture is a copy of topics: a file of another layout, another nation, or one that is damaged is made anew.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from schemas.vocabulary import IndicatorType

FORMAT: Final = 4
_TABLES: Final = (
    # `picture` names this copy: followers of another one begin anew. `erase_us` is the change at which content
    # was last taken out that the file may still hold somewhere; 0 if there is none.
    """CREATE TABLE about (
        nation TEXT NOT NULL, picture TEXT NOT NULL, made_ms INTEGER NOT NULL, last_us INTEGER NOT NULL,
        erase_us INTEGER NOT NULL DEFAULT 0)""",
    # `cursor` is the position in the topic; `pass` counts readings from the beginning, `is_whole` is 0 during one.
    """CREATE TABLE origin (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, cursor TEXT NOT NULL DEFAULT '',
        pass INTEGER NOT NULL DEFAULT 1, is_whole INTEGER NOT NULL DEFAULT 0, current_ms INTEGER NOT NULL DEFAULT 0,
        gap TEXT NOT NULL DEFAULT '', gap_ms INTEGER NOT NULL DEFAULT 0)""",
    # The latest version of each indicator from each origin. Without content, `type` is 0, and `value` and `body` are
    # null. `address` is that of consumers.picture.address, `ends_ms` null if it never ends by itself. `markings` has a
    # bit for each marking that any version so far had, those without content included (consumers.picture.within).
    """CREATE TABLE entry (
        n INTEGER PRIMARY KEY, key BLOB NOT NULL, origin INTEGER NOT NULL, added_us INTEGER NOT NULL,
        version INTEGER NOT NULL, received_ms INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
        pass INTEGER NOT NULL, type INTEGER NOT NULL, tlp INTEGER NOT NULL DEFAULT 5,
        confidence INTEGER, first_seen_ms INTEGER NOT NULL DEFAULT 0, last_seen_ms INTEGER NOT NULL DEFAULT 0,
        ends_ms INTEGER, address, value TEXT, body BLOB, sources BLOB, markings INTEGER NOT NULL DEFAULT 0)""",
    "CREATE UNIQUE INDEX entry_by_key ON entry (key, origin)",
    "CREATE UNIQUE INDEX entry_by_change ON entry (added_us)",
    "CREATE INDEX entry_by_marking ON entry (origin, added_us, markings) WHERE markings > 0",
    # Covers every filter but words and labels, so that a search that finds nothing reads 50 bytes an entry.
    """CREATE INDEX entry_by_receipt ON entry (
        received_ms, state, type, tlp, origin, confidence, first_seen_ms, last_seen_ms)""",
    # Recipients, with commas, or a caveat, that an origin's indicators of one marking have had since a change.
    """CREATE TABLE handling (
        origin INTEGER NOT NULL, recipients TEXT NOT NULL, caveat TEXT NOT NULL, markings INTEGER NOT NULL,
        added_us INTEGER NOT NULL, PRIMARY KEY (origin, recipients, caveat, markings)) WITHOUT ROWID""",
    "CREATE INDEX entry_by_value ON entry (value) WHERE value IS NOT NULL",
    "CREATE INDEX entry_by_address ON entry (address) WHERE address IS NOT NULL",
    "CREATE INDEX entry_by_removal ON entry (added_us) WHERE state = 'removed'",
    "CREATE INDEX entry_by_end ON entry (ends_ms) WHERE ends_ms IS NOT NULL AND state = 'live'",
    "CREATE VIRTUAL TABLE words USING fts5 (text, content='', columnsize=0, tokenize='ascii', prefix='1 2')",
    # Earlier versions, without content: when each arrived and what it was.
    """CREATE TABLE history (
        key BLOB NOT NULL, origin INTEGER NOT NULL, version INTEGER NOT NULL, received_ms INTEGER NOT NULL,
        state TEXT NOT NULL, reason TEXT NOT NULL, tlp INTEGER, confidence INTEGER,
        PRIMARY KEY (key, origin, version)) WITHOUT ROWID""",
    # What was answered on indicators (consumers.picture.answers). `reason` is empty once a dispute has ended.
    """CREATE TABLE answer (
        key BLOB NOT NULL, origin INTEGER NOT NULL, nation TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
        version INTEGER NOT NULL, at_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, added_us INTEGER NOT NULL,
        PRIMARY KEY (key, origin, nation, kind)) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX answer_by_change ON answer (added_us)",
    # The topics of answers: who answers on which origin's indicators, since which change, and the position in it.
    """CREATE TABLE answering (
        origin INTEGER NOT NULL, nation TEXT NOT NULL, added_us INTEGER NOT NULL, cursor TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (origin, nation)) WITHOUT ROWID""",
    # Outputs, and up to which change each has removed what left (`removed_us`) and applied everything (`applied_us`).
    # `origins` are names with commas.
    """CREATE TABLE follower (
        name TEXT PRIMARY KEY, origins TEXT NOT NULL, removed_us INTEGER NOT NULL, applied_us INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL) WITHOUT ROWID""",
    # The values that followers need for removals. No query shows them; they are deleted once all have removed them.
    """CREATE TABLE leaving (
        added_us INTEGER PRIMARY KEY, key BLOB NOT NULL, origin INTEGER NOT NULL, type INTEGER NOT NULL,
        value TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL)""",
)


class Unusable(Exception):
    """The file is not a usable picture of this nation: it has to be made anew. The text is the reason."""


class Damaged(sqlite3.DatabaseError):
    """The file is damaged, as a reader of it has found."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def is_damage(error: Exception) -> bool:
    """Whether an error of SQLite, or of decoding what it returned, shows that the file is damaged. Others are those of
    a disk or of a program."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return isinstance(error, msgspec.DecodeError | KeyError | UnicodeDecodeError)


def mark_of(path: Path) -> Path:
    """A file that a reader makes if it has found the picture damaged: whoever keeps it makes it anew then."""
    return path.with_suffix(".damaged")


def path_of(home: Path, nation: str) -> Path:
    """The file of a nation's picture under ``KAKEHASHI_HOME``."""
    return home / "picture" / f"{nation}.sqlite"


def files_of(path: Path) -> list[Path]:
    """All files of a picture, its log and shared memory included."""
    return [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))]


def connect(path: Path, *, writes: bool) -> sqlite3.Connection:
    """Open a picture's file; without a transaction unless one is begun.

    Raises sqlite3.Error if it cannot be opened.
    """
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    try:
        if writes:
            os.environ.setdefault("SQLITE_TMPDIR", str(path.parent))  # scratch files hold content too
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.execute("PRAGMA secure_delete = ON")
            database.execute("PRAGMA wal_autocheckpoint = 4000")
        else:
            database.execute("PRAGMA query_only = ON")
        database.execute("PRAGMA cache_size = -65536")
    except sqlite3.Error:
        database.close()
        raise
    return database


def create(database: sqlite3.Connection, nation: str, picture: str, made_ms: int) -> None:
    """Make the tables of an empty file."""
    database.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        database.execute(table)
    database.execute("INSERT INTO about VALUES (?, ?, ?, ?, 0)", (nation, picture, made_ms, made_ms * 1000))
    database.execute(f"PRAGMA user_version = {FORMAT}")
    database.execute(f"PRAGMA application_id = {int(max(IndicatorType))}")
    database.execute("COMMIT")


def begin_again_with_new_types(database: sqlite3.Connection, now_ms: int) -> bool:
    """Whether an earlier version kept this picture, which left out the records whose type it did not know.

    Then every topic is read anew: what the picture has already is no change. SQLite keeps the last type's code for us.
    """
    (last,) = database.execute("PRAGMA application_id").fetchone()
    if last == max(IndicatorType):
        return False
    gap = f"types: {last or 'an unknown number'} were known, {int(max(IndicatorType))} are"
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE origin SET cursor = '', pass = pass + 1, is_whole = 0, gap = ?, gap_ms = ?", (gap, now_ms))
    database.execute(f"PRAGMA application_id = {int(max(IndicatorType))}")
    database.execute("COMMIT")
    return True


def check(database: sqlite3.Connection, path: Path, nation: str) -> None:
    """Raise Unusable if this is not a picture of that nation in this layout."""
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version != FORMAT:
            raise Unusable(f"{path} has layout {version}, and this version has {FORMAT}")
        row = database.execute("SELECT nation FROM about").fetchone()
    except sqlite3.DatabaseError as error:
        raise Unusable(f"{path} is damaged: {error}") from error
    if row is None or row[0] != nation:
        raise Unusable(f"{path} is of {row[0] if row else 'no nation'}, not of {nation}")
