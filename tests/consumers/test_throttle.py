"""A shard of a bridge has its part of the link's rate, by the time of day, and reports how long records waited."""

from consumers.bridge.throttle import Throttle
from exchange.bandwidth import Schedule

HOUR_MS = 3_600_000


class Noted:
    """The reports of a throttle."""

    def __init__(self) -> None:
        self.rate: int | None = -1
        self.waited_s = 0.0

    def __call__(self, rate: int | None, waited_s: float) -> None:
        self.rate = rate
        self.waited_s += waited_s


def test_each_shard_has_an_equal_part_of_the_links_rate() -> None:
    reported = Noted()
    throttle = Throttle(Schedule.parse("8kB/s"), 4, reported)
    assert throttle.allowed(0, 0.0) == 2_000
    throttle.spend(2_500)
    assert throttle.allowed(0, 0.0) == 0
    assert throttle.held(0.0, something=True) == 0.25
    assert throttle.allowed(0, 0.5) == 500
    assert (reported.rate, reported.waited_s) == (8_000, 0.5)


def test_without_a_limit_nothing_is_counted_and_one_that_begins_owes_nothing() -> None:
    reported = Noted()
    throttle = Throttle(Schedule.parse("00:00-06:00=unlimited,06:00-24:00=1kB/s"), 1, reported)
    assert throttle.allowed(0, 0.0) is None
    throttle.spend(10**9)
    assert reported.rate is None
    assert throttle.allowed(6 * HOUR_MS, 1.0) == 1_000
    throttle.spend(5_000)
    assert throttle.allowed(7 * HOUR_MS, 1.0) == 0
    assert throttle.allowed(24 * HOUR_MS, 1.0) is None


def test_a_used_up_rate_is_kept_even_if_nothing_seems_to_wait() -> None:
    reported = Noted()
    throttle = Throttle(Schedule.parse("1kB/s"), 1, reported)
    assert throttle.allowed(0, 0.0) == 1_000
    throttle.spend(1_500)
    assert throttle.allowed(0, 0.0) == 0
    assert throttle.held(0.0, something=False) == 0.5
    assert throttle.allowed(0, 0.25) == 0
    assert reported.waited_s == 0
