"""What a shard is put together from, on the model: log, state, feed and home."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from exchange.errors import BrokerUnavailable, DeliveryTimeout, ProducerFenced, SchemaIncompatible
from exchange.protocol.feed import Feed
from exchange.protocol.log import ChangelogLost, CommitUncertain, Log, TransactionAborted
from exchange.protocol.record import Input, Output, Position, Record, RowChange
from exchange.protocol.rows import Footprint
from tests.exchange.model_gate import Fate, Gate, Stop
from tests.exchange.model_kafka import ModelKafka, StaleEpoch
from tests.exchange.model_step import BATCH, decode_progress, decode_row, encode_progress, encode_row

SHARD_ID: Final = "step.0"
URGENT: Final = Input("urgent", 2)
INPUTS: Final = (Input("in", 0), Input("in", 1), URGENT)
OUT: Final = Input("out", 0)
TICKS: Final = Input("ticks", 0)
HOME: Final = Input("home", 0)
PROGRESS: Final = Input("progress", 0)
CHANGELOG: Final = Input("changelog", 0)
_PATIENCE: Final = 40
_PORTION: Final = 2

Table = Mapping[bytes, tuple[bytes, int]]
"""Rows with their due times."""
OnRead = Callable[[int, Table], None]


@dataclass
class Disk:
    """What a worker keeps of a shard when it dies."""

    changelog_id: int = 0
    rows: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    next_offset: int = 0
    batch: int = 0
    held: bool = False

    def wipe(self, changelog_id: int = 0) -> None:
        """Lose it."""
        self.changelog_id, self.rows, self.next_offset, self.batch = changelog_id, {}, 0, 0


class ModelState:
    """A ``State`` on a disk of the model. ``on_read`` gets what a step is about to read."""

    def __init__(self, changelog_id: int, disk: Disk, stop: Stop, on_read: OnRead) -> None:
        stop(Gate.OPEN)
        self._disk, self._gate, self._on_read = disk, stop, on_read
        if disk.changelog_id != changelog_id:
            disk.wipe(changelog_id)

    def start(self) -> tuple[int, int]:
        return self._disk.next_offset, self._disk.batch

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        found = [self._disk.rows.get(key) for key in keys]
        return [None if row is None else row[0] for row in found]

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(key, self._disk.rows[key][0]) for key in sorted(self._disk.rows) if key > after][:limit]

    def restoring(self) -> AbstractContextManager[None]:
        return nullcontext()

    def apply(self, rows: Sequence[RowChange], batch: int, next_offset: int) -> None:
        self._gate(Gate.APPLY)
        for row in rows:
            if row.value is None:
                self._disk.rows.pop(row.key, None)
            else:
                self._disk.rows[row.key] = (row.value, row.due_ms)
        self._disk.next_offset, self._disk.batch = next_offset, batch

    def clear(self) -> None:
        self._gate(Gate.APPLY)
        self._disk.wipe(self._disk.changelog_id)

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        self._on_read(self._disk.batch, self._disk.rows)
        due = sorted((due_ms, key) for key, (_, due_ms) in self._disk.rows.items() if 0 < due_ms <= now_ms)
        return [key for _, key in due[:limit]]

    @property
    def due_from_ms(self) -> int:
        return min((due_ms for _, due_ms in self._disk.rows.values() if due_ms), default=1 << 62)

    def size(self) -> int:
        return len(self._disk.rows)

    def footprint(self) -> Footprint:
        return Footprint(sum(len(key) + len(row) for key, (row, _) in self._disk.rows.items()), 1 << 30)

    def close(self) -> None:
        pass


class ModelLog(Log):
    """The same calls in the same order as ``exchange.kafka.log``, on the model."""

    def __init__(self, kafka: ModelKafka, stop: Stop) -> None:
        self._kafka, self._gate = kafka, stop
        self._epoch = 0
        self.changelog_id = kafka.partition(CHANGELOG).topic_id

    def fence(self) -> None:
        self._gate(Gate.FENCE)
        self._epoch = self._kafka.initialise(SHARD_ID)
        self._gate(Gate.FENCED)
        if self._kafka.partition(CHANGELOG).topic_id != self.changelog_id:
            raise SchemaIncompatible("the changelog was recreated while the shard was taken")

    def position(self) -> Position | None:
        found = None
        for _, value, _ in self._read(PROGRESS, 0):
            found = value
        if found is None:
            return None
        position, changelog_id = decode_progress(found)
        if changelog_id != self.changelog_id:
            raise SchemaIncompatible("the changelog was recreated")
        return position

    def remembers(self, start: int) -> bool:
        partition = self._kafka.partition(CHANGELOG)
        young = [e.offset for e in self._kafka.committed(CHANGELOG, partition.old_below)]
        return bool(young) and start >= young[0]

    def changelog(self, start: int) -> Iterator[tuple[list[RowChange], int, int]]:
        begin, end = self._kafka.partition(CHANGELOG).begin, self._kafka.end(CHANGELOG)
        if not begin <= start <= end:
            raise ChangelogLost("cut")
        rows: list[RowChange] = []
        batch, next_offset = 0, start
        for key, value, offset in self._read(CHANGELOG, start):
            next_offset = offset + 1
            if key == BATCH:
                batch = int(value or b"0")
            else:
                rows.append(decode_row(key, value))
            if len(rows) >= _PORTION:
                yield rows, batch, next_offset
                rows = []
        if rows or batch:
            yield rows, batch, next_offset

    def _read(self, place: Input, start: int) -> Iterator[tuple[bytes, bytes | None, int]]:
        self._gate(Gate.READ)
        end = self._kafka.end(place)
        for _ in range(_PATIENCE):
            self._gate(Gate.READ)
            if self._kafka.stable(place) >= end:
                break
            self._kafka.mark(SHARD_ID)  # while one waits, markers arrive
        else:
            raise BrokerUnavailable("a transaction stays open")
        for entry in list(self._kafka.committed(place, start)):
            if entry.offset < end:
                yield entry.key or b"", entry.value, entry.offset

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Sequence[RowChange],
        position: Position,
        on_handed_over: Callable[[], None] = lambda: None,
    ) -> int:
        if not self._epoch:
            raise RuntimeError("not taken")
        written: list[tuple[Input, bytes, bytes | None]] = [
            (PROGRESS, b"0", encode_progress(position, self.changelog_id)),
            *((Input(output.topic, output.partition), output.key, output.value) for output in outputs),
        ]
        written += [(CHANGELOG, row.key, encode_row(row)) for row in rows]
        written.append((CHANGELOG, BATCH, b"%d" % position.batch))
        placed = 0
        try:
            for place, key, value in written:
                if self._gate(Gate.APPEND) is Fate.ABORT:
                    self._abort()
                offset = self._kafka.append(SHARD_ID, self._epoch, place, key, value)
                placed = offset + 1 if key == BATCH else placed
            on_handed_over()
            fate = self._gate(Gate.END)
            if fate is Fate.ABORT:
                self._abort()
            if fate is Fate.LATE:
                self._kafka.delay_commit(SHARD_ID, self._epoch)
            if fate in (Fate.LOST, Fate.LATE):
                raise CommitUncertain(fate.value)
            self._kafka.end_transaction(SHARD_ID, self._epoch, commit=True)
        except StaleEpoch as stale:
            raise ProducerFenced("by the model") from stale
        if fate is Fate.REPLY_LOST:
            raise CommitUncertain(fate.value)
        self._gate(Gate.COMMITTED)
        return 0 if fate is Fate.UNPLACED else placed

    def _abort(self) -> None:
        self._kafka.end_transaction(SHARD_ID, self._epoch, commit=False)
        raise TransactionAborted(Fate.ABORT.value)

    def close(self) -> None:
        pass


class ModelFeed(Feed[None]):
    """A few records of each of these inputs at a time."""

    LIMIT = 3
    GAPS = 0

    def __init__(self, kafka: ModelKafka, stop: Stop, inputs: Sequence[Input] = INPUTS) -> None:
        self._kafka, self._gate, self._inputs = kafka, stop, inputs
        self._next: dict[Input, int] = {}

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        self._next = {source: next_offsets.get(source, 0) for source in self._inputs}
        return self.GAPS

    def start_of(self, source: Input) -> int:
        return self._next[source]

    def end_of(self, source: Input) -> int:
        return self._kafka.end(source)

    def poll(self, timeout_s: float) -> Sequence[Record]:  # noqa: ARG002  # nothing takes time here
        self._gate(Gate.POLL)
        return self._take(self.LIMIT)

    def more(self) -> Sequence[Record]:
        return self._take(1)

    def _take(self, limit: int) -> Sequence[Record]:
        """So many of each input."""
        records = []
        for source in self._inputs:
            for entry in list(self._kafka.committed(source, self._next[source]))[:limit]:
                records.append(Record(source.topic, source.partition, entry.offset, entry.key, entry.value, 0))
                self._next[source] = entry.offset + 1
        return records

    def facts(self, records: Sequence[Record]) -> None:  # see its result
        """Nothing besides the records."""

    def lag(self) -> int:
        return 0

    def close(self) -> None:
        pass


class ModelHome:
    """A ``Home``."""

    def __init__(self, kafka: ModelKafka, stop: Stop) -> None:
        self._kafka, self._gate = kafka, stop

    def write(self, outputs: Sequence[Output]) -> None:
        half = self._gate(Gate.HOME) is Fate.HALF
        for output in outputs[: len(outputs) // 2] if half else outputs:
            self._kafka.write(HOME, output.key, output.value)
        if half:
            raise DeliveryTimeout(Fate.HALF.value)
