"""Kafka clients, made in one place: every setting that differs from the client's own default has its reason here."""

import threading
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not exported to type checkers by the package

from exchange.errors import BrokerUnavailable, NotFound, RecordDamaged
from exchange.kafka.schema_registry import Registry, codec_of
from schemas.codec import Codec

TRANSACTION_TIMEOUT_MS: Final = 30_000
BATCH_BYTES: Final = 1 << 20
CALL_TIMEOUT_S: Final = 10.0
ANSWER_S: Final = 4 * CALL_TIMEOUT_S  # a request's own timeout comes first
LEARN_S: Final = 5.0
ROLE_ASKS_S: Final = 3 * CALL_TIMEOUT_S  # how long a role asks for what it needs to begin
_Answer = TypeVar("_Answer")
# After these librdkafka continues behind the records that it could not read.
_DAMAGE: Final = {
    KafkaError._BAD_MSG,
    KafkaError._BAD_COMPRESSION,
    KafkaError._NOT_IMPLEMENTED,
    KafkaError._UNDERFLOW,
    KafkaError.INVALID_MSG,
    KafkaError.MSG_SIZE_TOO_LARGE,
}
# These end with the election: while a broker starts, it and the client learn of the leader at different moments. An
# answer for one partition of an admin call never reports that it is retriable, whatever its code.
_ELECTION: Final = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
}
_LEADERLESS: Final = {KafkaError._NOENT}


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to reach one nation's Kafka, and its schema registry if it has one.

    ``security`` has librdkafka's names and is never printed.
    """

    nation: str
    bootstrap: str
    security: Mapping[str, str] = field(default_factory=dict, repr=False)
    registry: Registry | None = None

    def codec(self, *names: str, newer: tuple[str, ...] = ()) -> Codec:
        """Reads and writes with this cluster's schema ids: of these schemas, or of all. Asks its registry once.

        Of ``newer`` besides, unless its registry does not know them: another nation may not have upgraded.
        """
        return codec_of(self.registry, names, newer)

    def client(self) -> dict[str, Any]:
        """The settings that all clients of this cluster share."""
        return {
            "bootstrap.servers": self.bootstrap,
            "reconnect.backoff.max.ms": 1000,  # a restarted broker is found again within a second
            "log_level": 2,  # lost connections are retried: a line for each attempt would bury what matters
            **self.security,
        }


def transactional_producer(
    cluster: Cluster,
    transactional_id: str,
    *,
    timeout_ms: int = TRANSACTION_TIMEOUT_MS,
    batch_bytes: int = BATCH_BYTES,
) -> Producer:
    """A producer that owns ``transactional_id`` once it is initialised.

    Of an idempotent producer librdkafka keeps one batch of each partition in flight (it counts records against the five
    requests that a broker remembers): ``batch_bytes`` is what one round trip sends to a partition. The topic has to
    take batches of that size.
    """
    return Producer(
        cluster.client()
        | {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": timeout_ms,  # a dead owner blocks readers no longer than this
            # Undeliverable records must be reported before the broker ends the transaction, which looks like
            # another owner to us; and an unknown topic, before that.
            "message.timeout.ms": timeout_ms * 4 // 5,
            "topic.metadata.propagation.max.ms": timeout_ms // 3,
            "linger.ms": 5,  # the commit flushes at once; until then batches may fill
            "batch.size": batch_bytes,
            "batch.num.messages": 1_000_000,  # a batch ends by its bytes
            "compression.type": "lz4",
            "queue.buffering.max.messages": 500_000,
            "queue.buffering.max.kbytes": 256 << 10,
            "message.max.bytes": max(2 << 20, batch_bytes),
            "socket.nagle.disable": True,  # the last part of a request does not wait for an answer to the first
        }
    )


def idempotent_producer(cluster: Cluster, **changes: Any) -> Producer:
    """A producer for writes outside a shard's transactions: sensors, redrives, refusals at home."""
    return Producer(
        cluster.client()
        | {
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "lz4",
            "message.max.bytes": 2 << 20,
        }
        | changes
    )


def reader(cluster: Cluster, **changes: Any) -> Consumer:
    """A ``read_committed`` consumer for explicit assignment; it belongs to no group and commits nothing."""
    return Consumer(
        cluster.client()
        | {
            "group.id": "kakehashi-unused",  # the binding demands one
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",  # a cut log is a gap to be declared, not to be jumped over
            "enable.partition.eof": False,
            "fetch.wait.max.ms": 100,
            "fetch.error.backoff.ms": 50,
            "fetch.queue.backoff.ms": 5,
            "queued.max.messages.kbytes": 16 << 10,  # per consumer: a shard never holds more than this unread
            "check.crcs": True,
        }
        | changes
    )


def raise_damage(message: Message) -> None:
    """Raises RecordDamaged if a reader reports that it has skipped something."""
    error = message.error()
    if error is not None and error.code() in _DAMAGE:
        raise RecordDamaged(
            f"{message.topic()}-{message.partition()}: {error.str()}: the log is damaged on the broker's disk. "
            "Restore it from a replica: nothing behind the damage is read until then"
        )


def raise_end_of_reading(message: Message) -> None:
    """Raises if a consumer with explicit assignment cannot continue: RecordDamaged as ``raise_damage``, and
    BrokerUnavailable if the offset is not there any more or the client is broken: the shard is to be taken again."""
    raise_damage(message)
    error = message.error()
    gone = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}
    if error is not None and (error.code() in gone or error.fatal()):
        raise BrokerUnavailable(f"{message.topic()}-{message.partition()}: {error.str()}")


class Unanswered(BrokerUnavailable):
    """A call without an answer, or with an error that passes: asked again, it may be answered."""


def answer(future: "Future[_Answer]", cluster: Cluster, wish: str, *, known: Collection[int] = ()) -> _Answer:
    """A cluster's answer to a call of an AdminClient; ``wish`` names the request, for messages.

    Raises Unanswered, BrokerUnavailable if the answer is another error, and the KafkaException itself if its code
    is one of the ``known``, for which the caller has a better message.
    """
    unable = f"{cluster.nation}'s Kafka at {cluster.bootstrap} does not {wish}"
    try:
        failure = future.exception(ANSWER_S)
    except TimeoutError as error:
        # The request has timed out by then; unless this process was paused, and has not received the answer yet.
        raise Unanswered(f"{unable}: no answer, or this process was paused meanwhile. Try again") from error
    if failure is None:
        return future.result()
    if not isinstance(failure, KafkaException):
        raise failure
    why = failure.args[0]
    if why.code() in known:
        raise KafkaException(why)  # not the failure itself: its traceback would keep the future that keeps it
    if why.retriable() or why.code() in _ELECTION:
        raise Unanswered(f"{unable}: {why.str()}. Try again once it answers") from failure
    raise BrokerUnavailable(f"{unable}: {why.str()}") from failure


def topic_ids(cluster: Cluster, topics: list[str], *, again_s: float = 0.0) -> dict[str, str]:
    """Kafka's id of each topic: the same name with another id is another topic.

    Raises NotFound for a topic that is not there, also after a while: a broker that has just been started may answer
    before it knows all topics. Raises BrokerUnavailable if there is no answer; it is asked again until ``again_s``
    seconds are over: a role that starts beside its broker has nothing better to do.
    """
    began = time.monotonic()
    while True:
        try:
            return _topic_ids(cluster, topics)
        except NotFound:
            if time.monotonic() > began + LEARN_S:
                raise
        except Unanswered:
            if time.monotonic() >= began + again_s:
                raise
        threading.Event().wait(0.1)


def _topic_ids(cluster: Cluster, topics: list[str]) -> dict[str, str]:
    admin = AdminClient(cluster.client())
    futures = admin.describe_topics(TopicCollection(topics), request_timeout=CALL_TIMEOUT_S)
    ids = {}
    for topic, future in futures.items():
        try:
            found = answer(future, cluster, f"describe {topic}", known=(KafkaError.UNKNOWN_TOPIC_OR_PART,))
        except KafkaException as error:
            raise NotFound(
                f"topic {topic} is not on {cluster.nation}'s cluster at {cluster.bootstrap}: create the "
                f"topics with `kakehashi topics --nation {cluster.nation}` or `kakehashi up`"
            ) from error
        ids[topic] = str(found.topic_id)
    return ids


def end_offset(cluster: Cluster, topic: str, partition: int) -> int:
    """The end of a partition, open transactions included.

    Asked READ_UNCOMMITTED, so that a reader who reads up to it has waited for every transaction that was open
    (as Kafka Connect's KafkaBasedLog does).
    """
    return _known_offset(cluster, topic, partition, OffsetSpec.latest())  # type: ignore[no-untyped-call]


def offset_at(cluster: Cluster, topic: str, partition: int, time_ms: int) -> int | None:
    """The offset of the first record at or after ``time_ms``; None if there is none."""
    found = _list_offset(cluster, topic, partition, OffsetSpec.for_timestamp(time_ms))
    return None if found < 0 else found


def begin_offset(cluster: Cluster, topic: str, partition: int) -> int:
    """The first offset that is still there."""
    return _known_offset(cluster, topic, partition, OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def _known_offset(cluster: Cluster, topic: str, partition: int, spec: OffsetSpec) -> int:
    """A partition that has just been made may have no offsets yet for a moment: that is no answer (librdkafka reports
    OFFSET_INVALID), so it is asked again."""
    deadline = time.monotonic() + LEARN_S
    while True:
        found = _list_offset(cluster, topic, partition, spec)
        if found >= 0:
            return found
        if time.monotonic() > deadline:
            raise BrokerUnavailable(f"{topic}-{partition} at {cluster.bootstrap} has no offsets: {found}")
        threading.Event().wait(0.1)


def _list_offset(cluster: Cluster, topic: str, partition: int, spec: OffsetSpec) -> int:
    place = TopicPartition(topic, partition)
    what, began = f"say where {topic}-{partition} begins or ends", time.monotonic()
    while True:
        # A new client each time: it asks who leads, while an old one would ask the former leader. It must make some
        # call first: librdkafka may drop its first connection while it asks over it, and asks again after 3 s only.
        admin = AdminClient(cluster.client())
        wait(admin.describe_topics(TopicCollection([topic]), request_timeout=CALL_TIMEOUT_S).values(), ANSWER_S)
        futures = admin.list_offsets(
            {place: spec}, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=CALL_TIMEOUT_S
        )
        try:
            return int(answer(futures[place], cluster, what, known=_LEADERLESS).offset)
        except Unanswered:
            if time.monotonic() > began + 3 * CALL_TIMEOUT_S:
                raise
        except KafkaException as error:  # it has no leader: there is no such partition, or it is new
            if time.monotonic() > began + LEARN_S:
                raise BrokerUnavailable(
                    f"{cluster.nation}'s Kafka at {cluster.bootstrap} does not {what}: {error}"
                ) from error
        threading.Event().wait(0.1)
