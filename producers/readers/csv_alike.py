"""Remembers the results of rows that differ only in value, times and count: most rows of most lists.

The first row of a kind is read by the row's own path; its result is the pattern of those that follow. A row
with a value without a type, an unreadable time, or cells that may all name columns takes the row's path, too.
``tests/producers/test_csv_alike.py`` holds both paths to the same result.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import repeat
from typing import Final

import msgspec

from producers.markings.marked import Marked
from producers.readers.csv_columns import Columns, columns_of
from producers.readers.csv_rows import Row, Table
from producers.readers.csv_values import PLACEHOLDERS, list_moment, whole_number
from producers.readers.reading import Defaults, Reading, Seen
from producers.readers.type_words import ANY, TYPES, Types, folded, type_of
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType

_TIMES: Final = ("first_seen", "last_seen", "valid_until")
_ROW_BY_ROW: Final = frozenset({"prefix", "to_ids", "uuid"})
_MOST_PATTERNS: Final = 8_192
_LONGEST_KEY: Final = 512
_LONGEST_PLACEHOLDER: Final = max(map(len, PLACEHOLDERS))
_MOST_MOMENTS: Final = 8_192
_ISO_LENGTH: Final = 19  # 2026-11-20 09:05:03
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Pattern(msgspec.Struct, frozen=True, gc=False):
    """The result of rows of one kind; ``types`` are those that their value may have, ``kind`` the only one."""

    seen: Observation
    marking_from: tuple[str, ...]
    types: Types
    kind: IndicatorType | None


class _Moments(dict[str, int | None]):
    """The moments of cells, each worked out once; ``None`` if a cell cannot be read."""

    def __init__(self, defaults: Defaults, zone: tzinfo, *, is_end: bool) -> None:
        super().__init__()
        self._defaults, self._zone, self._is_end = defaults, zone, is_end

    def __missing__(self, text: str) -> int | None:
        moment = self._new(text)
        if len(text) <= _LONGEST_KEY:
            if len(self) >= _MOST_MOMENTS:
                self.clear()
            self[text] = moment
        return moment

    def _new(self, text: str) -> int | None:
        if len(text) == _ISO_LENGTH and text[10] in "T " and not self._defaults.date_format:
            moment = _iso_moment(text, self._zone)
            if moment is not None:
                return moment
        return list_moment(text, self._defaults, self._zone, is_end=self._is_end)


class Alike:
    """The patterns of a list's rows, while its columns and its heading stay the same."""

    def __init__(self, columns: Columns, heading: Marked, defaults: Defaults) -> None:
        self.columns, self.heading = columns, heading
        roles = columns.roles
        self._value, self._word = columns.indicators[0]
        self._count, self._kind = roles.get("count", -1), roles.get("kind", -1)
        self._times = [(roles.get(role, -1), self._moments(role, defaults)) for role in _TIMES]
        varying = {self._value, self._count, *(place for place, _ in self._times)}
        self._others = [place for place in range(columns.width) if place not in varying]
        is_simple = len(columns.indicators) == 1 and not roles.keys() & _ROW_BY_ROW
        # Three cells at least: a line ``sep=,`` has two.
        self._is_possible = is_simple and len(self._others) > 1
        self._patterns: dict[tuple[str, ...], _Pattern | None] = {}

    def _moments(self, role: str, defaults: Defaults) -> _Moments:
        zone = self.columns.zones.get(role, defaults.time_zone)
        return _Moments(defaults, zone, is_end=role == "valid_until")

    def readings(self, table: Table) -> Iterator[Seen | None]:
        """The result of each row under these columns and this heading; ``None`` if it has to be read by its own path.

        What is learned from a row counts for those behind it.
        """
        cells = table.columns
        if not self._is_possible or len(cells) != self.columns.width:
            return repeat(None, len(table.block))
        patterns = map(self._patterns.get, zip(*(cells[place] for place in self._others), strict=True))
        times = (repeat(0) if place < 0 else map(moments.__getitem__, cells[place]) for place, moments in self._times)
        counts = repeat(1) if self._count < 0 else map(whole_number, cells[self._count], repeat(1))
        return map(_reading, table.block.places, patterns, cells[self._value], *times, counts)

    def reading(self, row: Row) -> Seen | None:
        """The same of one row."""
        cells = row.cells
        if not self._is_possible or len(cells) != self.columns.width:
            return None
        pattern = self._patterns.get(tuple([cells[place] for place in self._others]))
        first, last, end = (0 if place < 0 else moments[cells[place]] for place, moments in self._times)
        count = 1 if self._count < 0 else whole_number(cells[self._count], 1)
        return _reading(row.place, pattern, cells[self._value], first, last, end, count)

    def learn(self, row: Row, found: Sequence[Reading]) -> None:
        """Take note of a row's result."""
        if not self._is_possible or len(row.cells) != self.columns.width:
            return
        key = tuple(row.cells[place] for place in self._others)
        if key in self._patterns or sum(map(len, key)) > _LONGEST_KEY:
            return
        if len(self._patterns) >= _MOST_PATTERNS:
            self._patterns.clear()
        self._patterns[key] = self._pattern(row.cells, key, found)

    def _pattern(self, cells: Sequence[str], key: tuple[str, ...], found: Sequence[Reading]) -> _Pattern | None:
        word = self._word or (folded(cells[self._kind]) if self._kind >= 0 else "")
        types = TYPES.get(word) if word else ANY
        if types is None or len(found) != 1 or not any(map(_names_no_column, key)):
            return None
        [seen] = found
        if not isinstance(seen, Seen) or seen.observation.value != cells[self._value] or seen.object_id:
            return None
        template = msgspec.structs.replace(seen.observation, value="")  # it may be long
        return _Pattern(template, seen.marking_from, types, types[0] if len(types) == 1 else None)


def _reading(
    place: SourcePlace,
    pattern: _Pattern | None,
    value: str,
    first: int | None,
    last: int | None,
    end: int | None,
    count: int | None,
) -> Seen | None:
    """The result of a row of a kind that is known, and ``None`` of any other."""
    if pattern is None or first is None or last is None or end is None or count is None:
        return None
    kind = pattern.kind or type_of(value, pattern.types)
    if isinstance(kind, str) or (len(value) <= _LONGEST_PLACEHOLDER and value.lower() in PLACEHOLDERS):
        return None
    seen = pattern.seen
    return Seen(
        place,
        Observation(
            kind,
            value,
            first,
            last or first,
            count,
            seen.confidence,
            end,
            seen.marking,
            seen.labels,
            seen.description,
            seen.context,
            seen.withdrawal,
        ),
        pattern.marking_from,
    )


def _iso_moment(text: str, zone: tzinfo) -> int | None:
    """A moment as ISO 8601 writes it to the second, the usual form; ``None`` if it is another one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return None
    seconds = (moment.replace(tzinfo=zone) - _EPOCH).total_seconds()
    return int(seconds) * 1000


def _names_no_column(cell: str) -> bool:
    """Whether a row with this cell cannot be a further header: its name would be unknown."""
    columns = columns_of(("indicator", cell))
    return columns is not None and bool(columns.unknown) and folded(cell) not in TYPES
