"""Publishes reports when they are due, while something else is measured."""

import threading
import time
from collections.abc import Sequence
from typing import Self

from bench.stand import Stand
from bench.stream import Due
from exchange.errors import DeliveryTimeout, FatalError
from exchange.kafka.clients import idempotent_producer
from schemas import topics


class Load:
    """Publishes these reports from a thread while the block runs."""

    def __init__(self, stand: Stand, reports: Sequence[Due]) -> None:
        self._stand, self._reports = stand, reports
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._failed: Exception | None = None
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

    def check(self) -> None:
        """Raise FatalError if not all was sent that was due: what was measured had less beside it."""
        if self._failed is not None:
            raise FatalError(f"the load ended: {self._failed}") from self._failed
        if self._reports and not self._thread.is_alive():
            raise FatalError(f"all {len(self._reports)} reports of the load were sent before the measurement ended")

    def _live(self) -> None:
        try:
            self._publish()
        except Exception as error:  # it is raised by ``check``, in the thread that measures
            self._failed = error

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
        if unsent := producer.flush(30):
            raise DeliveryTimeout(f"{unsent} reports were not acknowledged")
