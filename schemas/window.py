"""Windows of versions, and the order-independent digest of a window: both nations compute the same.

An indicator is in the window of its latest version, and leaves it when a later version arrives. A window's digest is
the sum of its indicators' fingerprints: any order gives the same sum, and an indicator that leaves is subtracted.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

WINDOW_MS: Final = 60 * 60 * 1000
FRAME_BYTES: Final = 5
SUM_BYTES: Final = 16
_MODULUS: Final = 1 << (8 * SUM_BYTES)


def window_of(version: int) -> int:
    """The start of a version's window, milliseconds since 1970 UTC."""
    return version - version % WINDOW_MS


def fingerprint(name: bytes, framed: bytes) -> bytes:
    """The fingerprint of one indicator's latest record. Schema ids are each cluster's own, so the frame is left out."""
    return sha256(b"%s\0%s" % (name, framed[FRAME_BYTES:])).digest()[:SUM_BYTES]


def added(total: bytes, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """A digest with these indicators, each with how often: with -1, one less."""
    number = int.from_bytes(total) + sum(times * int.from_bytes(part) for part, times in parts)
    return (number % _MODULUS).to_bytes(SUM_BYTES)
