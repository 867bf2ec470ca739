"""The bench's own arithmetic: a wrong figure is worse than none."""

import sys
from dataclasses import replace

import pytest

from bench.batch_sizes import times_backlog
from bench.goals import goals
from bench.latency import percentile, summary
from bench.outcome import Outcome, wrong
from bench.plan import APART, DEFAULT_MINUTES, PARTS, SECONDS, plan_for
from bench.results import ratios
from bench.run import Run
from bench.sampled import grouped, place_of
from bench.tables import cell, table
from bench.workload import Expected

_NOTHING = Outcome(0, 0, 0, 0)


def _run(what: str, rate: float, **changes: object) -> Run:
    run = Run(what, "10:1", 1000, 1000 / rate, 1.0, 0.5, 0.5, 1 << 20, 3, _NOTHING, _NOTHING, "")
    return replace(run, **changes)  # type: ignore[arg-type]  # names of fields


def test_a_rate_is_observations_by_the_seconds_until_absorbed() -> None:
    run = _run("pipeline", 500)
    assert run.rate == 500
    assert run.rate_with_roll_ups == 1000 / 2.5
    assert run.cpu_us == 2000


def test_ratios_are_taken_within_a_round_and_their_median_over_the_rounds() -> None:
    rounds = [
        [_run("plain Faust agent", 100), _run("pipeline", 1000), _run("hand-written loop", 2000)],
        [_run("plain Faust agent", 10), _run("pipeline", 400), _run("hand-written loop", 500)],
        [_run("plain Faust agent", 50), _run("pipeline", 1000), _run("hand-written loop", 2000)],
    ]
    (found,) = ratios(rounds)
    assert found["times the plain agent"] == 20
    assert found["part of the ceiling"] == 0.5
    assert found["pipeline"] == 1000
    assert found["rounds"] == 3


def test_a_round_with_a_void_run_counts_for_nothing() -> None:
    good = [_run("plain Faust agent", 100), _run("pipeline", 1000)]
    bad = [_run("plain Faust agent", 100), _run("pipeline", 9000, void="lost one")]
    (found,) = ratios([good, bad])
    assert (found["rounds"], found["pipeline"]) == (1, 1000)


def test_an_outcome_that_is_not_what_was_generated_is_named() -> None:
    expected = Expected(distinct=2, sightings=20, released=1, released_sightings=10)
    right = Outcome(5, 500, 2, 20)
    assert wrong(expected, right, Outcome(3, 300, 1, 10)) == ""
    assert "21 sightings" in wrong(expected, replace(right, sightings=21), Outcome(3, 300, 1, 10))
    assert "released has 0 indicators" in wrong(expected, right, _NOTHING)
    unknown = replace(expected, released=None, released_sightings=None)
    assert wrong(unknown, right, _NOTHING) == ""


@pytest.mark.parametrize(("percent", "found"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_percentiles_are_nearest_rank(percent: int, found: int) -> None:
    assert percentile(list(range(1, 101)), percent) == found


def test_few_values_have_percentiles_too() -> None:
    assert summary([3.0]) == {"probes": 1, "p50_ms": 3, "p99_ms": 3, "max_ms": 3}
    assert summary([5.0, 1.0])["p50_ms"] == 1


def test_a_short_run_has_less_work_than_a_whole_one_and_is_stopped_sooner() -> None:
    whole = plan_for(DEFAULT_MINUTES, observations=None, rounds=None, seed=1)
    short = plan_for(2, observations=None, rounds=None, seed=1)
    assert short.observations < whole.observations
    assert plan_for(2, observations=7_000, rounds=3, seed=1).observations == 7_000
    assert all(short.bound_s(part) <= whole.bound_s(part) for part in PARTS)


def test_all_parts_of_a_whole_run_have_the_time_that_it_may_take() -> None:
    plan = plan_for(DEFAULT_MINUTES, observations=None, rounds=None, seed=1)
    assert set(plan.parts) == set(PARTS) - set(APART)
    assert sum(SECONDS[part] for part in plan.parts) <= DEFAULT_MINUTES * 60


def test_the_plain_agent_gets_the_same_work_smaller() -> None:
    plan = plan_for(DEFAULT_MINUTES, observations=100_000, rounds=None, seed=1)
    for shape, _ in plan.pipeline_shapes():
        small = plan.plain_shape(shape)
        assert (small.repetition, small.spread) == (shape.repetition, shape.spread)
        assert small.observations == pytest.approx(shape.observations * plan.plain_part, rel=0.01)


def test_a_place_belongs_to_the_first_group_that_names_it() -> None:
    shares = {("a.py", "f → encode"): 1.0, ("a.py", "f"): 2.0, ("b/c.py", "g"): 4.0, ("elsewhere", ""): 8.0}
    groups = {"encode": ("a.py:f → *",), "a": ("a.py",), "b": ("b/*",)}
    assert grouped(shares, groups) == {"encode": 1.0, "a": 2.0, "b": 4.0, "other": 8.0}


def test_a_sample_outside_of_the_project_is_somewhere_else() -> None:
    assert place_of(None) == ("elsewhere", "")
    assert place_of(sys._getframe()) == ("elsewhere", "")


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (12345, "12\u202f345"), (0.31, "0.31"), (1234.6, "1\u202f235"), ("a", "a")]
)
def test_cells_are_shown_as_people_read_them(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_columns_of_numbers_stand_to_the_right() -> None:
    assert table(["what", "rate"], [["x", 1], ["y", None]]).splitlines()[1] == "|---|---:|"


def test_a_goal_is_met_or_short_or_not_measured() -> None:
    runs = [{"load": 0.0, "p99_ms": 79}, {"load": 0.5, "p99_ms": 3972}, {"load": 0.8, "p99_ms": 1}]
    latency = {"data": {"runs": runs}}
    ratio = {"work": "10:1, any sensor", "pipeline": 100_000, "times the plain agent": 24.9}
    lines = goals({"latency": latency, "throughput": {"data": {"ratios": [ratio]}}}).splitlines()[2:]
    assert [line.strip("| ").split(" | ")[-3:] for line in lines] == [
        ["≥ 100\u202f000", "100\u202f000", "met"],
        ["≥ 100\u202f000", "–", "–"],
        ["≥ 25", "24.9", "short"],
        ["≥ 0.5", "–", "–"],
        ["≥ 0.75", "–", "–"],
        ["≤ 80", "79", "met"],
        ["≤ 500", "3\u202f972", "short"],
        ["≤ 1\u202f000", "1", "met"],
    ]


def test_a_small_batch_is_compared_with_the_largest_one_of_the_same_reports() -> None:
    costs = [(10, 1, 60.0), (10, 50, 20.0), (500, 1, 30.0), (500, 2, 29.0), (500, 50, 20.0)]
    data = [
        {"report_size": size, "reports": reports, "intake_us": 0.25 * us, "correlate_us": 0.75 * us}
        for size, reports, us in costs
    ]
    assert list(times_backlog(data)) == [(10, 3.0), (500, 1.5)]
    page = goals({"batches": {"data": data}, "idle": {"data": {"worker_percent": 2.0}}})
    assert [line.split("|")[4].strip() for line in page.splitlines()[2:]] == ["short", "met", "short"]
