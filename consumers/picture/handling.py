"""Which recipients and caveats an origin's indicators were ever marked with, and which nations may answer on them: each
since a change of the picture.

Whoever passes indicators on by ``added_us`` has to explain their markings first, and each once. So they are changes of
their own, before the first indicator that has them. There are few: most indicators are marked alike.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec

from consumers.picture.entry import Entry
from consumers.picture.within import bit_of

_REMEMBERED: Final = 10_000


class Handling(msgspec.Struct, frozen=True):
    """The nations that may have an indicator; a caveat in their place; or a nation that may answer on it."""

    recipients: tuple[str, ...]
    caveat: str
    added_us: int
    nation: str = ""


class HandlingNotes:
    """Notes what is new, within the transaction of its indicators. ``next_us`` gives the time of a change."""

    def __init__(self, database: sqlite3.Connection, next_us: Callable[[], int]) -> None:
        self._database, self._next_us = database, next_us
        self._noted: set[tuple[int, int, tuple[str, ...] | None, tuple[str, ...]]] = set()

    def note(self, origin: int, entry: Entry | None) -> None:
        """Before the change of an entry."""
        if entry is None:
            return
        marking = (origin, bit_of(entry), entry.releasable_to, entry.caveats)
        if marking in self._noted:
            return
        found = [] if entry.releasable_to is None else [(",".join(entry.releasable_to), "")]
        for recipients, caveat in [*found, *(("", caveat) for caveat in entry.caveats)]:
            self._database.execute(
                "INSERT OR IGNORE INTO handling VALUES (?, ?, ?, ?, ?)",
                (origin, recipients, caveat, bit_of(entry), self._next_us()),
            )
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        self._noted.add(marking)

    def forget(self) -> None:
        """After a transaction that was not committed."""
        self._noted.clear()


def handling_of(
    database: sqlite3.Connection, origin: str, mask: int, between_us: tuple[int, int], limit: int
) -> list[Handling]:
    """What is new after one change up to another, of an origin's indicators with a marking of the mask, and who may
    answer on them."""
    rows = database.execute(
        "SELECT recipients, caveat, MIN(added_us) AS first_us FROM handling WHERE markings & ? "
        "AND origin = (SELECT number FROM origin WHERE name = ?) GROUP BY recipients, caveat HAVING first_us > ? "
        "AND first_us <= ? ORDER BY first_us LIMIT ?",
        (mask, origin, *between_us, limit),
    )
    found = [Handling(tuple(filter(None, names.split(","))), caveat, at_us) for names, caveat, at_us in rows]
    found += nations_of(database, origin, between_us)
    return sorted(found, key=lambda each: each.added_us)[: limit if limit >= 0 else None]


def nations_of(database: sqlite3.Connection, origin: str, between_us: tuple[int, int]) -> list[Handling]:
    """The nations that may answer on an origin's indicators since a change between these."""
    rows = database.execute(
        "SELECT nation, added_us FROM answering WHERE origin = (SELECT number FROM origin WHERE name = ?) "
        "AND added_us > ? AND added_us <= ?",
        (origin, *between_us),
    )
    return [Handling((), "", at_us, nation) for nation, at_us in rows]
