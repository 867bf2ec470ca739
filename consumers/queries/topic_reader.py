"""Reads one topic for a person or a tool: as it stands, partition by partition, and then as it grows.

``read_committed``, all partitions by explicit assignment, no consumer group: who looks leaves no trace, and any
number may look at once. Nothing in here knows what the records say.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from exchange.errors import BrokerUnavailable, FatalError, NotFound
from exchange.feeds.assigned import as_record
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster, reader
from exchange.protocol.record import Record

_log = logging.getLogger(__name__)

_BATCH: Final = 500
_POLL_S: Final = 0.25
SILENCE_S: Final = 15.0


class TopicReader:
    """One topic of one cluster. Raises NotFound where it is not there, BrokerUnavailable where nobody answers."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._cluster, self._topic = cluster, topic
        self._consumer = reader(cluster, **{"enable.partition.eof": True})
        self._next: dict[int, int] = {}
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

    def standing(self, partition: int) -> Iterator[Record]:
        """The committed records of one partition, from its first to the end that it has now.

        The end is the first open transaction where there is one: ``growing`` reads on from there.
        """
        place = TopicPartition(self._topic, partition)
        try:
            _, end = self._consumer.get_watermark_offsets(place, timeout=CALL_TIMEOUT_S)
        except KafkaException as error:
            raise self._silent(str(error)) from error
        self._next[partition] = OFFSET_BEGINNING
        if end == 0:
            return
        self._consumer.assign([TopicPartition(self._topic, partition, OFFSET_BEGINNING)])
        heard = time.monotonic()
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
                    self._next[partition] = record.offset + 1
                    yield record
                heard = time.monotonic()  # after the yield: whoever takes the record may take their time
                ended = record.offset + 1 >= end
            if not ended and time.monotonic() - heard > SILENCE_S:
                raise self._silent(f"nothing of partition {partition} for {SILENCE_S:g} s")

    def growing(self, stopping: Callable[[], bool]) -> Iterator[Sequence[Record]]:
        """What is committed from where ``standing`` ended on, of all partitions, until ``stopping``.

        An empty sequence says that it is quiet. An unreachable broker is waited for: it may come back.
        """
        places = [
            TopicPartition(self._topic, partition, self._next.get(partition, OFFSET_BEGINNING))
            for partition in self.partitions
        ]
        self._consumer.assign(places)
        while not stopping():
            yield [record for message in self._messages() if (record := self._record_in(message)) is not None]

    def _found_partitions(self) -> list[int]:
        try:
            found = self._consumer.list_topics(self._topic, timeout=CALL_TIMEOUT_S).topics[self._topic]
        except KafkaException as error:
            raise self._silent(str(error)) from error
        if found.error is not None or not found.partitions:
            raise self._missing()
        return sorted(found.partitions)

    def _messages(self) -> list[Message]:
        """What has arrived. ``consume(n, t)`` waits for n messages or all of t: ask for one, then for the rest."""
        messages = self._consumer.consume(1, _POLL_S)
        return messages + self._consumer.consume(_BATCH, 0) if messages else messages

    def _record_in(self, message: Message) -> Record | None:
        """The record of a message; None for an event that is none. Raises where reading on would lie."""
        error = message.error()
        if error is None:
            return as_record(message)
        code = error.code()
        if error.name() in {"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC"}:
            raise self._missing()
        if code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE) or error.fatal():
            raise FatalError(
                f"{self._topic}-{message.partition()} at {self._cluster.bootstrap} was cut or made anew while it was "
                f"read ({error.str()}): start again"
            )
        if code != KafkaError._PARTITION_EOF:
            _log.warning("tail.error topic=%s partition=%s error=%s", self._topic, message.partition(), error.str())
        return None

    def _missing(self) -> NotFound:
        return NotFound(
            f"topic {self._topic} is not on {self._cluster.nation}'s cluster at {self._cluster.bootstrap}: is it the "
            "right nation? `kakehashi up` makes the topics of a local cluster"
        )

    def _silent(self, why: str) -> BrokerUnavailable:
        return BrokerUnavailable(
            f"no answer from {self._cluster.nation}'s Kafka at {self._cluster.bootstrap} about {self._topic}: {why}"
        )


def _is_end(message: Message) -> bool:
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF
