"""How a shard's rows lie in RocksDB: each behind its due time, an index of those times, and the place in the changelog.

The index is only added to: an entry whose row has another due time by now is dropped when it is read.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from exchange.protocol.kept_rows import NO_TIME, TIME, pairs_of
from exchange.protocol.record import RowChange

ROW: Final = b"r"
DUE: Final = b"t"
PLACE: Final = b"place"
NEVER: Final = (1 << 63) - 1
_LAST: Final = TIME.pack(NEVER)


class CacheHead(msgspec.Struct, frozen=True):
    """Which changelog a cache is of, and how far."""

    changelog_id: str
    state_format: int
    next_offset: int = 0
    batch: int = 0


def entries_of(rows: Sequence[RowChange], place: CacheHead) -> tuple[dict[bytes, bytes | None], int]:
    """What a batch's rows change, with the place behind them: None deletes an entry; and when the first of them is due,
    NEVER if none is."""
    entries: dict[bytes, bytes | None] = {}
    first = _LAST
    for key, value in pairs_of(rows):
        entries[ROW + key] = value
        if value is not None and (due := value[: TIME.size]) != NO_TIME:
            entries[DUE + due + key] = b""
            if due < first:  # noqa: PLR1730  # a call of min costs more
                first = due
    entries[PLACE] = msgspec.msgpack.encode(place)
    return entries, TIME.unpack(first)[0]


def time_of(entry: bytes) -> int:
    """The time of an entry of the index of times; behind the last one there is none."""
    return int(TIME.unpack_from(entry, len(DUE))[0]) if entry.startswith(DUE) else NEVER
