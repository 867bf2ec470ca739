"""Remembers the results of rows that differ only in value, times and count: most rows of most lists.

The first row of a kind is read by the row's own path; its result is the pattern of those that follow. A row
with a value without a type, an unreadable time, or cells that may all name columns takes the row's path, too.
``tests/producers/test_csv_alike.py`` holds both paths to the same result.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from operator import itemgetter
from typing import Final

import msgspec

from producers.markings.marked import Marked
from producers.readers.csv_columns import Columns, columns_of
from producers.readers.csv_rows import Row
from producers.readers.csv_values import PLACEHOLDERS, list_moment, whole_number
from producers.readers.reading import Defaults, Reading, Seen
from producers.readers.type_words import ANY, TYPES, Types, folded, type_of
from schemas.observation import Observation

_TIMES: Final = ("first_seen", "last_seen", "valid_until")
_ROW_BY_ROW: Final = frozenset({"prefix", "to_ids", "uuid"})
_MOST_PATTERNS: Final = 8_192
_LONGEST_KEY: Final = 512
_LONGEST_PLACEHOLDER: Final = max(map(len, PLACEHOLDERS))
_MOST_MOMENTS: Final = 65_536
_ISO_LENGTH: Final = 19  # 2026-11-20 09:05:03
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Pattern(msgspec.Struct, frozen=True, gc=False):
    """The result of rows of one kind; ``types`` are those that their value may have."""

    seen: Seen
    types: Types


class Alike:
    """The patterns of a list's rows, while its columns and its heading stay the same."""

    def __init__(self, columns: Columns, heading: Marked, defaults: Defaults) -> None:
        self.columns, self.heading = columns, heading
        self._defaults = defaults
        roles = columns.roles
        self._is_possible = len(columns.indicators) == 1 and not roles.keys() & _ROW_BY_ROW
        self._value, self._word = columns.indicators[0]
        self._times = [roles.get(role, -1) for role in _TIMES]
        self._count, self._kind = roles.get("count", -1), roles.get("kind", -1)
        varying = {self._value, self._count, *self._times}
        others = [place for place in range(columns.width) if place not in varying]
        self._is_possible = self._is_possible and len(others) > 1
        self._key: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*(others or [0, 0]))
        self._patterns: dict[tuple[str, ...], _Pattern | None] = {}
        self._moments: dict[str, int | None] = {}

    def reading(self, row: Row, columns: Columns, heading: Marked) -> Seen | None:
        """The result of a row under these columns and this heading; ``None`` if it has to be read by its own path."""
        cells, is_current = row.cells, columns is self.columns and heading is self.heading
        if not is_current or not self._is_possible or len(cells) != columns.width:
            return None
        pattern = self._patterns.get(self._key(cells))
        if pattern is None:
            return None
        value, template, types = cells[self._value], pattern.seen.observation, pattern.types
        kind = types[0] if len(types) == 1 else type_of(value, types)
        if isinstance(kind, str) or (len(value) <= _LONGEST_PLACEHOLDER and value.lower() in PLACEHOLDERS):
            return None
        first, last, end = [0 if place < 0 else self._moment(cells[place], place) for place in self._times]
        count = 1 if self._count < 0 else whole_number(cells[self._count], 1)
        if first is None or last is None or end is None or count is None:
            return None
        return Seen(
            row.place,
            Observation(
                kind=kind,
                value=value,
                first_seen_ms=first,
                last_seen_ms=last or first,
                count=count,
                confidence=template.confidence,
                valid_until_ms=end,
                marking=template.marking,
                labels=template.labels,
                description=template.description,
                context=template.context,
                withdrawal=template.withdrawal,
            ),
            pattern.seen.marking_from,
        )

    def learn(self, row: Row, found: Sequence[Reading]) -> None:
        """Take note of a row's result."""
        if not self._is_possible or len(row.cells) != self.columns.width:
            return
        key = self._key(row.cells)
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
        is_whole = isinstance(seen, Seen) and seen.observation.value == cells[self._value] and not seen.object_id
        return _Pattern(seen, types) if is_whole and isinstance(seen, Seen) else None

    def _moment(self, text: str, place: int) -> int | None:
        key = text if place != self._times[2] else f"end {text}"
        if key not in self._moments:
            if len(self._moments) >= _MOST_MOMENTS:
                self._moments.clear()
            self._moments[key] = self._new_moment(text, place)
        return self._moments[key]

    def _new_moment(self, text: str, place: int) -> int | None:
        if len(text) == _ISO_LENGTH and text[10] in "T " and not self._defaults.date_format:
            moment = _iso_moment(text, self._defaults.time_zone)
            if moment is not None:
                return moment
        return list_moment(text, self._defaults, is_end=place == self._times[2])


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
