"""The fast lane while bulk saturates the bridge: how long a recall takes to the partner's own topic, bulk or not.

The bridge and the partner's worker are real. A backlog of releases is put before the bridge, and probes go in beside it
at an even pace, as correlate writes them: to the released topic and as a copy to the fast lane's. Every second one is
a recall, the others are content of a declared incident. Only those count that were sent while bulk was still under way.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from bench.arrived import why_void
from bench.latency import percentile
from bench.progress import StepProgress
from bench.publish import Publisher, Sending, per_partition
from bench.role import Role
from bench.stand import HOME, PARTNER, SHARDS, Stand
from exchange.errors import FatalError
from exchange.kafka.clients import idempotent_producer, reader
from schemas import topics

PROBES_PER_S: Final = 20
_DONE_S: Final = 600.0
_LOST_S: Final = 60.0
_WARM_UP: Final = 20


def measure(
    stand: Stand, bulk: Sequence[Sending], probes: Sequence[Sending], changes: Mapping[str, str]
) -> dict[str, Any]:
    """Milliseconds from before a probe is sent until a committed reader has it: in the partner's inbox, which is the
    bridge's part, and on the partner's own topic."""
    stand.refresh()
    publisher = Publisher(stand.home)
    bridge = ["kakehashi", "bridge", "--nation", HOME, "--partner", PARTNER]
    worker = ["kakehashi", "streams", "--nation", PARTNER]
    with (
        Role.start("streams-partner", worker, stand.environment(), stand.folder) as receiver,
        Role.start("bridge", bridge, stand.environment(**changes), stand.folder) as role,
        closing(_Probes(stand, probes)) as sent,
        closing(StepProgress(stand.partner, topics.bridge_step(HOME), topics.released(PARTNER))) as carried,
    ):
        receiver.await_ready()
        role.await_ready()
        for _ in range(_WARM_UP):
            sent.send()
        sent.await_all()
        sent.latencies_ms.clear()
        sent.inbox_ms.clear()
        began = time.monotonic()
        publisher.publish(bulk, topics.released(PARTNER))
        wanted = {shard: count + sent.written.get(shard, 0) for shard, count in per_partition(bulk).items()}
        while not carried.has_reached(wanted) and sent.left():
            sent.send()
            sent.read(1 / PROBES_PER_S)
            carried.read(0)
            role.check()
        seconds = time.monotonic() - began
        sent.await_all()
        is_late = sent.left() == 0
        _received(stand, receiver)
        times, on_the_link = sorted(sent.latencies_ms), sorted(sent.inbox_ms)
        void = (
            "probes were used up before the bulk was through"
            if is_late
            else why_void(stand.partner, topics.accepted(HOME), len(bulk) + sent.count, [stand.home, stand.partner])
        )
    return {
        "bulk_rate": round(len(bulk) / seconds),
        "probes": len(times),
        "inbox_p50_ms": round(percentile(on_the_link, 50)),
        "inbox_p99_ms": round(percentile(on_the_link, 99)),
        "p50_ms": round(percentile(times, 50)),
        "p99_ms": round(percentile(times, 99)),
        "max_ms": round(times[-1]),
        "void": void,
    }


class _Probes:
    """Sends probes in both lanes, and sees them arrive on the partner's topic."""

    def __init__(self, stand: Stand, probes: Sequence[Sending]) -> None:
        self._probes, self.count = probes, 0
        self._producer: Producer = idempotent_producer(stand.home, **{"linger.ms": 0})
        self._consumer: Consumer = reader(stand.partner, **{"fetch.wait.max.ms": 10})
        names = (topics.urgent_inbox(HOME), topics.accepted(HOME))
        self._consumer.assign(
            [TopicPartition(name, shard, OFFSET_BEGINNING) for name in names for shard in range(SHARDS)]
        )
        self._on_the_link: dict[bytes, float] = {}
        self._under_way: dict[bytes, float] = {}
        self.written: dict[int, int] = {}
        self.inbox_ms: list[float] = []
        self.latencies_ms: list[float] = []

    def left(self) -> int:
        """Probes that were not sent yet."""
        return len(self._probes) - self.count

    def send(self) -> None:
        """The next one."""
        probe = self._probes[self.count]
        self.count += 1
        self.written[probe.partition] = self.written.get(probe.partition, 0) + 1
        self._on_the_link[probe.key] = self._under_way[probe.key] = time.perf_counter()
        for topic in (topics.urgent(PARTNER), topics.released(PARTNER)):
            self._producer.produce(topic, probe.value, probe.key, probe.partition)
        self._producer.poll(0)

    def read(self, seconds: float) -> None:
        """Receive the records that arrive within the time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for message in self._consumer.consume(1, left) + self._consumer.consume(10_000, 0):
                if message.error() is None:
                    self._arrived(message.topic() == topics.accepted(HOME), message.key() or b"")

    def _arrived(self, is_accepted: bool, key: bytes) -> None:
        waiting, times = (self._under_way, self.latencies_ms) if is_accepted else (self._on_the_link, self.inbox_ms)
        began = waiting.pop(key, None)
        if began is not None:
            times.append((time.perf_counter() - began) * 1000)

    def await_all(self) -> None:
        """Until each has arrived. Raises FatalError if one is lost."""
        deadline = time.monotonic() + _LOST_S
        while self._under_way or self._on_the_link:
            self.read(0.05)
            if time.monotonic() > deadline:
                raise FatalError(f"{len(self._under_way)} of {self.count} probes have not arrived in {_LOST_S:g} s")

    def close(self) -> None:
        """Stop."""
        self._consumer.close()
        self._producer.flush(_LOST_S)


def _received(stand: Stand, receiver: Role) -> None:
    """Until the partner's worker has taken all that the bridge has brought."""
    inbox = topics.inbox(HOME)
    with closing(StepProgress(stand.partner, f"receive.{HOME}", inbox)) as received:
        received.await_end(stand.partner, receiver, _DONE_S)
