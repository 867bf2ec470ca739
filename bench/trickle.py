"""One record after the other through a running copier: how long until a committed reader at the partner has it.

Each is sent when the one before it has arrived, so that none waits for another.
"""

import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import TopicPartition

from bench.latency import percentile
from bench.publish import Sending
from bench.role import Role
from bench.stand import SHARDS, Stand
from exchange.errors import FatalError
from exchange.kafka.clients import end_offset, idempotent_producer, reader

_ARRIVAL_S: Final = 30.0
_AT_MOST_S: Final = 20.0
_PAUSE_S: Final = 0.005


def trickle(stand: Stand, role: Role, source: str, target: str, records: Sequence[Sending]) -> dict[str, float]:
    """Milliseconds from before sending to after reading: p50, p99 and the worst, of as many as there is time for."""
    producer = idempotent_producer(stand.home, **{"linger.ms": 0})
    consumer = reader(stand.partner, **{"fetch.wait.max.ms": 10})
    consumer.assign(
        [TopicPartition(target, shard, end_offset(stand.partner, target, shard)) for shard in range(SHARDS)]
    )
    consumer.consume(1, 1.0)  # connects, and finds its places
    taken: list[float] = []
    deadline = time.monotonic() + _AT_MOST_S
    try:
        for record in records:
            if time.monotonic() > deadline:
                break
            began = time.perf_counter()
            producer.produce(source, record.value, record.key, record.partition)
            producer.poll(0)
            arrived = None
            while arrived != record.key:
                message = consumer.poll(1.0)
                arrived = message.key() if message is not None and message.error() is None else None
                role.check()
                if time.perf_counter() - began > _ARRIVAL_S:
                    raise FatalError(f"a record did not arrive in {_ARRIVAL_S:g} s:\n{role.log_tail()}")
            taken.append((time.perf_counter() - began) * 1000)
            time.sleep(_PAUSE_S)
    finally:
        consumer.close()
        producer.flush(_ARRIVAL_S)
    taken.sort()
    return {
        "probes": len(taken),
        "p50_ms": round(percentile(taken, 50), 1),
        "p99_ms": round(percentile(taken, 99), 1),
        "max_ms": round(taken[-1], 1),
    }
