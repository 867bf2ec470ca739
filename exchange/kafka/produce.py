"""Hands records to a producer: waits where its queue is full, and says which record can never be written."""

from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from exchange.errors import Unwritable

OnDelivery = Callable[[KafkaError | None, Message], None]

_FULL_S: Final = 0.05
_KEY_SHOWN: Final = 80
_COMPARE_IT: Final = "Compare the topic with `kakehashi topics`, and its max.message.bytes with the record's size"
_ALLOW_IT: Final = "The cluster's administrator allows it with `kakehashi acls`, if this role is to write there at all"
# What no retry changes. A topic that a broker does not know for 30 s is among them.
_FOR_GOOD: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}


def produce(
    producer: Producer,
    topic: str,
    partition: int,
    key: bytes,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
    on_delivery: OnDelivery | None = None,
) -> None:
    """Put one record into the producer's queue.

    Raises Unwritable where the client knows that it will never be taken, KafkaException where the producer is broken.
    """
    while True:
        try:
            producer.produce(topic, value, key, partition, on_delivery, headers=list(headers))
        except BufferError:
            producer.poll(_FULL_S)  # the queue is full: wait for the broker, that is back-pressure
        except KafkaException as exception:
            refusal = refused(exception.args[0], topic, partition, key, len(value or b""))
            if refusal is None:
                raise
            raise refusal from exception
        else:
            return


def refused(error: KafkaError, topic: str, partition: int, key: bytes | None, size: int) -> Unwritable | None:
    """The refusal for good that ``error`` is, None where it may be over later."""
    if error.code() not in _FOR_GOOD:
        return None
    return Unwritable(
        f"{topic}-{partition} does not take the record of key {(key or b'')[:_KEY_SHOWN]!r} ({size} bytes): "
        f"{error.str()}. {_ALLOW_IT if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else _COMPARE_IT}"
    )


def watching(refusals: list[Unwritable]) -> OnDelivery:
    """A delivery callback that collects refusals for good."""

    def watch(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            place = message.topic() or "", message.partition() or 0
            refusal = refused(error, *place, message.key(), len(message.value() or b""))
            if refusal is not None:
                refusals.append(refusal)

    return watch
