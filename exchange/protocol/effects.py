"""What a step's batch results in, and the builder that a step collects it with."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from exchange.protocol.record import Input, Output, RowChange


class Effects(msgspec.Struct, frozen=True):
    """The result of one batch: all of it is written in one transaction.

    ``tallies`` are added to metrics once the batch is committed, ``gauges`` are what metrics show from then on
    (``exchange.metrics.spec``), ``notes`` are logged then. ``home`` is what law 9 is about. ``more`` is true if there
    is work left that waits for no input: the next turn does not wait for any. ``marks`` are positions that are kept
    beside those of the records.
    """

    outputs: Sequence[Output] = ()
    home: Sequence[Output] = ()
    rows: Sequence[RowChange] = ()
    tallies: Mapping[tuple[str, ...], int] = {}
    gauges: Mapping[tuple[str, ...], float] = {}
    notes: Sequence[str] = ()
    more: bool = False
    marks: Mapping[Input, int] = {}


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

    def effects(self, *, more: bool = False, marks: Mapping[Input, int] | None = None) -> Effects:
        """What was collected."""
        return Effects(
            self.outputs, self.home, self.rows, self.tally, self.gauges, self.notes, more=more, marks=marks or {}
        )
