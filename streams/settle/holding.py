"""One indicator that we hold of a partner: its version, and whether copies of recalled content are left. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.records import ReleasedIndicator

FIRST_SEARCH_MS: Final = 5_000
LONGEST_WAIT_MS: Final = 10 * 60_000


class Found(msgspec.Struct, frozen=True, gc=False):
    """The answer for one id: whether our topics still hold its content up to version ``through``."""

    through: int
    left: bool


Copies = Mapping[bytes, Found]
"""The result of a search of our topics, by id."""


class Held(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The row. ``recall`` is the version of the last recall, read at ``recall_ms``; 0 once it is purged."""

    version: int = 0
    fingerprint: bytes = b""
    recalled_through: int = 0
    recall: int = 0
    recall_ms: int = 0
    due_ms: int = 0

    def accepted(self, record: ReleasedIndicator, fingerprint: bytes, now_ms: int) -> "Held":
        """The row after this record of the partner was accepted."""
        if record["version"] < 1:  # written by hand: not a valid version
            return self
        row = msgspec.structs.replace(self, version=record["version"], fingerprint=fingerprint)
        if record["recalled_through"] <= self.recalled_through:
            return row
        return msgspec.structs.replace(
            row,
            recalled_through=record["recalled_through"],
            recall=record["version"],
            recall_ms=now_ms,
            due_ms=now_ms + FIRST_SEARCH_MS,
        )

    def deleted(self) -> "Held":
        """The row after the key was deleted from the accepted records. Recalled content must be purged nevertheless."""
        return msgspec.structs.replace(self, version=0, fingerprint=b"") if self.recall else Held()

    def asked(self, now_ms: int) -> "Held":
        """The row after the question whether copies are left: it is asked again after an interval that grows.

        That is set with the question, whatever the answer, so a search costs one row: ten rows in the first quarter of
        an hour, and six an hour from then on.
        """
        wait_ms = FIRST_SEARCH_MS + (now_ms - self.recall_ms) // 2
        return msgspec.structs.replace(self, due_ms=now_ms + min(wait_ms, LONGEST_WAIT_MS))

    def purged(self) -> "Held":
        """The row if no copy is left: the recall is purged."""
        return msgspec.structs.replace(self, recall=0, recall_ms=0, due_ms=0) if self.version else Held()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Held)


def encode(row: Held) -> bytes:
    """The row as the changelog keeps it."""
    return _ENCODER.encode(row)


def decode(data: bytes) -> Held:
    """The row that the changelog kept. Raises ``msgspec.DecodeError`` for damaged bytes."""
    return _DECODER.decode(data)
