"""Reads one topic for a person or a tool: the source of a subscription on Kafka.

``read_committed``, all partitions by explicit assignment, no consumer group: a reader leaves no trace, and any number
may read at once. This module does not know what the records mean.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.subscription.subscription import Look, Portion, PositionLost
from exchange.errors import BrokerUnavailable, NotFound
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster, raise_damage, reader, topic_ids
from exchange.kafka.committed import as_record
from exchange.protocol.record import Record

_log = logging.getLogger(__name__)

_BATCH: Final = 500
_POLL_S: Final = 0.25
SILENCE_S: Final = 15.0


class TopicReader:
    """One topic of one cluster. Raises NotFound if it is missing, BrokerUnavailable if no broker answers, and
    RecordDamaged if a record's bytes are damaged on the broker's disk."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster, self._topic, self._topic_id = cluster, topic, ""
        self._consumer = self._connected()
        try:
            self.partitions = self._found_partitions()
        except Exception:
            self._consumer.close()
            raise

    def __enter__(self) -> "TopicReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def records(self, partition: int) -> Iterator[Record]:
        """The committed records of one partition, from its first to the end that it has now.

        The end is the first open transaction if there is one.
        """
        return self.read(partition, *self.bounds(partition))

    def look(self) -> Look:
        """The topic as it is now. A client that knows a deleted topic of this name is replaced."""
        topic_id = topic_ids(self._cluster, [self._topic])[self._topic]
        if self._topic_id not in ("", topic_id):
            self._consumer.close()
            self._consumer = self._connected()
            self.partitions = self._found_partitions()
        self._topic_id = topic_id
        return Look(topic_id, {partition: self.bounds(partition) for partition in self.partitions})

    def read(self, partition: int, start: int, end: int) -> Iterator[Record]:
        """The committed records from ``start`` up to but not including ``end``.

        Raises PositionLost if ``start`` is not there any more, BrokerUnavailable after ``SILENCE_S`` without an answer.
        """
        if start >= end:
            return
        self._consumer.assign([TopicPartition(self._topic, partition, start)])
        answered = time.monotonic()
        ended = False
        while not ended:
            for message in self._messages():
                if message.partition() != partition or ended:
                    continue
                record = self._record_in(message)
                if record is None:
                    ended = _is_end(message)
                    continue
                if record.offset < end:
                    yield record
                answered = time.monotonic()  # after the yield: whoever takes the record may take their time
                ended = record.offset + 1 >= end
            if not ended and time.monotonic() - answered > SILENCE_S:
                raise self._silent(f"nothing of partition {partition} for {SILENCE_S:g} s")

    def follow(self, next_offsets: Mapping[int, int], stopping: Callable[[], bool]) -> Iterator[Portion]:
        """What is committed from these offsets on, of all partitions, until ``stopping``.

        An empty portion means that nothing was waiting. An unreachable broker is waited for: it may come back. Raises
        PositionLost.
        """
        self._consumer.assign([TopicPartition(self._topic, *each) for each in sorted(next_offsets.items())])
        while not stopping():
            messages = self._messages()
            records = [record for message in messages if (record := self._record_in(message)) is not None]
            yield Portion(records, {_partition(each): each.offset() or 0 for each in messages if _is_end(each)})

    def _connected(self) -> Consumer:
        return reader(self._cluster, **{"enable.partition.eof": True})

    def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset of a partition, and the one after its last committed record."""
        place = TopicPartition(self._topic, partition)
        try:
            begin, end = self._consumer.get_watermark_offsets(place, timeout=CALL_TIMEOUT_S)
        except KafkaException as error:
            raise self._silent(str(error)) from error
        return begin, end

    def _found_partitions(self) -> list[int]:
        try:
            found = self._consumer.list_topics(self._topic, timeout=CALL_TIMEOUT_S).topics[self._topic]
        except KafkaException as error:
            raise self._silent(str(error)) from error
        if found.error is not None or not found.partitions:
            raise self._missing()
        return sorted(found.partitions)

    def _messages(self) -> list[Message]:
        """The arrived messages. ``consume(n, t)`` waits for n messages or all of t: ask for one, then for the rest."""
        messages = self._consumer.consume(1, _POLL_S)
        return messages + self._consumer.consume(_BATCH, 0) if messages else messages

    def _record_in(self, message: Message) -> Record | None:
        """The record of a message; None for an event without one. Raises if records would be skipped."""
        error = message.error()
        if error is None:
            return as_record(message)
        raise_damage(message)
        code = error.code()
        if error.name() in {"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC"}:
            raise self._missing()
        if code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE) or error.fatal():
            raise PositionLost(
                f"{self._topic}-{message.partition()} at {self._cluster.bootstrap} was cut or recreated while it was "
                f"read ({error.str()}): start again"
            )
        if code != KafkaError._PARTITION_EOF:
            _log.warning("tail.error topic=%s partition=%s error=%s", self._topic, message.partition(), error.str())
        return None

    def _missing(self) -> NotFound:
        return NotFound(
            f"topic {self._topic} is not on {self._cluster.nation}'s cluster at {self._cluster.bootstrap}: is it the "
            "right nation? `kakehashi up` makes the topics of a local cluster, `kakehashi topics --nation "
            f"{self._cluster.nation}` those of any other"
        )

    def _silent(self, why: str) -> BrokerUnavailable:
        return BrokerUnavailable(
            f"no answer from {self._cluster.nation}'s Kafka at {self._cluster.bootstrap} about {self._topic}: {why}"
        )


def _partition(message: Message) -> int:
    return message.partition() or 0


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF
