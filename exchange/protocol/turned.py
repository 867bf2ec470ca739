"""The result of a turn of a shard."""

import msgspec

from exchange.protocol.effects import Effects
from exchange.protocol.record import Record


class Turned(msgspec.Struct, frozen=True):
    """A batch that was committed: its content, and how often its transaction had to be tried; or only something
    to show.

    ``size`` is the bytes of its records' values.
    ``oldest`` is the record that had waited longest, None if only time had passed.
    ``batch_s`` is from when it was read: with the wait for its turn to be computed, and behind records that went ahead.
    """

    effects: Effects
    records: int = 0
    size: int = 0
    oldest: Record | None = None
    aborted: int = 0
    uncertain: int = 0
    batch_s: float = 0.0
    transaction_s: float = 0.0

    @property
    def only_shows(self) -> bool:
        """Whether there was no batch, and only something to show."""
        return not (self.records or self.effects.needs_transaction)
