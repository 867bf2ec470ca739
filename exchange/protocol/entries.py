"""How a shard's rows lie in RocksDB: each behind its due time, an index of those times, and the place in the changelog.

The index is only added to: an entry whose row has another due time by now is dropped when it is read.
"""

import struct
from collections.abc import Iterable
from typing import Final

import msgspec

from exchange.protocol.record import RowChange

ROW: Final = b"r"
DUE: Final = b"t"
PLACE: Final = b"place"
TIME: Final = struct.Struct(">q")
NEVER: Final = (1 << 63) - 1


class CacheHead(msgspec.Struct, frozen=True):
    """Which changelog a cache is of, and how far."""

    changelog_id: str
    state_format: int
    next_offset: int = 0
    batch: int = 0


def entries_of(rows: Iterable[RowChange], place: CacheHead) -> dict[bytes, bytes | None]:
    """What a batch's rows change, with the place behind them: None deletes an entry."""
    entries: dict[bytes, bytes | None] = {}
    pack = TIME.pack
    for row in rows:
        if row.value is None:
            entries[ROW + row.key] = None
        else:
            due = pack(row.due_ms)
            entries[ROW + row.key] = due + row.value
            if row.due_ms:
                entries[DUE + due + row.key] = b""
    entries[PLACE] = msgspec.msgpack.encode(place)
    return entries


def time_of(entry: bytes) -> int:
    """The time of an entry of the index of times; behind the last one there is none."""
    return int(TIME.unpack_from(entry, len(DUE))[0]) if entry.startswith(DUE) else NEVER
