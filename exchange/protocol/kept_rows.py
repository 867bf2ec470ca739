"""Rows as they are kept, in the changelog and in its local cache alike: the due time, then the step's own bytes."""

import struct
from collections.abc import Sequence
from typing import Final, overload

from exchange.protocol.record import RowChange

TIME: Final = struct.Struct(">q")
"""A time in milliseconds. Times after 1970 are in the order of their bytes."""
NO_TIME: Final = TIME.pack(0)


def kept(row: RowChange) -> bytes | None:
    """A row as it is kept; a tombstone if it is deleted."""
    return None if row.value is None else TIME.pack(row.due_ms) + row.value


class KeptRows(Sequence[RowChange]):
    """Rows that were read as they are kept, by key. A restore writes millions of them as they are: what is in one is
    found when it is asked for."""

    def __init__(self, pairs: Sequence[tuple[bytes, bytes | None]]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, place: int) -> RowChange: ...
    @overload
    def __getitem__(self, place: slice) -> "KeptRows": ...
    def __getitem__(self, place: int | slice) -> "RowChange | KeptRows":
        if isinstance(place, slice):
            return KeptRows(self.pairs[place])
        key, value = self.pairs[place]
        if value is None:
            return RowChange(key, None)
        return RowChange(key, value[TIME.size :], TIME.unpack_from(value)[0])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]  # as a list has none


def pairs_of(rows: Sequence[RowChange]) -> Sequence[tuple[bytes, bytes | None]]:
    """The rows as they are kept, by key."""
    return rows.pairs if isinstance(rows, KeptRows) else [(row.key, kept(row)) for row in rows]
