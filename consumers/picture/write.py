"""Writes arriving records into the picture: each batch with its position, in one transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from consumers.picture.answers import AnswerNotes
from consumers.picture.arrival import Arrival
from consumers.picture.handling import HandlingNotes
from consumers.picture.rows import HELD, NOTHING, Columns, Held, body_of, columns_of, release_is_over, words_of
from consumers.picture.within import bit_of
from consumers.subscription.changes import State
from exchange.errors import TransientError
from schemas.topics import DAY_MS
from schemas.vocabulary import EndReason

HISTORY_KEPT: Final = 32
REMOVED_KEPT_US: Final = 30 * DAY_MS * 1000
_AT_ONCE: Final = 500
_COLUMNS: Final = ", ".join(field.name for field in msgspec.structs.fields(Columns))


class PictureWriter:
    """The one writer of a picture. ``clock_us`` is microseconds since 1970 UTC. Not thread-safe."""

    def __init__(self, database: sqlite3.Connection, clock_us: Callable[[], int]) -> None:
        self._database, self._clock_us = database, clock_us
        self._last_us = int(database.execute("SELECT last_us FROM about").fetchone()[0])
        self._erased = False
        self._handling = HandlingNotes(database, self._next_us)
        self.answers: Final = AnswerNotes(database, self._next_us)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the body, or nothing of it. The body's changes get their times here.

        Raises TransientError if the disk is full or does not write, or if another process keeps the file for too long.
        """
        last_us, self._erased = self._last_us, False
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database
            if self._last_us != last_us:
                self._database.execute("UPDATE about SET last_us = ?", (self._last_us,))
            if self._erased:
                self._database.execute("UPDATE about SET erase_us = last_us")
            self._database.execute("COMMIT")
        except BaseException as error:
            self._last_us = last_us
            self._handling.forget()
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise TransientError(f"the picture cannot be written: {error}: is its disk full?") from error
            raise

    def origin(self, name: str, topic: str) -> int:
        """The number of an origin, which is made if it is new. The nation itself is 0, before all others."""
        with self.transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO origin (number, name, topic) "
                "SELECT CASE nation WHEN ? THEN 0 END, ?, ? FROM about",
                (name, name, topic),
            )
            (number,) = database.execute("SELECT number FROM origin WHERE name = ?", (name,)).fetchone()
        return int(number)

    def cursor_of(self, origin: int) -> str:
        """The next position in the origin's topic; empty if it was not read yet."""
        (text,) = self._database.execute("SELECT cursor FROM origin WHERE number = ?", (origin,)).fetchone()
        return str(text)

    def apply(self, origin: int, arrivals: Iterable[Arrival]) -> None:
        """Within a transaction: bring these records in, in their order. An older or equal version changes nothing."""
        for portion in _without_repeats(arrivals):
            self._apply(origin, portion)

    def end_due(self, now_ms: int, at_most: int = 1000) -> int:
        """Within a transaction: mark what has ended by ``now_ms`` without a record. Returns how many."""
        rows = self._database.execute(
            f"SELECT {HELD}, origin FROM entry WHERE state = 'live' AND ends_ms <= ? ORDER BY ends_ms LIMIT ?",  # noqa: S608
            (now_ms, at_most),
        ).fetchall()
        for row in rows:
            self._end(Held(*row[:-1]), row[-1], now_ms)
            self.answers.indicators_changed(row[-1], [row[1]])
        return len(rows)

    def is_empty(self) -> bool:
        """Whether no indicator was ever written."""
        return bool(self._database.execute("SELECT NOT EXISTS (SELECT 1 FROM entry)").fetchone()[0])

    def sweep(self, origin: int, at_most: int) -> int:
        """Within a transaction: remove a portion of what the present reading of a topic from its beginning has not
        found. Returns how many."""
        (reading, is_whole) = self._database.execute(
            "SELECT pass, is_whole FROM origin WHERE number = ?", (origin,)
        ).fetchone()
        if reading == 1 or is_whole:
            return 0
        rows = self._database.execute(
            f"SELECT {HELD} FROM entry WHERE origin = ? AND pass < ? AND state <> 'removed' LIMIT ?",  # noqa: S608
            (origin, reading, at_most),
        ).fetchall()
        for row in rows:
            self._remove(Held(*row), origin)
            self.answers.indicators_changed(origin, [row[1]])
        return len(rows)

    def settle(self) -> int:
        """Within a transaction: forget the values that every follower has removed. Returns how many."""
        gone = self._database.execute(
            """DELETE FROM leaving WHERE NOT EXISTS (
                SELECT 1 FROM follower JOIN origin ON origin.number = leaving.origin
                WHERE removed_us < leaving.added_us AND instr(',' || origins || ',', ',' || origin.name || ','))"""
        ).rowcount
        self._erased |= gone > 0
        return gone

    def forget_removed(self, at_most: int = 1000) -> int:
        """Within a transaction: delete the rows of keys that were deleted a month ago. Returns how many."""
        gone = self._database.execute(
            "SELECT n, origin, key FROM entry WHERE state = 'removed' AND added_us < ? LIMIT ?",
            (self._clock_us() - REMOVED_KEPT_US, at_most),
        ).fetchall()
        for n, *indicator in gone:
            self._database.execute("DELETE FROM entry WHERE n = ?", (n,))
            self.answers.forget(*indicator)
        return len(gone)

    def _apply(self, origin: int, portion: Sequence[Arrival]) -> None:
        marks = ", ".join("?" * len(portion))
        rows = self._database.execute(
            f"SELECT {HELD} FROM entry WHERE origin = ? AND key IN ({marks})",  # noqa: S608
            (origin, *(each.key for each in portion)),
        ).fetchall()
        held = {each.key: each for each in (Held(*row) for row in rows)}
        (reading,) = self._database.execute("SELECT pass FROM origin WHERE number = ?", (origin,)).fetchone()
        new: list[Arrival] = []
        same: list[tuple[int, int]] = []
        for arrival in portion:
            before = held.get(arrival.key)
            if arrival.state is State.REMOVED:
                if before is not None and before.state != State.REMOVED:
                    self._remove(before, origin)
            elif before is None:
                new.append(arrival)
            elif arrival.version > before.version or before.state == State.REMOVED:
                self._replace(before, origin, arrival, reading)
            elif arrival.version == before.version:
                same.append((reading, before.n))
        self._insert(origin, new, reading)
        if reading > 1:
            self._database.executemany("UPDATE entry SET pass = ? WHERE n = ?", same)
        if len(same) < len(portion):
            unchanged = {n for _, n in same}
            keys = [each.key for each in portion if each.key not in held or held[each.key].n not in unchanged]
            self.answers.indicators_changed(origin, keys)

    def _insert(self, origin: int, new: Sequence[Arrival], reading: int) -> None:
        if not new:
            return
        (last,) = self._database.execute("SELECT COALESCE(MAX(n), 0) FROM entry").fetchone()
        rows, texts = [], []
        for n, arrival in enumerate(new, last + 1):
            columns = _columns(arrival)
            self._handling.note(origin, arrival.entry)
            rows.append(
                (n, arrival.key, origin, self._next_us(), arrival.version, arrival.received_ms, arrival.state.value,
                 arrival.reason, reading, *msgspec.structs.astuple(columns), bit_of(arrival.entry))
            )  # fmt: skip
            text = words_of(columns.value, columns.body)
            if text:
                texts.append((n, text))
        self._database.executemany(f"INSERT INTO entry VALUES ({', '.join('?' * 20)})", rows)  # noqa: S608
        self._database.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", texts)

    def _replace(self, before: Held, origin: int, arrival: Arrival, reading: int) -> None:
        """A later version: with new content, with the earlier content, or with none if that may not be kept."""
        self._handling.note(origin, arrival.entry)
        added_us, is_bare = self._next_us(), arrival.entry is None
        was_recalled = arrival.state is State.RECALLED or arrival.recalled_through >= before.version
        self._remember(before, origin)
        if was_recalled or arrival.erases:
            self._forget_history(before.key, origin)
            self._erased |= before.value is not None
            if is_bare:
                self._leave(
                    before, origin, State.RECALLED if was_recalled else arrival.state, arrival.version, added_us
                )
                self._write(before, NOTHING)
        if not is_bare:  # what has expired or was revoked keeps its content: it may still be looked up
            self._write(before, _columns(arrival))
        self._database.execute(
            "UPDATE entry SET added_us = ?, version = ?, received_ms = ?, state = ?, reason = ?, pass = ?, "
            "markings = markings | ? WHERE n = ?",
            (
                added_us,
                arrival.version,
                arrival.received_ms,
                arrival.state,
                arrival.reason,
                reading,
                bit_of(arrival.entry),
                before.n,
            ),
        )

    def _end(self, before: Held, origin: int, now_ms: int) -> None:
        """What ends by its own time keeps its version. Content whose release is over goes."""
        added_us = self._next_us()
        reason = before.reason
        if before.body is not None and release_is_over(body_of(before.body), now_ms):
            reason = EndReason.RELEASE_ENDED.value
            self._leave(before, origin, State.ENDED, before.version, added_us)
            self._forget_history(before.key, origin)
            self._write(before, NOTHING)
            self._erased = True
        self._database.execute(
            "UPDATE entry SET added_us = ?, state = ?, reason = ? WHERE n = ?",
            (added_us, State.ENDED, reason, before.n),
        )

    def _remove(self, before: Held, origin: int) -> None:
        """Whoever reads by ``added_us`` has to see that it left: its row stays for a time, without content."""
        added_us = self._next_us()
        self._leave(before, origin, State.REMOVED, before.version, added_us)
        self._erased |= before.value is not None
        self._write(before, NOTHING)
        self._database.execute(
            "UPDATE entry SET added_us = ?, state = ? WHERE n = ?", (added_us, State.REMOVED, before.n)
        )
        self._database.execute("DELETE FROM history WHERE key = ? AND origin = ?", (before.key, origin))

    def _write(self, before: Held, columns: Columns) -> None:
        """Replace an entry's content, and its words."""
        old = words_of(before.value, before.body)
        new = words_of(columns.value, columns.body)
        if old != new:
            if old:
                self._database.execute(
                    "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)", (before.n, old)
                )
            if new:
                self._database.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (before.n, new))
        self._database.execute(
            f"UPDATE entry SET ({_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE n = ?",  # noqa: S608
            (*msgspec.structs.astuple(columns), before.n),
        )

    def _leave(self, before: Held, origin: int, state: State, version: int, added_us: int) -> None:
        """Keep what followers need to remove it; ``settle`` forgets it."""
        if before.value is not None:
            self._database.execute(
                "INSERT INTO leaving SELECT ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM follower)",
                (added_us, before.key, origin, before.type, before.value, state, version),
            )

    def _remember(self, before: Held, origin: int) -> None:
        facts = (before.tlp, before.confidence) if before.value is not None else (None, None)
        self._database.execute(
            "INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (before.key, origin, before.version, before.received_ms, before.state, before.reason, *facts),
        )
        self._database.execute(
            "DELETE FROM history WHERE key = ? AND origin = ? AND version <= (SELECT version FROM history "
            "WHERE key = ? AND origin = ? ORDER BY version DESC LIMIT 1 OFFSET ?)",
            (before.key, origin, before.key, origin, HISTORY_KEPT),
        )

    def _forget_history(self, key: bytes, origin: int) -> None:
        """Earlier versions stay as numbers and times."""
        self._database.execute(
            "UPDATE history SET tlp = NULL, confidence = NULL WHERE key = ? AND origin = ?", (key, origin)
        )

    def _next_us(self) -> int:
        """The time of a next change. The microsecond after it is the time of what follows from it (TAXII)."""
        self._last_us = max(self._last_us + 2, self._clock_us())
        return self._last_us


def _columns(arrival: Arrival) -> Columns:
    return NOTHING if arrival.entry is None else columns_of(arrival.entry, arrival.sources)


def _without_repeats(arrivals: Iterable[Arrival]) -> Iterator[list[Arrival]]:
    """In portions in which no key comes twice, and which one statement can ask for."""
    portion: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        if arrival.key in portion or len(portion) == _AT_ONCE:
            yield list(portion.values())
            portion = {}
        portion[arrival.key] = arrival
    if portion:
        yield list(portion.values())
