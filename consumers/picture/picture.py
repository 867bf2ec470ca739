"""Reads a picture: what queries, outputs and TAXII ask. Any number of processes read while one writes."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Final

from consumers.picture.answers import answered, not_seen_between
from consumers.picture.entry import Answer, Ended, Entry
from consumers.picture.filters import Filter
from consumers.picture.followers import Follower, followers
from consumers.picture.handling import Handling, handling_of, nations_of
from consumers.picture.known import OriginState, Version
from consumers.picture.query import marks, where_of, words_asked
from consumers.picture.reading import PictureFile
from consumers.picture.rows import COLUMNS, entry_of, key_of, sources_of, tlp_label
from consumers.picture.within import bit_of, mask_of
from consumers.subscription.changes import State, Use
from schemas.markings import Tlp

_PAGE: Final = 2_000
_ANSWERED: Final = 500  # entries of a search whose answers are looked up together
_LOOKED_AT: Final = 10_000
_SORTED: Final = (2_500, 20_000)  # entries with a word that are sorted in any case, and at most
_BEFORE_ALL: Final = (1 << 62, 1 << 62)


class Picture(PictureFile):
    """A nation's picture. One thread uses it."""

    def origins(self) -> list[OriginState]:
        """Every origin that the picture has, by its number."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT name, topic, is_whole, current_ms, gap, gap_ms FROM origin ORDER BY number"
            ).fetchall()
        return [OriginState(name, topic, bool(whole), *rest) for name, topic, whole, *rest in rows]

    def erasure_is_due(self) -> bool:
        """Whether the files may hold content that was taken out."""
        return bool(self._one("SELECT erase_us FROM about", []))

    def followers(self) -> list[Follower]:
        """The outputs that follow it, also those that do not run, by name."""
        with self._reading() as database:
            return followers(database)

    def count(self, filters: Filter | None = None) -> int:
        """How many indicators there are, all or of a filter without words, labels and techniques."""
        where, values = ("TRUE", []) if filters is None else self._where(filters)
        return int(self._one(f"SELECT COUNT(*) FROM entry WHERE {where}", values))  # noqa: S608  # names of ours

    def get(self, indicator: str) -> list[Entry | Ended]:
        """What each origin publishes about an indicator's id: the nation itself first, then the partners by name."""
        key = key_of(indicator)
        rows = self._rows("key = ? AND state <> 'removed'", [key], "")
        return sorted(self._entries(rows), key=lambda each: (each.origin != self.nation, each.origin))

    def history(self, indicator: str, origin: str) -> list[Version]:
        """Its earlier versions from an origin as far as they were seen here, the latest first; 32 at most."""
        with self._reading() as database:
            rows = database.execute(
                "SELECT version, received_ms, state, reason, tlp, confidence FROM history "
                "WHERE key = ? AND origin = (SELECT number FROM origin WHERE name = ?) ORDER BY version DESC",
                (key_of(indicator), origin),
            ).fetchall()
        return [
            Version(version, at, State(state), reason, None if tlp is None else tlp_label(tlp), confidence)
            for version, at, state, reason, tlp, confidence in rows
        ]

    def sources(self, indicator: str) -> list[dict[str, Any]]:
        """What each source of the nation's own indicator asserts, as in ``indicator.v1``; empty of a partner's."""
        with self._reading() as database:
            row = database.execute(
                "SELECT sources FROM entry WHERE key = ? AND origin = (SELECT number FROM origin WHERE name = ?)",
                (key_of(indicator), self.nation),
            ).fetchone()
            return sources_of(row[0]) if row is not None and row[0] is not None else []

    def search(self, filters: Filter, limit: int = 0) -> Iterator[Entry]:
        """What a filter lets through, the latest received first; 0 is no limit."""
        matching = self._matching(filters, limit)
        found = islice(matching, limit) if limit else matching
        while some := list(islice(found, _ANSWERED)):
            yield from self._answered(some)

    def entries(self, filters: Filter, start: bytes = b"") -> Iterator[Entry]:
        """What a filter lets through from the key ``start`` on, in the order of ids and then of origins; the nation
        itself first.

        It is read in pages, so that a slow reader holds no transaction: a change after the page that is read is seen,
        and comes again by ``changes``.
        """
        where, values = self._where(filters)
        last: tuple[bytes, int] = (start, 0)
        while True:
            page = self._rows(
                f"(key, origin) > (?, ?) AND {where}", [*last, *values], f"ORDER BY key, origin LIMIT {_PAGE}"
            )
            for entry in self._entries(page):
                if isinstance(entry, Entry) and filters.matches(entry):
                    yield entry
            if len(page) < _PAGE:
                return
            last = (page[-1][0], page[-1][1])

    def changes(self, after_us: int, limit: int, through_us: int | None = None) -> list[Entry | Ended]:
        """The latest version of each indicator that changed after ``after_us``, in the order of ``added_us``, at most
        ``limit``.

        An indicator that changes again moves to the end: whoever reads on gets its last version, and none twice. An
        answer on an indicator is a change of it, too.
        """
        between = (after_us, (1 << 62) if through_us is None else through_us)
        rows = self._rows("added_us > ? AND added_us <= ?", [*between], f"ORDER BY added_us LIMIT {int(limit)}")
        with self._reading() as database:
            places = answered(database, *between, limit)
        for key, origin, at_us in places:
            rows += [(*row[:2], at_us, *row[3:]) for row in self._rows("key = ? AND origin = ?", [key, origin], "")]
        return self._entries(sorted(rows, key=lambda row: row[2])[:limit] if places else rows)

    def within(
        self,
        origin: str,
        ceiling: Tlp,
        use: Use,
        between_us: tuple[int, int],
        limit: int,
        indicators: Collection[str] = (),
    ) -> list[tuple[Entry | Ended, bool]]:
        """One origin's latest versions after one change up to another that are within a ceiling and a use, or once
        were: with False if they no longer are, or have no content any more. In the order of ``added_us``, at most
        ``limit``, and only these ``indicators`` if any are given.

        Only versions within may be shown; of others, only that they left. Those that never were within are left out.
        """
        mask = mask_of(ceiling, use)
        keys = [key for each in indicators if (key := key_of(each))]
        only = f"key IN ({marks(keys)}) AND " if indicators else ""
        where = "origin = (SELECT number FROM origin WHERE name = ?) AND markings > 0 AND markings & ?"
        at = "+added_us" if indicators else "added_us"  # by the key, not through all changes
        order = f"AND {at} > ? AND {at} <= ? ORDER BY {at} LIMIT {int(limit)}"
        rows = self._rows(only + where, [*keys, origin, mask, *between_us], order)
        return [(each, bool(isinstance(each, Entry) and bit_of(each) & mask)) for each in self._entries(rows)]

    def not_seen(
        self,
        origin: str,
        ceiling: Tlp,
        use: Use,
        between_us: tuple[int, int],
        limit: int,
        indicators: Collection[str] = (),
    ) -> list[tuple[Entry | Ended, bool, Answer]]:
        """The searches without a result for what ``within`` gives, in the order of their own changes."""
        mask = mask_of(ceiling, use)
        keys = [key for each in indicators if (key := key_of(each))]
        with self._reading() as database:
            found = not_seen_between(database, origin, mask, between_us, limit, keys)
        where = f"key IN ({marks(found)}) AND origin = (SELECT number FROM origin WHERE name = ?)"  # noqa: S608
        entries = {key_of(each.id): each for each in self._entries(self._rows(where, [*dict(found), origin], ""))}
        return [
            (entry, bool(isinstance(entry, Entry) and bit_of(entry) & mask), answer)
            for key, answer in found
            if (entry := entries.get(key)) is not None
        ]

    def answering(self, origin: str) -> list[str]:
        """The nations that may answer on an origin's indicators."""
        with self._reading() as database:
            return [each.nation for each in nations_of(database, origin, (0, 1 << 62))]

    def handling(self, origin: str, ceiling: Tlp, use: Use, between_us: tuple[int, int], limit: int) -> list[Handling]:
        """The recipients and caveats of what ``within`` gives, in the order of their own changes."""
        with self._reading() as database:
            return handling_of(database, origin, mask_of(ceiling, use), between_us, limit)

    def _matching(self, filters: Filter, limit: int) -> Iterator[Entry]:
        for row in self._latest_first(filters, limit):
            with self._reading():
                entry = entry_of(row, self._names, self._clock_ms())
            if isinstance(entry, Entry) and filters.matches(entry):
                yield entry

    def _latest_first(self, filters: Filter, limit: int) -> Iterator[Any]:
        """Rows that may match. To sort all that has a common word takes longer than to look at the latest received, if
        as many as asked for are likely to be among them."""
        behind = _BEFORE_ALL
        self._names = self._origins()
        if limit and self._is_common(filters, limit):
            for row in self._ordered(filters, behind, f"LIMIT {_LOOKED_AT}", with_words=False):
                behind = (row[4], row[2])
                yield row
            if behind == _BEFORE_ALL:
                return
        yield from self._ordered(filters, behind, "", with_words=True)

    def _ordered(self, filters: Filter, behind: tuple[int, int], limit: str, *, with_words: bool) -> Iterator[Any]:
        where, values = where_of(filters, self._names, self._clock_ms(), with_words=with_words)
        places = f"received_ms <= ? AND (received_ms, added_us) < (?, ?) AND {where}"
        order = f"ORDER BY received_ms DESC, added_us DESC {limit}"
        with self._reading() as database:
            yield from database.execute(
                f"SELECT {COLUMNS} FROM entry WHERE {places} {order}",  # noqa: S608  # names of ours
                [behind[0], *behind, *values],
            )

    def _is_common(self, filters: Filter, limit: int) -> bool:
        """Whether so many entries have the words that some of the latest are likely to have ``limit`` of them."""
        asked = words_asked(filters)
        if not asked:
            return False
        likely = limit * int(self._one("SELECT COALESCE(MAX(n), 0) FROM entry", [])) // _LOOKED_AT
        most = min(max(_SORTED[0], likely), _SORTED[1])
        statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT {most})"  # noqa: S608
        return bool(self._one(statement, [asked]) == most)

    def _where(self, filters: Filter) -> tuple[str, list[Any]]:
        return where_of(filters, self._origins(), self._clock_ms())
