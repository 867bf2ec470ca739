"""The effects that correlate collects in one batch."""

from typing import Final

from exchange.protocol.effects import EffectsBuilder
from schemas.topics import MAX_RECORD_BYTES
from streams.audit import entry as audit

LARGEST: Final = MAX_RECORD_BYTES - (4 << 10)  # of a value: a batch of one record has a header, and the record its key


class Work(EffectsBuilder):
    """The effects of a batch, and the head of the audit chain so far."""

    def __init__(self, now_ms: int, head: audit.Head | None = None) -> None:
        super().__init__(now_ms)
        self.head = audit.Head() if head is None else head
