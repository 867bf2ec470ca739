"""A shard's rows: as a step reads them, and as the local cache of the committed changelog keeps them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import msgspec

from exchange.protocol.record import RowChange


class Lookup(Protocol):
    """Rows by key."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The row of each key; None for a key without a row."""
        ...


class Rows(Lookup, Protocol):
    """The committed rows of a shard, as a step may read them."""

    def size(self) -> int:
        """The approximate number of rows."""
        ...

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The rows with keys above ``after``, by key, at most ``limit``: fewer only at the end."""
        ...


class Footprint(msgspec.Struct, frozen=True):
    """Bytes that a state uses on its disk, and free bytes there."""

    used_bytes: int
    free_bytes: int


class State(Rows, Protocol):
    """The local cache of a shard's committed changelog."""

    @property
    def due_from_ms(self) -> int:
        """Before this time no row is due, as far as is known without reading."""
        ...

    def start(self) -> tuple[int, int]:
        """The changelog's next offset and the last batch that this cache holds; (0, 0) if it is empty."""
        ...

    def apply(self, rows: Sequence[RowChange], batch: int, next_offset: int) -> None:
        """Write a committed batch, atomically with its offset in the changelog."""
        ...

    def restoring(self) -> AbstractContextManager[None]:
        """Write for bulk while the block runs. All is on the disk only behind it: a process that is killed meanwhile
        leaves the rows of some earlier batch or portion."""
        ...

    def clear(self) -> None:
        """Delete all rows: ``start`` is (0, 0) again."""
        ...

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        """Keys of rows whose due time has come, the earliest due first, at most ``limit``."""
        ...

    def footprint(self) -> Footprint:
        """Its disk usage."""
        ...

    def close(self) -> None:
        """Release the storage, so that another owner may open it."""
        ...


class _NoRows:
    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [None] * len(keys)

    def size(self) -> int:
        return 0

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:  # noqa: ARG002  # there are none
        return []


NO_ROWS: Final[Rows] = _NoRows()
"""The rows of a step without state."""
