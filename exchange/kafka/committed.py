"""Reads the committed records of one partition, up to an end that is queried before."""

import time
from collections.abc import Iterator
from typing import Final, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from exchange.errors import BrokerUnavailable
from exchange.kafka.clients import Cluster, begin_offset, end_offset, raise_damage, reader
from exchange.protocol.record import Headers, Record

GIVE_UP_S: Final = 120.0
_PORTION: Final = 2_000
_WAIT_S: Final = 0.05
_EOF_MS: Final = 10  # so late at most is the end reported


def as_record(message: Message) -> Record:
    """A client's message as our record."""
    return Record(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.key(),
        message.value(),
        message.timestamp()[1],
        cast("Headers", tuple(message.headers() or ())),
    )


def committed(
    cluster: Cluster,
    topic: str,
    partition: int,
    start: int | None = None,
    end: int | None = None,
    *,
    aborted_too: bool = False,
) -> Iterator[Message]:
    """All committed records from offset ``start`` up to ``end``; ends only when ``end`` has been passed.

    None is the partition's beginning, and the end that it has when the first record is asked for, open transactions
    included. ``aborted_too`` is for a caller that asks which bytes are there: also records of aborted transactions, and
    of open ones. Raises BrokerUnavailable if nothing comes for two minutes, RecordDamaged if something cannot be read.
    """
    for messages in committed_portions(cluster, topic, partition, start, end, aborted_too=aborted_too):
        yield from messages


def committed_portions(
    cluster: Cluster,
    topic: str,
    partition: int,
    start: int | None = None,
    end: int | None = None,
    *,
    aborted_too: bool = False,
) -> Iterator[list[Message]]:
    """The same records as they arrive, some at a time: millions are handed on without a step for each."""
    start = begin_offset(cluster, topic, partition) if start is None else start
    end = end_offset(cluster, topic, partition) if end is None else end
    if start >= end:
        return
    isolation = {"isolation.level": "read_uncommitted"} if aborted_too else {}
    until_the_end = {"enable.partition.eof": True, "auto.offset.reset": "earliest", "fetch.wait.max.ms": _EOF_MS}
    consumer: Consumer = reader(cluster, **until_the_end, **isolation)
    try:
        consumer.assign([TopicPartition(topic, partition, start)])
        deadline = time.monotonic() + GIVE_UP_S
        ended = False
        while not ended:
            # consume(n, t) waits for n of them or all of t: one is waited for, then what else has arrived is taken.
            messages = consumer.consume(1, _WAIT_S)
            if messages:
                messages += consumer.consume(_PORTION - 1, 0)
            messages, ended = _up_to(end, messages)
            if messages:
                deadline = time.monotonic() + GIVE_UP_S
                yield messages
            elif time.monotonic() > deadline:
                raise BrokerUnavailable(f"{topic}-{partition}: no end at {end} within {GIVE_UP_S:g} s")
    finally:
        consumer.close()


def _up_to(end: int, messages: list[Message]) -> tuple[list[Message], bool]:
    """The records before ``end``, and whether that has been passed; raises RecordDamaged.

    Under a writer that never pauses, the end-of-partition event may never come.
    """
    if all(message.error() is None for message in messages) and not (messages and (messages[-1].offset() or 0) >= end):
        return messages, False
    records: list[Message] = []
    for message in messages:
        error = message.error()
        if (message.offset() or 0) >= end and (error is None or error.code() == KafkaError._PARTITION_EOF):
            return records, True
        if error is None:
            records.append(message)
        # The end may be a control record, which is never delivered: only the end-of-partition event, which carries
        # the position, or a later record shows that it has been passed.
        raise_damage(message)
    return records, False
