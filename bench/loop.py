"""A hand-written confluent-kafka loop: read committed, write all of it and the progress in one transaction, no more.

The ceiling and the bare bridge are made of it: no Faust, no state, no policy, no guard, no fencing on restart.
"""

import signal
import threading
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

from bench.stand import SHARDS
from exchange.kafka.clients import Cluster, reader, transactional_producer
from schemas import topics
from schemas.codec import PROGRESS, Codec
from schemas.records import Progress

_BATCH: Final = 2_000
_WAIT_S: Final = 0.1
_CALL_S: Final = 30.0


class Written(msgspec.Struct, frozen=True, gc=False):
    """A record to be written."""

    topic: str
    partition: int
    key: bytes
    value: bytes


Hop = Callable[[Sequence[Message]], Sequence[Written]]


def run_hop(source: Cluster, target: Cluster, topic: str, step: str, hop: Hop, stopping: threading.Event) -> None:
    """Read all shards of ``topic`` and write what ``hop`` makes of them, until stopped."""
    consumer = reader(source)
    consumer.assign([TopicPartition(topic, shard, OFFSET_BEGINNING) for shard in range(SHARDS)])
    producer = transactional_producer(target, f"bench.{step}")
    producer.init_transactions(_CALL_S)
    codec, batch = Codec(), 0
    while not stopping.is_set():
        messages = consumer.consume(1, _WAIT_S)
        if not messages:
            continue
        messages += consumer.consume(_BATCH - 1, 0)
        producer.begin_transaction()
        for record in hop(messages):
            while True:
                try:
                    producer.produce(record.topic, record.value, record.key, record.partition)
                except BufferError:
                    producer.poll(0.05)
                else:
                    break
        batch += 1
        reached = {message.partition() or 0: (message.offset() or 0) + 1 for message in messages}
        for shard, offset in reached.items():
            value = codec.encode(PROGRESS, _progress(step, shard, batch, topic, offset))
            producer.produce(topics.progress(step), value, b"%d" % shard, shard)
        producer.commit_transaction(_CALL_S)
    consumer.close()


def _progress(step: str, shard: int, batch: int, topic: str, offset: int) -> Progress:
    return {
        "step": step,
        "shard": shard,
        "batch": batch,
        "state_format": 0,
        "shard_time_ms": 0,
        "inputs": [{"topic": topic, "topic_id": "", "partition": shard, "next_offset": offset}],
    }


def run_threads(targets: Sequence[Callable[[threading.Event], None]]) -> None:
    """Each in a thread of its own, until SIGTERM."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    threads = [threading.Thread(target=target, args=(stopping,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    while not stopping.wait(0.5):
        if not all(thread.is_alive() for thread in threads):
            raise SystemExit(1)
    for thread in threads:
        thread.join(5)
