"""A live sensor's sign of life: a report without observations, sequenced and signed as all others.

So a sensor that has nothing to report is distinguished from one that is gone, by the path that its reports take.
"""

import time
from collections.abc import Callable
from typing import Final

from producers.report import report_of
from producers.spool.batch import Sensor
from producers.spool.spool import Spool
from schemas.codec import SENSOR_REPORT, Codec

HEARTBEAT_S: Final = 60.0
_TOOL: Final = "heartbeat"


class Heartbeat:
    """Spools a heartbeat every ``every_s`` seconds; the first one after that time."""

    def __init__(
        self, spool: Spool, sensor: Sensor, codec: Codec, now_ms: Callable[[], int], every_s: float = HEARTBEAT_S
    ) -> None:
        self._spool, self._sensor, self._codec, self._now_ms, self._every_s = spool, sensor, codec, now_ms, every_s
        self._next_at = time.monotonic() + every_s

    def beat(self, now_s: float) -> None:
        """Spool a heartbeat if it is time for one; ``now_s`` is the monotonic clock."""
        if now_s < self._next_at:
            return
        self._next_at = now_s + self._every_s
        now_ms, sensor = self._now_ms(), self._sensor
        report = report_of(
            (),
            nation=sensor.nation,
            sensor=sensor.name,
            epoch=self._spool.epoch,
            sequence=self._spool.next_sequence(),
            produced_at_ms=now_ms,
            tool=_TOOL,
        )
        self._spool.append(
            None, report=(sensor.name.encode(), self._codec.encode(SENSOR_REPORT, report), 0), now_ms=now_ms
        )
