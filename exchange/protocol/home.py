"""Writes at home what a step must have acknowledged before its transaction abroad."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message

from exchange.errors import DeliveryTimeout, Unwritable
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import produce, watching
from exchange.protocol.record import Output

ACKNOWLEDGE_S: Final = 30.0


class HomeWriter:
    """A ``Home`` by an idempotent producer."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer = idempotent_producer(cluster)

    def write(self, outputs: Sequence[Output]) -> None:
        """Returns when all of it is acknowledged. Raises DeliveryTimeout where it is not, Unwritable where it never
        will be."""
        failures: list[str] = []
        refusals: list[Unwritable] = []
        watch = watching(refusals)

        def done(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failures.append(f"{message.topic()}-{message.partition()}: {error.str()}")
                watch(error, message)

        for output in outputs:
            produce(self._producer, output.topic, output.partition, output.key, output.value, output.headers, done)
        unsent = self._producer.flush(ACKNOWLEDGE_S)
        if refusals:
            raise refusals[0]
        if unsent or failures:
            raise DeliveryTimeout(
                f"{len(failures) + unsent} records not acknowledged at {self._cluster.nation}: {failures[:1]}"
            )
