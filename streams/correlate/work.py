"""What correlate collects in one batch."""

from exchange.protocol.effects import EffectsBuilder
from streams.audit import entry as audit


class Work(EffectsBuilder):
    """The effects of a batch, and the head of the audit chain so far."""

    def __init__(self, now_ms: int, head: audit.Head | None = None) -> None:
        super().__init__(now_ms)
        self.head = audit.Head() if head is None else head
