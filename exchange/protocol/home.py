"""Writes at home, on the nation's cluster, records to be acknowledged before a transaction on the partner's (law 9)."""

from collections.abc import Sequence
from typing import Final

from exchange.errors import DeliveryTimeout
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import send
from exchange.protocol.log import Home
from exchange.protocol.record import Output

ACKNOWLEDGE_S: Final = 30.0


class HomeWriter(Home):
    """Writes with an idempotent producer."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer = idempotent_producer(cluster)

    def write(self, outputs: Sequence[Output]) -> None:
        """Returns when all of it is acknowledged. Raises DeliveryTimeout if it is not, Unwritable if it never will
        be."""
        failures = send(self._producer, outputs, ACKNOWLEDGE_S).failures
        if failures:
            raise DeliveryTimeout(f"{len(failures)} records not acknowledged at {self._cluster.nation}: {failures[0]}")
