"""Analysts' answers on a picture's indicators: a dispute that stands, or a search without a result.

Answers are receipts, on topics of their own (ADR 60). Each is a change of the picture, and is one again whenever its
indicator changes: what is passed on by ``added_us`` leaves with its indicator.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from consumers.picture.entry import DISPUTED, NOT_SEEN, Answer, Ended, Entry
from consumers.picture.query import marks
from consumers.subscription.answers import is_dispute, is_not_seen
from schemas.identity import key_of_id
from schemas.records import Receipt

_AT_ONCE: Final = 5_000
_Held = TypeVar("_Held", bound=Entry | Ended)
_COLUMNS: Final = "nation, kind, reason, version, at_ms, changed_ms, added_us"


class AnswerNotes:
    """Notes answers, within the transaction of the picture's writer. ``next_us`` gives the time of a change."""

    def __init__(self, database: sqlite3.Connection, next_us: Callable[[], int]) -> None:
        self._database, self._next_us = database, next_us

    def topic(self, origin: int, nation: str) -> tuple[str, list[bytes]]:
        """A nation answers on an origin's indicators: the next position in its topic, empty for the beginning, and what
        it has disputed so far."""
        place = (origin, nation)
        self._database.execute(
            "INSERT INTO answering (origin, nation, added_us) SELECT ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM answering WHERE origin = ? AND nation = ?)",
            (*place, self._next_us(), *place),
        )
        (cursor,) = self._database.execute(
            "SELECT cursor FROM answering WHERE origin = ? AND nation = ?", place
        ).fetchone()
        disputed = self._database.execute(
            "SELECT key FROM answer WHERE origin = ? AND nation = ? AND kind = ?", (*place, DISPUTED)
        ).fetchall()
        return str(cursor), [key for (key,) in disputed]

    def take(self, origin: int, receipts: Iterable[Receipt]) -> None:
        """Receipts for one origin's indicators, in their order, as ``AnswerReader`` finds them."""
        for receipt in receipts:
            if is_not_seen(receipt):
                self._put(origin, receipt, NOT_SEEN)
            elif is_dispute(receipt):
                self._put(origin, receipt, DISPUTED)
            else:
                self._end_dispute(origin, receipt)

    def indicators_changed(self, origin: int, keys: Sequence[bytes]) -> None:
        """After changes of these indicators, at most a thousand."""
        if not keys or not _has_any(self._database):
            return
        rows = self._database.execute(
            "SELECT key, nation, kind, changed_ms, (SELECT version FROM entry WHERE entry.key = answer.key "  # noqa: S608
            f"AND entry.origin = answer.origin) FROM answer WHERE origin = ? AND key IN ({marks(keys)})",
            (origin, *keys),
        ).fetchall()
        for key, nation, kind, changed_ms, version in rows:
            self._database.execute(
                "UPDATE answer SET added_us = ?, changed_ms = ? WHERE key = ? AND origin = ? AND nation = ? "
                "AND kind = ?",
                (self._next_us(), max(changed_ms + 1, version or 0), key, origin, nation, kind),
            )

    def forget(self, origin: int, key: bytes) -> None:
        """Those on an indicator that is forgotten."""
        self._database.execute("DELETE FROM answer WHERE key = ? AND origin = ?", (key, origin))

    def _put(self, origin: int, receipt: Receipt, kind: str) -> None:
        key = key_of_id(receipt["indicator_id"])
        given = (receipt["reason"], receipt["version"], receipt["at_ms"])
        before = self._of(key, origin, receipt["nation"], kind)
        if before is not None and before[1:3] >= given[1:]:  # the topic is read again
            return
        floor = 0 if before is None else before[3] + 1
        self._database.execute(
            f"INSERT OR REPLACE INTO answer (key, origin, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (key, origin, receipt["nation"], kind, *given, max(floor, given[2]), self._next_us()),
        )

    def _end_dispute(self, origin: int, receipt: Receipt) -> None:
        """Its nation has accepted a later version. The row stays, without a reason: that it ended is a change too."""
        key = key_of_id(receipt["indicator_id"])
        before = self._of(key, origin, receipt["nation"], DISPUTED)
        if before is not None and before[0] and receipt["version"] > before[1]:
            self._database.execute(
                "UPDATE answer SET reason = '', version = ?, added_us = ? WHERE key = ? AND origin = ? "
                "AND nation = ? AND kind = ?",
                (receipt["version"], self._next_us(), key, origin, receipt["nation"], DISPUTED),
            )

    def _of(self, key: bytes, origin: int, nation: str, kind: str) -> tuple[str, int, int, int] | None:
        found: tuple[str, int, int, int] | None = self._database.execute(
            "SELECT reason, version, at_ms, changed_ms FROM answer "
            "WHERE key = ? AND origin = ? AND nation = ? AND kind = ?",
            (key, origin, nation, kind),
        ).fetchone()
        return found


def with_answers(database: sqlite3.Connection, entries: list[_Held], numbers: Mapping[str, int]) -> list[_Held]:
    """These entries, each with what was answered on it. ``numbers`` are those of the origins."""
    if not entries or not _has_any(database):
        return entries
    found: dict[tuple[bytes, int], tuple[Answer, ...]] = {}
    keys = list({key_of_id(each.id) for each in entries})
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        rows = database.execute(
            f"SELECT key, origin, {_COLUMNS} FROM answer WHERE key IN ({marks(some)}) AND reason <> '' "  # noqa: S608
            "ORDER BY key, origin, kind, nation",
            some,
        )
        for key, origin, *answer in rows:
            found[key, origin] = (*found.get((key, origin), ()), Answer(*answer))
    if not found:
        return entries
    return [_joined(each, found.get((key_of_id(each.id), numbers[each.origin]), ())) for each in entries]


def _joined(entry: _Held, answers: tuple[Answer, ...]) -> _Held:
    return msgspec.structs.replace(entry, answers=answers) if answers and isinstance(entry, Entry) else entry


def answered(database: sqlite3.Connection, after_us: int, through_us: int, limit: int) -> list[tuple[bytes, int, int]]:
    """The indicators on which something was answered between these changes: key, origin, and the change."""
    return database.execute(
        "SELECT key, origin, added_us FROM answer WHERE added_us > ? AND added_us <= ? ORDER BY added_us LIMIT ?",
        (after_us, through_us, limit),
    ).fetchall()


def not_seen_between(
    database: sqlite3.Connection, origin: str, mask: int, between_us: tuple[int, int], limit: int, keys: Sequence[bytes]
) -> list[tuple[bytes, Answer]]:
    """The searches without a result, of one origin's indicators that have or had a marking of the mask, in the order
    of their changes; only on these ``keys`` if any are given."""
    columns = ", ".join(f"answer.{name}" for name in _COLUMNS.split(", "))
    only = f"AND answer.key IN ({marks(keys)}) " if keys else ""
    rows = database.execute(
        f"SELECT answer.key, {columns} FROM answer JOIN entry ON entry.key = answer.key "  # noqa: S608
        "AND entry.origin = answer.origin WHERE answer.origin = (SELECT number FROM origin WHERE name = ?) "
        f"AND answer.kind = ? AND entry.markings & ? {only}AND answer.added_us > ? AND answer.added_us <= ? "
        "ORDER BY answer.added_us LIMIT ?",
        (origin, NOT_SEEN, mask, *keys, *between_us, limit),
    )
    return [(key, Answer(*answer)) for key, *answer in rows]


def _has_any(database: sqlite3.Connection) -> bool:
    return bool(database.execute("SELECT EXISTS (SELECT 1 FROM answer)").fetchone()[0])
