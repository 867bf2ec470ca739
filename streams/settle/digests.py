"""The digests of the windows that one batch touches: read once, changed, and written. Pure.

Released and held are two sides with the same windows. A window that nothing is left in is dropped.
"""

import enum
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from schemas.records import WindowDigest
from schemas.window import SUM_BYTES, WINDOW_MS, added, window_of

_KEY_BYTES: Final = 8


class Side(enum.Enum):
    """Whose digests: what we have released to the partner, or what we hold of it."""

    RELEASED = b"\0r"
    HELD = b"\0h"


class Digest(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The row of one window."""

    count: int = 0
    sum: bytes = bytes(SUM_BYTES)


class Moves:
    """What a batch moves from window to window."""

    def __init__(self) -> None:
        self._moves: dict[tuple[Side, int], list[tuple[bytes, int]]] = defaultdict(list)

    def move(self, side: Side, was: tuple[int, bytes], now: tuple[int, bytes]) -> None:
        """One indicator's (version, fingerprint) before and after; version 0 is nowhere."""
        if was == now:
            return
        for (version, part), times in ((was, -1), (now, 1)):
            if version:
                self._moves[side, window_of(version)].append((part, times))

    @property
    def keys(self) -> list[bytes]:
        """The keys of the rows that ``settled`` wants."""
        return [side.value + window.to_bytes(_KEY_BYTES) for side, window in self._moves]

    def settled(self, rows: Sequence[bytes | None]) -> Iterator[tuple[Side, int, bytes, Digest]]:
        """Side, window, row key and digest of each window after the batch; a count of 0 is to be dropped."""
        for (side, window), data in zip(self._moves, rows, strict=True):
            digest = Digest() if data is None else msgspec.msgpack.decode(data, type=Digest)
            count, total = digest.count, digest.sum
            for part, times in self._moves[side, window]:
                count, total = count + times, added(total, part, times)
            yield side, window, side.value + window.to_bytes(_KEY_BYTES), Digest(count, total)


def as_record(window: int, digest: Digest, now_ms: int) -> WindowDigest:
    """As it is written."""
    return {
        "window_ms": window,
        "length_ms": WINDOW_MS,
        "count": digest.count,
        "sum": digest.sum,
        "at_ms": now_ms,
    }
