"""The digests of the windows that one batch touches: read once, changed, and written. Pure.

Released and held are two directions with the same windows. An empty window is deleted.
"""

import enum
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from schemas.records import WindowDigest
from schemas.window import SUM_BYTES, WINDOW_MS, added, window_of

_KEY_BYTES: Final = 8


class Direction(enum.Enum):
    """Which records a digest is of: those that we released to the partner, or those that we hold of it."""

    RELEASED = b"\0r"
    HELD = b"\0h"


class Digest(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The row of one window."""

    count: int = 0
    sum: bytes = bytes(SUM_BYTES)


class Moves:
    """The indicators that a batch moves from one window to another."""

    def __init__(self) -> None:
        self._moves: dict[tuple[Direction, int], list[tuple[bytes, int]]] = defaultdict(list)

    def move(self, direction: Direction, was: tuple[int, bytes], now: tuple[int, bytes]) -> None:
        """Move one indicator, given by (version, fingerprint) before and after; version 0 is in no window."""
        if was == now:
            return
        for (version, fingerprint), times in ((was, -1), (now, 1)):
            if version:
                self._moves[direction, window_of(version)].append((fingerprint, times))

    @property
    def keys(self) -> list[bytes]:
        """The keys of the rows that ``applied`` takes."""
        return [direction.value + window.to_bytes(_KEY_BYTES) for direction, window in self._moves]

    def applied(self, rows: Sequence[bytes | None]) -> Iterator[tuple[Direction, int, bytes, Digest]]:
        """Direction, window, row key and digest of each window after the batch; one with count 0 is deleted."""
        for (direction, window), data in zip(self._moves, rows, strict=True):
            digest = Digest() if data is None else msgspec.msgpack.decode(data, type=Digest)
            moved = self._moves[direction, window]
            count = digest.count + sum(times for _, times in moved)
            key = direction.value + window.to_bytes(_KEY_BYTES)
            yield direction, window, key, Digest(count, added(digest.sum, moved))


def as_record(window: int, digest: Digest, now_ms: int) -> WindowDigest:
    """The record of a window."""
    return {
        "window_ms": window,
        "length_ms": WINDOW_MS,
        "count": digest.count,
        "sum": digest.sum,
        "at_ms": now_ms,
    }
