"""A step: a function from a batch, rows and a time to effects."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from exchange.protocol.rows import Rows

FactsT_co = TypeVar("FactsT_co", covariant=True)
FactsT_contra = TypeVar("FactsT_contra", contravariant=True)


class Batch(msgspec.Struct, Generic[FactsT_co], frozen=True):
    """The input of one computation.

    ``records`` are in the order of each input; ``due`` are keys of rows to look at, because their time has come or
    because the step asked for them (``Step.wakes``); ``facts`` are what the feed knows besides its records
    (``exchange.protocol.feed``): None for a feed that knows nothing else.
    """

    records: Sequence[Record]
    due: Sequence[bytes]
    facts: FactsT_co

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compute."""
        return not (self.records or self.due or self.facts)

    @property
    def size(self) -> int:
        """The bytes of its records' values."""
        return sum(len(record.value or b"") for record in self.records)


class Step(Protocol[FactsT_contra]):
    """A function of the batch, the rows and the time, and of nothing else: the same arguments have the same effects."""

    name: str

    def compute(self, batch: Batch[FactsT_contra], rows: Rows, now_ms: int) -> Effects:
        """The effects of this batch at shard time ``now_ms``."""
        ...

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002  # most steps wait for records and time
        """Keys of rows to look at in this turn though they are not due: for example, because rules have come into
        force. Asked in each turn."""
        return ()
