"""A step on a bench: it computes batches, and its rows are kept as a shard's state keeps them, without Kafka."""

from collections.abc import Sequence
from typing import Any

from exchange.protocol.effects import Effects
from exchange.protocol.record import Output, Record
from exchange.protocol.step import Batch, Step
from schemas.codec import Codec, Undecodable


class Workbench:
    """One shard of one step, in memory. The test sets the time."""

    def __init__(self, step: Step[Any], facts: Any = None) -> None:
        """``facts`` are those of each batch."""
        self._step, self.facts = step, facts
        self._rows: dict[bytes, tuple[int, bytes]] = {}
        self._codec = Codec()
        self.outputs: list[Output] = []

    def continue_with(self, step: Step[Any]) -> None:
        """Another step takes over the rows."""
        self._step = step

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of these keys."""
        return [self._rows[key][1] if key in self._rows else None for key in keys]

    def put(self, key: bytes, data: bytes) -> None:
        """Put a row there, as an earlier release may have left it."""
        self._rows[key] = (0, data)

    def due(self, key: bytes) -> None:
        """Make the time of a row come."""
        self._rows[key] = (1, self._rows[key][1])

    def size(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The rows behind ``after``."""
        return [(key, self._rows[key][1]) for key in sorted(self._rows) if key > after][:limit]

    def turn(self, now_ms: int, *records: Record) -> Effects:
        """Compute and commit one batch of these records and of the rows that are due."""
        due = [key for key, (at, _) in self._rows.items() if 0 < at <= now_ms]
        due.sort(key=lambda key: self._rows[key][0])
        return self._committed(Batch(records, due, self.facts), now_ms)

    def woken_turn(self, now_ms: int, *records: Record) -> Effects:
        """Compute and commit one batch of these records and of the rows that the step asks for, as a shard does."""
        return self._committed(Batch(records, self._step.wakes(self, now_ms), self.facts), now_ms)

    def _committed(self, batch: Batch[Any], now_ms: int) -> Effects:
        effects = self._step.compute(batch, self, now_ms)
        for row in effects.rows:
            if row.value is None:
                self._rows.pop(row.key, None)
            else:
                self._rows[row.key] = (row.due_ms, row.value)
        self.outputs += effects.outputs
        return effects

    def wakes(self, now_ms: int) -> bool:
        """Whether the step has something to do without any input."""
        return bool(self._step.wakes(self, now_ms))

    def next_due(self) -> int:
        """When the first row is due; 0 if none is."""
        return min((at for at, _ in self._rows.values() if at), default=0)

    def written(self, topic: str, schema: str) -> list[dict[str, Any]]:
        """Everything that was written to a topic, decoded."""
        found = [self._codec.decode(schema, output.value) for output in self.outputs if output.topic == topic]
        assert not any(isinstance(record, Undecodable) for record in found)
        return [record for record in found if isinstance(record, dict)]
