"""Limits one shard of a bridge's bulk to its part of the link's rate, and reports it."""

from collections.abc import Callable
from typing import Final

from exchange.bandwidth import Bucket, Schedule

Report = Callable[[int | None, float], None]
"""Receives the link's rate, bytes a second or None, and for how many seconds records waited for it."""
AT_LEAST_S: Final = 0.001


class Throttle:
    """Each shard has an equal part of the link's rate: ids are spread evenly, so shards need not coordinate."""

    def __init__(self, schedule: Schedule, shards: int, report: Report) -> None:
        self._schedule, self._shards, self._report = schedule, shards, report
        self._bucket: Bucket | None = None
        self._rate = 0.0
        self._held_since_s: float | None = None

    def allowed(self, now_ms: int, now_s: float) -> int | None:
        """How many bytes may go now, None without a limit. ``now_ms`` is the time of day, ``now_s`` monotonic."""
        rate = self._schedule.rate_at(now_ms)
        waited_s = 0.0 if self._held_since_s is None else now_s - self._held_since_s
        self._held_since_s = None
        self._report(rate, waited_s)
        if rate is None:
            self._bucket = None
            return None
        self._rate = rate / self._shards
        # A new limit begins with an empty bucket.
        self._bucket = (self._bucket or Bucket(self._rate, now_s)).filled(now_s, self._rate)
        return max(0, int(self._bucket.tokens))

    def held(self, now_s: float, *, something: bool) -> float:
        """Nothing may be sent from now on; returns for how many seconds. If ``something`` waits, that is reported."""
        self._held_since_s = now_s if something else None
        return 0.0 if self._bucket is None else max(AT_LEAST_S, self._bucket.wait_s(self._rate))

    def spend(self, size: int) -> None:
        """Take this many bytes from the bucket."""
        if self._bucket is not None:
            self._bucket = self._bucket.spent(size)
