"""How a spool lies on disk: the SQLite tables, their version, and the settings that make a commit durable."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from exchange.durable import sync_folder
from exchange.errors import ConfigurationError, SchemaIncompatible
from producers.markings.marked import stricter
from producers.markings.understanding import of_file_name
from producers.spool import assertions, outbox
from schemas.markings import SourceMarking

FORMAT: Final = 7
# 2: with the assertions of the source's objects; 3: inputs are known by their uncompressed content; 4: with the
# versions of the groups of objects; 6: with the content of the objects of groups; 7: the marking of an input
# has what its name states, which was published with it before.
_FILE: Final = "spool.sqlite"
_UNSAFE_NAMES: Final = frozenset({"", ".", ".."})
_MOST_BYTES_OF_A_NAME: Final = 200
# `prefix` is of `producers.fingerprint`; `marking` is what names and options stated. Inputs of before have neither.
_CONTENT: Final = (
    "ALTER TABLE input ADD COLUMN prefix BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE input ADD COLUMN marking TEXT",
    "CREATE INDEX input_by_prefix ON input (prefix)",
)
_SINCE_7: Final = ("UPDATE input SET marking = with_name(marking, path) WHERE marking IS NOT NULL",)
_TABLES: Final = (
    # `epoch` and `next_sequence` are the sensor's identity: they only ever grow.
    """CREATE TABLE identity (
        nation TEXT NOT NULL, sensor TEXT NOT NULL, epoch INTEGER NOT NULL, next_sequence INTEGER NOT NULL)""",
    # How far each input has been read: all up to (line, item) is in the outbox or was sent. `path` is empty for
    # standard input. `size` and `digest` are of the uncompressed input as it was when it was opened.
    """CREATE TABLE input (
        id INTEGER PRIMARY KEY, path TEXT NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL,
        line INTEGER NOT NULL DEFAULT 0, item INTEGER NOT NULL DEFAULT 0, complete INTEGER NOT NULL DEFAULT 0,
        opened_at_ms INTEGER NOT NULL)""",
    "CREATE INDEX input_by_digest ON input (digest)",
    "CREATE INDEX input_by_path ON input (path)",
    *_CONTENT,
    # What is durable and not yet acknowledged. Ids are never used twice, and are the order of sending.
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key BLOB NOT NULL, payload BLOB NOT NULL,
        observations INTEGER NOT NULL, spooled_at_ms INTEGER NOT NULL)""",
    *outbox.SINCE_5,
    *assertions.TABLES,
)


def connect(folder: Path) -> sqlite3.Connection:
    """Open the database in ``folder``, made if it is not there, with every commit durable.

    Raises SchemaIncompatible for a newer layout or a damaged file, ConfigurationError if it cannot be opened.
    """
    path = folder / _FILE
    try:
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")  # in WAL mode: the log is synced at every commit
        (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _create(database, _TABLES)
            _sync(folder)
        elif version < FORMAT:
            database.create_function("with_name", 2, _with_name)
            _create(database, _since(version))
    except sqlite3.OperationalError as error:
        raise ConfigurationError(f"the spool {path} cannot be opened: {error}: check the folder's rights") from error
    except sqlite3.DatabaseError as error:
        raise damaged(folder, error) from error
    if version > FORMAT:
        database.close()
        raise SchemaIncompatible(f"the spool {path} is of format {version}, and this version reads {FORMAT}: update")
    return database


def damaged(folder: Path, error: sqlite3.DatabaseError) -> SchemaIncompatible:
    """What to do with a damaged spool."""
    why = " ".join(str(error).split())
    return SchemaIncompatible(
        f"the spool {folder} is damaged: {why}. Move it away and run this again: the sensor then numbers its reports "
        "anew. What was not sent yet is lost from it: read those inputs again"
    )


def _since(version: int) -> Iterable[str]:
    """What a spool of an earlier version lacks."""
    if version == 1:
        yield from assertions.TABLES
    else:
        yield from assertions.TABLES_SINCE_4 if version < 4 else ()
        yield from assertions.TABLES_SINCE_6 if version < 6 else ()
    yield from _CONTENT if version < 3 else ()
    yield from outbox.SINCE_5 if version < 5 else ()
    yield from _SINCE_7


def _with_name(marking: str, path: str) -> str:
    stated = msgspec.json.decode(marking, type=SourceMarking)
    return msgspec.json.encode(stricter(of_file_name(path).marking, stated)).decode()


def _create(database: sqlite3.Connection, tables: Iterable[str]) -> None:
    database.execute("BEGIN IMMEDIATE")
    for table in tables:
        database.execute(table)
    database.execute(f"PRAGMA user_version = {FORMAT}")
    database.execute("COMMIT")


def _sync(folder: Path) -> None:
    """Make the folder's new entries durable, and its own entry in the folder above."""
    for place in (folder, folder.parent):
        sync_folder(place)


def is_sensor_name(name: str) -> bool:
    """Whether a sensor can be named like this: its spool is a folder."""
    is_long = len(name.encode("utf-8", "surrogateescape")) > _MOST_BYTES_OF_A_NAME
    return name not in _UNSAFE_NAMES and "/" not in name and "\0" not in name and not is_long
