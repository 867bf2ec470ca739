"""The result of a step's batch, and the builder that a step collects it with."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from exchange.protocol.record import Output, RowChange


class Effects(msgspec.Struct, frozen=True):
    """The result of one batch: all of it is written in one transaction.

    ``tallies`` are added to metrics once the batch is committed, ``gauges`` are what metrics show from then on
    (``exchange.metrics.spec``), ``notes`` are logged then. ``home`` is written on the nation's own cluster first
    (law 9). ``more`` is true if there is work left that waits for no input: the next turn does not wait for any.
    ``questions`` are for the feed, by row key, once the batch is committed (``Feed.ask``). They are not kept: a step
    whose question may be lost asks again.
    """

    outputs: Sequence[Output] = ()
    home: Sequence[Output] = ()
    rows: Sequence[RowChange] = ()
    tallies: Mapping[tuple[str, ...], int] = {}
    gauges: Mapping[tuple[str, ...], float] = {}
    notes: Sequence[str] = ()
    more: bool = False
    questions: Mapping[bytes, int] = {}

    @property
    def needs_transaction(self) -> bool:
        """Whether any of it is written: what is only shown or logged is not."""
        return bool(self.outputs or self.rows or self.home)


class EffectsBuilder:
    """Collects the effects of one batch at shard time ``now_ms``. A step that needs more fields subclasses it.

    Made anew for each batch: nothing of it outlives the call of ``compute`` that made it.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.outputs: list[Output] = []
        self.home: list[Output] = []
        self.rows: list[RowChange] = []
        self.tally: Counter[tuple[str, ...]] = Counter()
        self.gauges: dict[tuple[str, ...], float] = {}
        self.notes: list[str] = []
        self.questions: dict[bytes, int] = {}

    def effects(self, *, more: bool = False) -> Effects:
        """The collected effects."""
        return Effects(self.outputs, self.home, self.rows, self.tally, self.gauges, self.notes, more, self.questions)
