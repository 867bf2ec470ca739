"""Sends records of people's decisions, and reports where each was written."""

from collections.abc import Sequence
from typing import Final

from exchange.errors import DeliveryTimeout
from exchange.kafka import produce
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.protocol.record import Output
from schemas.counting import counted

_DELIVERY_S: Final = 30.0


def send(cluster: Cluster, outputs: Sequence[Output]) -> list[int]:
    """The offsets of the records, in their order, once the cluster has acknowledged all of them.

    Raises DeliveryTimeout if it has not: every record that the desk sends may be sent twice. Raises Unwritable for a
    record that the cluster never takes.
    """
    producer = idempotent_producer(cluster)
    delivery = produce.send(producer, outputs, _DELIVERY_S)
    if delivery.failures:
        producer.purge()
        raise DeliveryTimeout(
            f"{cluster.nation}'s Kafka at {cluster.bootstrap} acknowledged {len(delivery.offsets)} of "
            f"{counted(len(outputs), 'record')} ({delivery.failures[0]}): run the same command again, no record counts "
            "twice"
        )
    return [delivery.offsets[place] for place in range(len(outputs))]
