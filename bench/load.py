"""Publishes reports at an even rate while something else is measured."""

import threading
import time
from collections.abc import Sequence
from typing import Final, Self

from bench.publish import Sending, encoded
from bench.stand import HOME, Stand
from bench.workload import REPORT_SIZE, SENSORS, Shape, generate
from exchange.kafka.clients import idempotent_producer
from schemas import topics

_MORE: Final = 1.2  # than will be needed


def records_at(rate: float, seconds: float, now_ms: int, number: int) -> list[Sending]:
    """Reports of 500 at 10:1, any sensor, enough for so long at ``rate`` observations a second; none for a rate of 0.

    Each ``number`` has sensors and indicators of its own.
    """
    if not rate:
        return []
    shape = Shape(max(REPORT_SIZE * SENSORS, int(rate * seconds * _MORE)), 10, seed=100 + number)
    return encoded(generate(shape, nation=HOME, epoch_ms=now_ms, sensor_prefix=f"load-{number}"))


class Load:
    """Publishes these reports at ``rate`` observations a second, from a thread, while the block runs."""

    def __init__(self, stand: Stand, rate: float, records: Sequence[Sending]) -> None:
        self._stand, self._rate, self._records = stand, rate, records
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self.sent = 0
        """Reports so far."""

    def __enter__(self) -> Self:
        if self._records:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._records:
            self._thread.join()

    def _publish(self) -> None:
        producer = idempotent_producer(self._stand.home)
        began = time.monotonic()
        for record in self._records:
            due = began + self.sent * REPORT_SIZE / self._rate
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                break
            producer.produce(topics.SENSOR_REPORTS, record.value, record.key, record.partition)
            producer.poll(0)
            self.sent += 1
        producer.flush(30)
