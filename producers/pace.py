"""Holds a rate of observations over a whole run."""

import time
from typing import Final

_STEPS_PER_SECOND: Final = 4


class Pace:
    """At most ``rate`` observations a second, 0 for no limit; ``report_size`` follows from it."""

    def __init__(self, rate: int, report_size: int) -> None:
        self._rate, self._began = rate, time.monotonic()
        self.report_size = min(report_size, max(1, rate // _STEPS_PER_SECOND)) if rate else report_size

    def is_ahead(self, observations: int) -> bool:
        """Whether this number of observations is more than the rate allows by now."""
        return self._rate > 0 and observations > self._rate * (time.monotonic() - self._began)
