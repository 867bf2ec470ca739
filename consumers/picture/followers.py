"""Outputs that follow a picture: how far each is, and the values that it needs for removals."""

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec

from consumers.picture.rows import origins_in
from consumers.subscription.changes import State
from schemas.identity import indicator_id
from schemas.vocabulary import IndicatorType

_TYPES: Final = {kind.value: kind.label for kind in IndicatorType}


class Leaving(msgspec.Struct, frozen=True, gc=False):
    """An indicator that left a picture, for the outputs that may still hold it. ``value`` is for its removal alone."""

    id: str
    origin: str
    type: str
    value: str
    state: State
    version: int
    added_us: int


class Follower(msgspec.Struct, frozen=True):
    """An output, and up to which change it has removed what left and applied everything.

    ``unapplied_recalls`` are those that it has still to apply.
    """

    name: str
    origins: tuple[str, ...]
    removed_us: int
    applied_us: int
    seen_ms: int
    unapplied_recalls: int


def register(
    database: sqlite3.Connection, name: str, origins: Iterable[str], at_us: int, now_ms: int, *, is_begun: bool = True
) -> None:
    """Let the picture keep what this output will need, from change ``at_us`` on. One that is known keeps its position.

    If it is not begun, it has applied nothing yet: ``applied_by`` is 0 until it has advanced.
    """
    database.execute(
        "INSERT INTO follower VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET origins = excluded.origins, "
        "seen_ms = excluded.seen_ms",
        (name, ",".join(sorted(origins)), at_us, at_us if is_begun else 0, now_ms),
    )


def advance(database: sqlite3.Connection, name: str, removed_us: int, applied_us: int, now_ms: int) -> None:
    """Note what an output has done. Values that all have removed are erased soon after."""
    database.execute(
        "UPDATE follower SET removed_us = MAX(removed_us, ?), applied_us = MAX(applied_us, ?), seen_ms = ? "
        "WHERE name = ?",
        (removed_us, applied_us, now_ms, name),
    )


def applied_by(database: sqlite3.Connection, name: str) -> int:
    """The change up to which an output has applied everything; 0 if it is not known."""
    row = database.execute("SELECT applied_us FROM follower WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def forget(database: sqlite3.Connection, name: str) -> bool:
    """Keep nothing for this output any more. Returns whether it was known."""
    return database.execute("DELETE FROM follower WHERE name = ?", (name,)).rowcount > 0


def followers(database: sqlite3.Connection) -> list[Follower]:
    """All of them, by name."""
    rows = database.execute(
        """SELECT name, origins, removed_us, applied_us, seen_ms, (
            SELECT COUNT(*) FROM leaving JOIN origin ON origin.number = leaving.origin
            WHERE state = 'recalled' AND added_us > removed_us
            AND instr(',' || origins || ',', ',' || origin.name || ','))
        FROM follower ORDER BY name"""
    ).fetchall()
    return [Follower(name, tuple(origins.split(",")), *rest) for name, origins, *rest in rows]


def leaving(database: sqlite3.Connection, after_us: int, through_us: int, at_most: int = 1 << 30) -> list[Leaving]:
    """The first indicators that left between these changes, in their order, as far as they had a value."""
    origins = origins_in(database)
    rows = database.execute(
        "SELECT key, origin, type, value, state, version, added_us FROM leaving WHERE added_us > ? AND added_us <= ? "
        "ORDER BY added_us LIMIT ?",
        (after_us, through_us, at_most),
    )
    return [
        Leaving(indicator_id(key), origins[origin], _TYPES[kind], value, State(state), version, added_us)
        for key, origin, kind, value, state, version, added_us in rows
    ]
