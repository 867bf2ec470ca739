"""Sees when a step has committed all of its input: by following the progress that it commits with each batch."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from bench.role import Role
from bench.stand import SHARDS
from exchange.errors import FatalError
from exchange.kafka.clients import Cluster, end_offset, reader
from schemas import topics
from schemas.codec import PROGRESS, Codec, Undecodable
from schemas.records import Progress

_POLL_S: Final = 0.2
_TAIL: Final = 16


class Reached:
    """When each shard was seen at which offset, in the order of time."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int, int]] = []

    def note(self, at_s: float, shard: int, offset: int) -> None:
        """A shard has committed up to this offset."""
        self._seen.append((at_s, shard, offset))

    def at(self, wanted: Mapping[int, int]) -> float | None:
        """When every shard had reached its offset, 0 if there is nothing to reach; None if not yet."""
        left = {shard for shard, offset in wanted.items() if offset > 0}
        reached_s = 0.0
        for at_s, shard, offset in self._seen:
            if shard in left and offset >= wanted[shard]:
                reached_s = at_s
                left.remove(shard)
        return None if left else reached_s

    def latest(self) -> dict[int, int]:
        """The offset of each shard."""
        return {shard: offset for _, shard, offset in self._seen}


class StepProgress:
    """The committed position of each shard of one step in its input topic."""

    def __init__(self, cluster: Cluster, step: str, source: str) -> None:
        self._codec, self._source = Codec(), source
        self._consumer = reader(cluster, **{"fetch.wait.max.ms": 20})
        self._consumer.assign(
            [TopicPartition(topics.progress(step), shard, OFFSET_BEGINNING) for shard in range(SHARDS)]
        )
        self._reached = Reached()
        self.batches = 0

    def read(self, timeout_s: float) -> None:
        """Take in the commits since."""
        messages = self._consumer.consume(1, timeout_s)
        if messages:
            messages += self._consumer.consume(1000, 0)
        for message in messages:
            record = self._codec.decode(PROGRESS, message.value()) if message.error() is None else None
            if record is None or isinstance(record, Undecodable):
                continue
            self.batches += 1
            for source in cast(Progress, record)["inputs"]:
                if source["topic"] == self._source:
                    self._reached.note(time.monotonic(), source["partition"], source["next_offset"])

    def has_reached(self, wanted: Mapping[int, int]) -> bool:
        """Whether every shard has committed up to these offsets."""
        return self._reached.at(wanted) is not None

    def await_offsets(
        self, wanted: Mapping[int, int], role: Role, timeout_s: float, meanwhile: Callable[[], None] | None = None
    ) -> float:
        """Wait until they have; when they had. ``meanwhile`` is called again and again, and then sets the pace. Raises
        FatalError if it takes too long."""
        deadline = time.monotonic() + timeout_s
        while (at := self._reached.at(wanted)) is None:
            self._wait(meanwhile)
            role.check()
            if time.monotonic() > deadline:
                raise FatalError(f"not done after {timeout_s:g} s: {self._reached.latest()}, wanted {wanted}")
        return at or time.monotonic()  # or there was nothing to wait for

    def await_end(
        self, cluster: Cluster, role: Role, timeout_s: float, meanwhile: Callable[[], None] | None = None
    ) -> float:
        """Wait until all that its topic now has is done; when it was: it may be before its end is known, since to ask
        for that takes a while."""
        with ThreadPoolExecutor(1) as asking:
            ends = asking.submit(data_ends, cluster, self._source)
            while not ends.done():
                self._wait(meanwhile)
        return self.await_offsets(ends.result(), role, timeout_s, meanwhile)

    def _wait(self, meanwhile: Callable[[], None] | None) -> None:
        if meanwhile is not None:
            meanwhile()
        self.read(_POLL_S if meanwhile is None else 0)

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()


def data_ends(cluster: Cluster, topic: str) -> dict[int, int]:
    """Per partition the offset behind its last record; the markers of transactions behind it are no records."""
    return {shard: _data_end(cluster, topic, shard) for shard in range(SHARDS)}


def _data_end(cluster: Cluster, topic: str, shard: int) -> int:
    end = end_offset(cluster, topic, shard)
    consumer = reader(cluster, **{"enable.partition.eof": True, "auto.offset.reset": "earliest"})
    last = 0
    try:
        for back in (_TAIL, end):
            consumer.assign([TopicPartition(topic, shard, max(0, end - back))])
            ended = end == 0
            while not ended:
                for message in consumer.consume(1000, _POLL_S):
                    if message.error() is None:
                        last = max(last, (message.offset() or 0) + 1)
                    else:
                        ended = ended or (message.offset() or 0) >= end
            if last:
                break
    finally:
        consumer.close()
    return last
