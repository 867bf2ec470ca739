"""One partition of a step's changelog: the form of its rows, and how they are read, up to its end or as it grows."""

from collections.abc import Generator, Iterator, Sequence
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition

from exchange.clock import now_ms
from exchange.kafka.clients import Cluster, begin_offset, end_offset, offset_at, raise_end_of_reading, reader
from exchange.kafka.committed import committed_portions
from exchange.protocol.kept_rows import TIME, KeptRows
from exchange.protocol.log import ChangelogLost, rebuild_command
from exchange.protocol.record import RowChange

BATCH_KEY: Final = b"\x00batch"  # the changelog's own row: the number of the batch it was written with
PORTION_ROWS: Final = 10_000
_TOMBSTONES_MS: Final = 12 * 60 * 60 * 1000  # half of how long compaction keeps a tombstone (delete.retention.ms)

Portion = tuple[Sequence[RowChange], int, int]
"""Rows, the last batch number among them (0 if there is none), and the offset to read next."""


def batch_value(batch: int) -> bytes:
    """The value of the row that ends each batch."""
    return TIME.pack(batch)


def portion(messages: Sequence[Message], start: int) -> Portion:
    """The rows of these messages, which follow each other from ``start`` on."""
    pairs = [(message.key() or b"", message.value()) for message in messages]
    numbers = [value for key, value in pairs if key == BATCH_KEY and value is not None]
    rows = KeptRows([pair for pair in pairs if pair[0] != BATCH_KEY])
    next_offset = (messages[-1].offset() or 0) + 1 if messages else start
    return rows, TIME.unpack(numbers[-1])[0] if numbers else 0, next_offset


class Changelog:
    """The partition of one shard."""

    def __init__(self, cluster: Cluster, topic: str, shard: int, step: str) -> None:
        self._cluster, self._topic, self._shard, self._step = cluster, topic, shard, step

    def remembers(self, start: int) -> bool:
        """Whether no tombstone from ``start`` on is old enough to have been compacted away.

        Between the last record of a batch and the partition's end is its transaction's marker, which is no row: after
        half a day without a batch that marker must not cost a state.
        """
        horizon_ms = now_ms() - _TOMBSTONES_MS
        horizon = offset_at(self._cluster, self._topic, self._shard, horizon_ms)
        if horizon is None:
            horizon = end_offset(self._cluster, self._topic, self._shard)
        return start >= horizon - 1

    def read(self, start: int) -> Iterator[Portion]:
        """The committed rows from ``start`` to the end that the partition has now.

        Raises ChangelogLost if the partition does not reach from ``start`` on: compaction leaves its begin where
        it is, so something else has cut it.
        """
        end = self._reach(start)
        for messages in committed_portions(self._cluster, self._topic, self._shard, start, end):
            yield portion(messages, start)

    def follow(self, start: int, wait_s: float) -> Generator[Portion, None, None]:
        """The committed rows from ``start`` on as they come, without an end: at the latest every ``wait_s`` there is a
        portion, which may be empty.

        Raises ChangelogLost if the partition does not reach from ``start`` on, BrokerUnavailable if its begin
        was cut meanwhile, RecordDamaged if something cannot be read.
        """
        self._reach(start)
        consumer: Consumer = reader(
            self._cluster,
            # There may be many of us: few requests, and little in memory.
            **{"fetch.wait.max.ms": 500, "queued.max.messages.kbytes": 4 << 10},
        )
        try:
            consumer.assign([TopicPartition(self._topic, self._shard, start)])
            while True:
                messages = consumer.consume(1, wait_s)
                if messages:
                    messages += consumer.consume(PORTION_ROWS - 1, 0)
                found = portion(list(filter(_is_row, messages)), start)
                start = found[2]
                yield found
        finally:
            consumer.close()

    def _reach(self, start: int) -> int:
        """The partition's end; it must reach from ``start`` to there."""
        begin = begin_offset(self._cluster, self._topic, self._shard)
        end = end_offset(self._cluster, self._topic, self._shard)
        if not begin <= start <= end:
            raise ChangelogLost(
                f"{self._topic}-{self._shard} reaches from offset {begin} to {end}, but is needed from {start} on: it "
                f"was cut. {rebuild_command(self._cluster.nation, self._step, self._shard)}"
            )
        return end


def _is_row(message: Message) -> bool:
    """True for a record, False for an error that passes; raises if the rows cannot be followed any further."""
    error = message.error()
    if error is None:
        return True
    raise_end_of_reading(message)
    return False
