"""Publishes reports when they are due, while something else is measured."""

import threading
import time
from collections.abc import Sequence
from typing import Self

from bench.stand import Stand
from bench.stream import Due
from exchange.kafka.clients import idempotent_producer
from schemas import topics


class Load:
    """Publishes these reports from a thread while the block runs."""

    def __init__(self, stand: Stand, reports: Sequence[Due]) -> None:
        self._stand, self._reports = stand, reports
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self.sent = 0
        """Observations so far."""

    def __enter__(self) -> Self:
        if self._reports:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._reports:
            self._thread.join()

    def _publish(self) -> None:
        producer = idempotent_producer(self._stand.home)
        began = time.monotonic()
        for report in self._reports:
            if self._stopping.wait(max(0.0, began + report.at_s - time.monotonic())):
                break
            record = report.record
            producer.produce(topics.SENSOR_REPORTS, record.value, record.key, record.partition)
            producer.poll(0)
            self.sent += report.observations
        producer.flush(30)
