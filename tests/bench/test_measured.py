"""A run of the bench ends in its time, and has measured what can be measured."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from bench.measured import OutOfTime, measured, within
from bench.parts import Parts
from bench.plan import DEFAULT_MINUTES, plan_for
from bench.sustained import bisected, is_sustained
from exchange.errors import NotFound

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


def test_the_rate_that_is_sustained_is_found_to_a_tenth() -> None:
    class Hops:
        def at(self, rate: float, _seconds: float) -> dict[str, Any]:
            late = rate > 6_400
            return {"observations_per_s": round(rate), "p99_ms": 9_000 if late else 90, "last_p50_ms": 50}

    found = bisected(cast(Any, Hops()), 10_000, 1.0)
    assert 5_600 < found["rate"] <= 6_400
    assert [each["sustained"] for each in found["tried"]].count(True) >= 1


@pytest.mark.parametrize(
    ("p99_ms", "last_ms", "holds"), [(4_900, 300, True), (5_000, 300, False), (4_900, 2_600, False)]
)
def test_a_rate_at_which_it_gets_later_and_later_is_not_sustained(p99_ms: int, last_ms: int, holds: bool) -> None:
    assert is_sustained({"p99_ms": p99_ms, "last_p50_ms": last_ms}) is holds
