"""Sends records of people's decisions, and reports where each was written."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message

from exchange.errors import DeliveryTimeout
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import produce
from exchange.protocol.record import Output
from schemas.counting import counted

_DELIVERY_S: Final = 30.0


def send(cluster: Cluster, outputs: Sequence[Output]) -> list[int]:
    """The offsets of the records, in their order, once the cluster has acknowledged all of them.

    Raises DeliveryTimeout if it has not: every record that the desk sends may be sent twice. Raises Unwritable for a
    record that the cluster never takes.
    """
    producer = idempotent_producer(cluster)
    offsets: dict[int, int] = {}
    failed: list[str] = []
    for number, output in enumerate(outputs):

        def delivered(error: KafkaError | None, message: Message, number: int = number) -> None:
            if error is None:
                offsets[number] = message.offset() or 0
            else:
                failed.append(f"{message.topic()}-{message.partition()}: {error.str()}")

        produce(
            producer,
            output.topic,
            output.partition,
            output.key,
            output.value,
            output.headers,
            on_delivery=delivered,
        )
        producer.poll(0)
    producer.flush(_DELIVERY_S)
    if len(offsets) < len(outputs):
        producer.purge()
        why = failed[0] if failed else f"no answer within {_DELIVERY_S:g} s"
        raise DeliveryTimeout(
            f"{cluster.nation}'s Kafka at {cluster.bootstrap} acknowledged {len(offsets)} of "
            f"{counted(len(outputs), 'record')} ({why}): run the same command again, no record counts twice"
        )
    return [offsets[number] for number in range(len(outputs))]
