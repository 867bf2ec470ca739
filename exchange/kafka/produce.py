"""Hands records to a producer: waits while its queue is full, and names a record that can never be written."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from exchange.errors import Unwritable
from exchange.protocol.record import Output

OnDelivery = Callable[[KafkaError | None, Message], None]

_FULL_S: Final = 0.05
_KEY_SHOWN: Final = 80
_COMPARE_IT: Final = (
    "Compare the topic with `kakehashi topics --nation NATION`, and its max.message.bytes with the record's size"
)
_ALLOW_IT: Final = (
    "The cluster's administrator allows it with `kakehashi acls --nation NATION`, if this role is to write there at all"
)
# Errors that no retry changes. A topic that a broker does not know for 30 s is among them.
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

    Raises Unwritable if the client knows that it will never be written, KafkaException if the producer is broken.
    """
    while True:
        try:
            producer.produce(topic, value, key, partition, on_delivery, headers=list(headers))
        except BufferError:
            pass
        except KafkaException as exception:
            refusal = refused(exception.args[0], topic, partition, key, len(value or b""))
            if refusal is None:
                raise
            raise refusal from exception
        else:
            return
        producer.poll(_FULL_S)  # the queue is full: wait for the broker, that is back-pressure


def produce_all(producer: Producer, outputs: Iterable[Output], on_delivery: OnDelivery | None = None) -> None:
    """``produce`` of each of these outputs, in their order."""
    put = producer.produce
    for output in outputs:
        try:
            if output.headers:
                put(output.topic, output.value, output.key, output.partition, on_delivery, headers=list(output.headers))
            else:
                put(output.topic, output.value, output.key, output.partition, on_delivery)
        except (BufferError, KafkaException):  # it was not taken: wait, or learn why
            produce_output(producer, output, on_delivery)


def produce_output(producer: Producer, output: Output, on_delivery: OnDelivery | None = None) -> None:
    """``produce`` of an output."""
    produce(producer, output.topic, output.partition, output.key, output.value, output.headers, on_delivery)


class Delivery(msgspec.Struct, frozen=True):
    """The acknowledgements: the offset of each record by its place in the order, and the errors of others."""

    offsets: dict[int, int]
    failures: list[str]


def send(
    producer: Producer,
    outputs: Iterable[Output],
    within_s: float,
    on_handed_over: Callable[[], None] = lambda: None,
) -> Delivery:
    """Write these records without a transaction, and wait until they are acknowledged.

    ``on_handed_over`` is called when the client has all of them, and only the cluster is waited for. Raises Unwritable
    if one of them will never be written, KafkaException if the producer is broken.
    """
    delivery = Delivery({}, [])
    refusals: list[Unwritable] = []
    watch = watching(refusals)

    def note(place: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            delivery.offsets[place] = message.offset() or 0
        else:
            delivery.failures.append(f"{message.topic()}-{message.partition()}: {error.str()}")
            watch(error, message)

    for place, output in enumerate(outputs):
        produce_output(producer, output, partial(note, place))
    on_handed_over()
    unsent = producer.flush(within_s)
    if refusals:
        raise refusals.pop()
    delivery.failures.extend([f"no answer within {within_s:g} s"] * unsent)
    return delivery


def refused(error: KafkaError, topic: str, partition: int, key: bytes | None, size: int) -> Unwritable | None:
    """The permanent refusal that ``error`` is; None if a later try may succeed."""
    if error.code() not in _FOR_GOOD:
        return None
    return Unwritable(
        f"{topic}-{partition} does not take the record of key {(key or b'')[:_KEY_SHOWN]!r} ({size} bytes): "
        f"{error.str()}. {_ALLOW_IT if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else _COMPARE_IT}"
    )


def watching(refusals: list[Unwritable]) -> OnDelivery:
    """A delivery callback that collects permanent refusals."""

    def watch(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            place = message.topic() or "", message.partition() or 0
            refusal = refused(error, *place, message.key(), len(message.value() or b""))
            if refusal is not None:
                refusals.append(refusal)

    return watch
