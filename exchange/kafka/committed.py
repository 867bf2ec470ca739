"""Reads what is committed in one partition, up to an end that was asked for before."""

import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from exchange.errors import BrokerUnavailable
from exchange.kafka.clients import Cluster, raise_damage, reader

GIVE_UP_S: Final = 120.0
_PORTION: Final = 10_000
_WAIT_S: Final = 0.05
_EOF_MS: Final = 10  # that the end is reached is heard of so late


def committed(
    cluster: Cluster, topic: str, partition: int, start: int, end: int, *, aborted_too: bool = False
) -> Iterator[Message]:
    """All committed records from ``start`` up to ``end``; ends only when ``end`` has been passed.

    ``aborted_too`` is for who asks what lies there, not what holds: records of aborted transactions, and of open ones.
    Raises BrokerUnavailable where nothing comes for two minutes, RecordDamaged where something cannot be read.
    """
    if start >= end:
        return
    isolation = {"isolation.level": "read_uncommitted"} if aborted_too else {}
    until_the_end = {"enable.partition.eof": True, "auto.offset.reset": "earliest", "fetch.wait.max.ms": _EOF_MS}
    consumer: Consumer = reader(cluster, **until_the_end, **isolation)
    try:
        consumer.assign([TopicPartition(topic, partition, start)])
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            # consume(n, t) waits for n of them or all of t: one is waited for, then comes what else has arrived.
            for message in (*consumer.consume(1, _WAIT_S), *consumer.consume(_PORTION, 0)):
                error = message.error()
                if error is None:
                    # Under a writer that never rests, the end-of-partition event may never come.
                    if (message.offset() or 0) >= end:
                        return
                    deadline = time.monotonic() + GIVE_UP_S
                    yield message
                # The end is a control record that is never delivered: only the end-of-partition event,
                # which carries the position, or a later record tells that it has been passed.
                elif error.code() == KafkaError._PARTITION_EOF and (message.offset() or 0) >= end:
                    return
                raise_damage(message)
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"{topic}-{partition}: no end at {end} within {GIVE_UP_S:g} s")
    finally:
        consumer.close()
