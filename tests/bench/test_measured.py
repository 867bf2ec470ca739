"""A run of the bench ends in its time, and has measured what can be measured."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.latency import ProbesLate, measuring
from bench.measured import OutOfTime, measured, within
from bench.parts import Parts
from bench.plan import DEFAULT_MINUTES, plan_for
from bench.role import Role
from bench.stand import Stand
from bench.sustained import bisected, found, is_sustained, stepped_down
from exchange.errors import FatalError, NotFound
from exchange.settings import Settings

PLAN = plan_for(DEFAULT_MINUTES, observations=None, rounds=None, seed=1)


class Stubs:
    """Parts by name."""

    def __init__(self, parts: Mapping[str, Callable[[], object]]) -> None:
        self._parts, self.closed = parts, 0

    def measure(self, part: str) -> object:
        return self._parts[part]()

    def close(self) -> None:
        self.closed += 1


def _failing() -> object:
    raise ValueError("a broker is gone")


def _missing() -> object:
    raise NotFound("no such package")


def _run(parts: Stubs, *names: str, total_s: float = 1_000.0) -> dict[str, Any]:
    return dict(measured(replace(PLAN, parts=names), cast(Parts, parts), total_s))


def test_a_part_that_fails_is_named_and_the_next_one_is_measured_on_new_brokers() -> None:
    parts = Stubs({"idle": _failing, "skew": lambda: {"runs": []}})
    found = _run(parts, "idle", "skew")
    assert found["idle"] == {"void": "ValueError: a broker is gone"}
    assert found["skew"]["data"] == {"runs": []}
    assert parts.closed == 1


def test_what_cannot_be_installed_is_left_out_and_no_failure() -> None:
    assert _run(Stubs({"quix": _missing}), "quix") == {}


def test_a_part_for_which_no_time_is_left_is_not_begun() -> None:
    assert _run(Stubs({"idle": _failing}), "idle", total_s=1.0) == {"idle": {"void": "no time was left for it"}}


def test_what_takes_too_long_is_stopped() -> None:
    began = time.monotonic()
    with pytest.raises(OutOfTime), within(0.05):
        time.sleep(20)
    assert time.monotonic() - began < 10


@given(st.floats(0.11, 0.59))
def test_the_rate_that_is_sustained_is_found_to_a_quarter(part: float) -> None:
    limit = 10_000 * part

    class Hops:
        def at(self, rate: float, _seconds: float) -> dict[str, Any]:
            if rate > 2 * limit:
                raise ProbesLate("5 of 150 probes have not arrived after 60 s")
            late = rate > limit
            return {"observations_per_s": round(rate), "p99_ms": 9_000 if late else 90, "p50_ms": 50, "last_p50_ms": 50}

    tried = bisected(cast(Any, Hops()), 10_000, 10.0)
    assert limit / 1.26 <= found(tried, 10_000) <= limit + 1
    assert found([{**run, "sustained": False} for run in tried], 10_000) == 1_000


@pytest.mark.parametrize(
    ("p99_ms", "median_ms", "last_ms", "for_s", "holds"),
    [
        (4_999, 400, 400, 180, True),
        (5_000, 400, 400, 180, False),
        (4_900, 600, 500, 180, True),
        (4_900, 400, 500, 180, True),
        (4_900, 400, 550, 180, False),
        (4_900, 400, 550, 150, True),
    ],
)
def test_a_rate_at_which_it_would_be_late_after_minutes_is_not_sustained(
    p99_ms: int, median_ms: int, last_ms: int, for_s: float, holds: bool
) -> None:
    run = {"p99_ms": p99_ms, "p50_ms": median_ms, "last_p50_ms": last_ms}
    assert is_sustained(run, 15, for_s) is holds


def test_a_rate_that_does_not_hold_in_each_minute_is_left_at_once_for_a_lower_one() -> None:
    begun: list[tuple[float, int]] = []
    ended: list[float] = []

    def run(rate: float) -> Generator[dict[str, Any], None, None]:
        try:
            for minute in (1, 2, 3):
                begun.append((rate, minute))
                yield {
                    "minute": minute,
                    "observations_per_s": round(rate),
                    "p99_ms": 6_000 if rate > 800 and minute == 2 else 90,
                    "p50_ms": 50,
                    "last_p50_ms": 50,
                }
        finally:
            ended.append(rate)

    tried = stepped_down(run, 1_000, 3)
    assert [[entry["minute"] for entry in each["minutes"]] for each in tried] == [[1, 2], [1, 2], [1, 2, 3]]
    assert [(each["rate"], len(each["minutes"])) for each in tried] == [(1_000, 2), (850, 2), (722, 3)]
    assert [minute for _, minute in begun] == [1, 2, 1, 2, 1, 2, 3]
    assert len(ended) == 3
    assert [entry["sustained"] for entry in tried[-1]["minutes"]] == [True] * 3


def test_the_search_ends_without_a_rate_if_none_holds() -> None:
    def run(rate: float) -> Generator[dict[str, Any], None, None]:
        if rate > 800:
            raise ProbesLate("5 of 590 probes have not arrived after 60 s")
        yield {"minute": 1, "observations_per_s": round(rate), "p99_ms": 6_000, "p50_ms": 50, "last_p50_ms": 50}

    with pytest.raises(FatalError, match="1,000, 700, 595, 506, 430 observations/s"):
        stepped_down(run, 1_000, 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_latency_is_measured_with_the_roll_up_of_a_worker_that_was_not_told_otherwise(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Started(Exception):
        pass

    def start(_name: str, _arguments: Sequence[str], environment: Mapping[str, str], _folder: Path) -> None:
        assert environment["KAKEHASHI_ROLL_UP_MS"] == str(Settings().roll_up_ms)
        raise Started

    monkeypatch.setattr(Role, "start", start)
    monkeypatch.setattr(Stand, "refresh", lambda _stand: None)
    with pytest.raises(Started), measuring(Stand({}, Path()), 0, workers):
        pass
