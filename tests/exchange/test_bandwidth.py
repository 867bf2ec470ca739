"""A limit of bandwidth: what can be written down, what is refused, and that a bucket lets no more through."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bandwidth import BURST_S, Bucket, Schedule
from exchange.errors import ConfigurationError
from exchange.settings import Settings

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


def test_a_rate_by_itself_holds_all_day() -> None:
    for time_ms in (0, DAY_MS - 1, 20_000 * DAY_MS + 13 * HOUR_MS):
        assert Schedule.parse("2MB/s").rate_at(time_ms) == 2_000_000
        assert Schedule.parse("unlimited").rate_at(time_ms) is None


def test_a_window_holds_from_its_first_minute_until_the_next_one_begins() -> None:
    schedule = Schedule.parse("00:00-06:30=unlimited, 06:30-18:00=250kB/s, 18:00-24:00=1GB/s")
    day_ms = 20_000 * DAY_MS
    assert schedule.rate_at(day_ms) is None
    assert schedule.rate_at(day_ms + 6 * HOUR_MS + 30 * MINUTE_MS - 1) is None
    assert schedule.rate_at(day_ms + 6 * HOUR_MS + 30 * MINUTE_MS) == 250_000
    assert schedule.rate_at(day_ms + DAY_MS - 1) == 1_000_000_000


@pytest.mark.parametrize("text", ["unlimited", "1kB/s", "2MB/s", "00:00-06:00=unlimited,06:00-24:00=1500kB/s"])
def test_it_is_shown_as_it_is_written(text: str) -> None:
    assert str(Schedule.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0MB/s", "no rate"),
        ("2 MB/s", "no rate"),
        ("2Mb/s", "no rate"),
        ("-1kB/s", "no rate"),
        ("2000000", "no rate"),
        ("", "no rate"),
        ("00:00-06:00=1MB/s", "nothing is said of 06:00 to 24:00"),
        ("06:00-24:00=1MB/s", "00:00 is followed by 06:00"),
        ("00:00-08:00=1MB/s,06:00-24:00=2MB/s", "08:00 is followed by 06:00"),
        ("00:00-08:00=1MB/s,09:00-24:00=2MB/s", "08:00 is followed by 09:00"),
        ("22:00-06:00=1MB/s,06:00-22:00=2MB/s", "two"),
        ("00:00-24:01=1MB/s", "no time of day"),
        ("0:00-24:00=1MB/s", "no time of day"),
        ("00:00=1MB/s", "no window"),
        ("00:00-24:00=1MB/s,", "no window"),
    ],
)
def test_what_is_no_schedule_stops_a_start_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Schedule.parse(text)
    if text:
        with pytest.raises(ConfigurationError, match=f"KAKEHASHI_BRIDGE_RATE={text}: .*{why}"):
            Settings.from_env({"KAKEHASHI_BRIDGE_RATE": text})


def test_the_setting_is_read() -> None:
    assert Settings.from_env({"KAKEHASHI_BRIDGE_RATE": " 3kB/s "}).bridge_rate == Schedule.parse("3kB/s")
    assert Settings.from_env({}).bridge_rate.rate_at(0) is None


@given(
    st.integers(1, 10**9),
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 10**6)), max_size=30),
)
def test_no_more_goes_than_the_rate_and_one_burst_and_what_overdraws_it_once(
    rate: int, wishes: list[tuple[float, int]]
) -> None:
    bucket, now_s, sent, largest = Bucket(rate, 0.0), 0.0, 0, 0
    for pause_s, size in wishes:
        now_s += pause_s
        bucket = bucket.filled(now_s, rate)
        if not bucket.wait_s(rate):
            bucket, sent, largest = bucket.spent(size), sent + size, max(largest, size)
    assert sent <= rate * (now_s + BURST_S) * (1 + 1e-9) + largest


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_after_the_wait_that_it_states_something_may_go(rate: int, size: int) -> None:
    empty = Bucket(0.0, 0.0).spent(size)
    assert empty.filled(empty.wait_s(rate) * (1 + 1e-9) + 1e-6, rate).tokens > 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    assert Bucket(5.0, 10.0).filled(3.0, 1000).tokens == 5.0
