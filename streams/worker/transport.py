"""Faust's Kafka consumer, forced to ``read_committed``.

Outside of its own exactly-once mode, which is not to be used (ADR 2), Faust reads uncommitted: a report of a sensor
that aborted its transaction would be counted.
"""

import logging
from typing import Any, ClassVar

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types.transports import ConsumerT

logging.getLogger(__name__).setLevel(logging.WARNING)  # Faust's services log their life under their class's module


class CommittedConsumerThread(AIOKafkaConsumerThread):
    """The thread that holds the client."""

    def _create_worker_consumer(self, transport: Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001  # Faust takes no argument for it; both are pinned
        return consumer


class CommittedConsumer(Consumer):
    """Faust's consumer with that thread."""

    def _new_consumer_thread(self) -> CommittedConsumerThread:
        return CommittedConsumerThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(Transport):
    """The transport that an application is given."""

    Consumer: ClassVar[type[ConsumerT]] = CommittedConsumer
