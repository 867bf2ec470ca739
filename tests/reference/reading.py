"""The records of a cluster's topics, as a ``read_committed`` reader sees them; each look reads on."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final

from confluent_kafka import KafkaError, TopicPartition

from exchange.kafka.clients import Cluster, reader
from exchange.kafka.committed import as_record
from exchange.protocol.record import Record

_BATCH: Final = 10_000
_QUIET_S: Final = 30.0
_SETTINGS: Final = {
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 64 << 10,
    "auto.offset.reset": "earliest",  # an inbox is emptied behind its reader: what is left of it is read
}


class Reading:
    """Topics of one cluster and all their committed records so far. ``look`` reads on to the present ends."""

    def __init__(self, cluster: Cluster, topics: Sequence[str], shards: int) -> None:
        self._places = [(topic, shard) for topic in topics for shard in range(shards)]
        self._cluster, self._consumer = cluster, reader(cluster, **_SETTINGS)
        self._next = dict.fromkeys(self._places, 0)
        self.records: Mapping[str, list[Record]] = {topic: [] for topic in topics}

    def look(self) -> None:
        """Take in everything that is committed by now, every partition up to its end or its first open transaction.

        Raises TimeoutError if the cluster is silent for half a minute.
        """
        self._consumer.assign([TopicPartition(*place, self._next[place]) for place in self._places])
        waiting = set(self._places)
        last_s = time.monotonic()
        while waiting:
            for message in self._consumer.consume(_BATCH, 0.05):
                last_s = time.monotonic()
                place = (message.topic() or "", message.partition() or 0)
                error = message.error()
                if error is None:
                    self.records[place[0]].append(as_record(message))
                    self._next[place] = (message.offset() or 0) + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(place)
            if time.monotonic() - last_s > _QUIET_S:
                raise TimeoutError(f"nothing of {sorted(waiting)} for {_QUIET_S:g} s")
        self._consumer.unassign()

    def begin_again(self, topic: str) -> None:
        """A topic was recreated: forget what the old one held, and read this one. Nothing if it is not read.

        With a client of its own: one that has seen the topic gone may wait for minutes before it looks again.
        """
        if topic in self.records:
            self._next |= {place: 0 for place in self._places if place[0] == topic}
            self.records[topic].clear()
            self._consumer.close()
            self._consumer = reader(self._cluster, **_SETTINGS)

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def __enter__(self) -> "Reading":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
