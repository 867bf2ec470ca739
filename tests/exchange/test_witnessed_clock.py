"""A process is never at a time that its broker has not reached, whichever of the two clocks is wrong (ADR 44)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.kafka.broker_time import BrokerTime
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from exchange.witnessed_clock import TOLERANCE_MS, WitnessedClock
from schemas import topics
from tests.builders import DAY_MS, NOW_MS
from tests.conftest import Brokers

YEARS_MS = 3 * 365 * DAY_MS
ERRORS = st.sampled_from([0, 1_000, -1_000, DAY_MS, -DAY_MS, YEARS_MS, -YEARS_MS])


class Machines:
    """The true time, and what a worker's and a broker's clock show of it."""

    def __init__(self) -> None:
        self.true_ms, self.worker_is_off, self.broker_is_off = NOW_MS, 0, 0
        self.clock = WitnessedClock(lambda: self.true_ms + self.worker_is_off, lambda: self.true_ms - NOW_MS)

    def look(self) -> None:
        """The worker sees the broker's clock."""
        self.clock.witness(self.true_ms + self.broker_is_off)


def test_a_clock_three_years_ahead_moves_nothing() -> None:
    machines = Machines()
    machines.look()
    machines.worker_is_off = YEARS_MS
    machines.true_ms += 5_000
    assert machines.clock() == machines.true_ms + TOLERANCE_MS
    assert machines.clock.ahead_ms() == YEARS_MS


def test_a_broker_three_years_ahead_moves_nothing() -> None:
    machines = Machines()
    machines.broker_is_off = YEARS_MS
    machines.look()
    assert machines.clock() == machines.true_ms
    assert machines.clock.ahead_ms() == -YEARS_MS


def test_a_broker_that_is_away_goes_on_as_it_was_seen_last() -> None:
    machines = Machines()
    machines.look()
    machines.true_ms += 9 * DAY_MS
    assert machines.clock() == machines.true_ms


def test_there_is_no_time_before_the_broker_was_seen() -> None:
    with pytest.raises(RuntimeError, match="not seen"):
        Machines().clock()


@given(
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 2 * DAY_MS), ERRORS, st.booleans()), min_size=1, max_size=30),
)
def test_as_long_as_one_of_the_two_is_right_time_is_never_ahead(
    worker_is_wrong: bool, life: Sequence[tuple[int, int, bool]]
) -> None:
    machines = Machines()
    machines.look()
    for passes_ms, error_ms, looks in life:
        machines.true_ms += passes_ms
        if worker_is_wrong:
            machines.worker_is_off = error_ms
        else:
            machines.broker_is_off = error_ms
        if looks:
            machines.look()
        assert machines.clock() <= machines.true_ms + TOLERANCE_MS


def test_a_broker_shows_its_clock(brokers: Brokers) -> None:
    cluster = Cluster("GBR", brokers.gbr)
    readings = [each for each in topics.topics_of("GBR", ("JPN",), 1) if each.name == topics.POLICY_READINGS]
    ensure_topics(cluster, readings)
    broker = BrokerTime(cluster)
    broker.look()
    assert abs(broker.clock.ahead_ms()) < 2_000
