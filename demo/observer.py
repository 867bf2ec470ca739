"""Observes one nation's cluster: every committed record of the topics that the demo counts."""

import threading
from collections.abc import Callable, Sequence

from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from exchange.errors import FatalError
from exchange.kafka.clients import Cluster, reader
from exchange.kafka.committed import as_record
from exchange.protocol.record import Input, Record

_POLL_S = 0.1
_BATCH = 2_000


class Observer:
    """A ``read_committed`` consumer in a thread of its own. It joins no group.

    ``take`` is called in that thread with each record, in the order of each partition.
    """

    def __init__(self, cluster: Cluster, topics: Sequence[str], shards: int, take: Callable[[Record], None]) -> None:
        self._cluster, self._take = cluster, take
        self.inputs = tuple(Input(topic, shard) for topic in topics for shard in range(shards))
        self._consumer = reader(
            cluster,
            # Records of an inbox are deleted once read: the remaining ones are read here.
            **{"enable.partition.eof": True, "auto.offset.reset": "earliest"},
        )
        self._read_to: dict[Input, int] = {}
        self._stopping = threading.Event()
        self._broken: Exception | None = None
        self._thread = threading.Thread(target=self._read, name=f"observer-{cluster.nation}", daemon=True)

    def start(self) -> None:
        """Begin at the beginning of every topic."""
        self._consumer.assign([TopicPartition(each.topic, each.partition, OFFSET_BEGINNING) for each in self.inputs])
        self._thread.start()

    def has_read_to(self, ends: dict[Input, int]) -> bool:
        """Whether it was at these ends, control records of transactions included. Raises what broke the thread."""
        if self._broken is not None:
            raise self._broken
        return all(self._read_to.get(each, 0) >= end for each, end in ends.items())

    def close(self) -> None:
        """Stop reading."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                messages = self._consumer.consume(1, _POLL_S)
                if messages:
                    messages += self._consumer.consume(_BATCH, 0)
                for message in messages:
                    error = message.error()
                    if error is None:
                        self._take(as_record(message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        self._read_to[Input(message.topic() or "", message.partition() or 0)] = message.offset() or 0
                    elif error.fatal():
                        raise FatalError(f"cannot read {message.topic()} at {self._cluster.bootstrap}: {error.str()}")
        except Exception as error:  # raised to the next caller: a thread has no caller of its own
            self._broken = error
