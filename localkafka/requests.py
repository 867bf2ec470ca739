"""Follows the requests of a Kafka client in the bytes of its connection: kind and start of each. Pure."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

_SIZE_BYTES: Final = 4
_HEAD_BYTES: Final = 6  # a request is its size, then its kind (Kafka protocol guide, "Protocol primitives")


class Kind(IntEnum):
    """Kafka's numbers ("api keys") of the requests of a transaction."""

    PRODUCE = 0
    ADD_PARTITIONS_TO_TXN = 24
    END_TXN = 26


class Requests:
    """The requests of one unencrypted connection, from its first byte on."""

    def __init__(self) -> None:
        self._head = b""
        self._skip = 0

    def starts(self, chunk: bytes) -> Iterator[tuple[int, int]]:
        """For each request whose head ends in this chunk: its start in the chunk, and its kind.

        The start is 0 if its first bytes were in an earlier chunk. Exhaust it: the next chunk continues this one.
        """
        place = 0
        while place < len(chunk):
            step = min(self._skip, len(chunk) - place)
            place, self._skip = place + step, self._skip - step
            if self._skip:
                return
            begin = place if not self._head else 0
            needed = _HEAD_BYTES - len(self._head)
            self._head += chunk[place : place + needed]
            place += needed
            if len(self._head) < _HEAD_BYTES:
                return
            size, kind = (
                int.from_bytes(self._head[:_SIZE_BYTES], "big"),
                int.from_bytes(self._head[_SIZE_BYTES:], "big"),
            )
            self._head, self._skip = b"", max(0, size - (_HEAD_BYTES - _SIZE_BYTES))
            yield begin, kind
