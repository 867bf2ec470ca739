"""Notices early that something was appended to a partition."""

import threading

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from exchange.kafka.clients import Cluster, reader


class TopicNews:
    """Wakes its one thread when a partition gets a record. It proves nothing: who must know asks the cluster."""

    def __init__(self, cluster: Cluster, topic: str, partition: int) -> None:
        self._consumer: Consumer = reader(
            cluster,
            **{"isolation.level": "read_uncommitted", "auto.offset.reset": "latest", "fetch.wait.max.ms": 5_000},
        )
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_END)])

    def wait(self, timeout_s: float) -> bool:
        """Wait for a record for so long; whether one has come."""
        message = self._consumer.poll(timeout_s)
        if message is not None and message.error() is not None:  # it may come at once, repeatedly
            threading.Event().wait(timeout_s)
            return False
        return message is not None

    def close(self) -> None:
        """Stop."""
        self._consumer.close()
