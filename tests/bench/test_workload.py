"""The generated work is what the page says: so many indicators, so often, evenly, from so many sensors."""

from collections import Counter

import pytest

from bench.sensors import sightings
from bench.single import HEADER, decode, singles
from bench.workload import REPORT_SIZE, SENSORS, Shape, Spread, Work, generate
from producers.report import observations_of
from schemas.normalise import Invalid, canonical
from streams.intake.columns import check_columns
from tests.builders import HOME, NOW_MS


def _work(repetition: int, spread: Spread = Spread.ANY, observations: int = 4_000) -> Work:
    return generate(Shape(observations, repetition, spread), nation=HOME, epoch_ms=NOW_MS)


def _values(work: Work) -> list[tuple[str, tuple[int, str]]]:
    """(sensor, canonical indicator) of every observation in order."""
    found = []
    for report in work.reports:
        for row in observations_of(report):
            known = canonical(row.kind, row.value)
            assert not isinstance(known, Invalid), known
            found.append((report["sensor"], (int(known[0]), known[1])))
    return found


@pytest.mark.parametrize("spread", Spread)
@pytest.mark.parametrize("repetition", [1, 10])
def test_each_indicator_is_seen_as_often_as_the_shape_states(repetition: int, spread: Spread) -> None:
    work = _work(repetition, spread)
    seen = Counter(indicator for _, indicator in _values(work))
    assert set(seen.values()) == {repetition}
    assert len(seen) == work.expected.distinct == 4_000 // repetition
    assert sum(seen.values()) == work.expected.sightings == work.observations


def test_the_same_arguments_make_the_same_work() -> None:
    assert _work(10) == _work(10)


def test_another_seed_makes_other_indicators() -> None:
    other = generate(Shape(4_000, 10, seed=2), nation=HOME, epoch_ms=NOW_MS)
    assert not {one for _, one in _values(_work(10))} & {one for _, one in _values(other)}


def test_sightings_are_spread_evenly_over_the_run() -> None:
    """Each tenth of the run sees most of the indicators: reports wait until they are full, so not all."""
    values = [indicator for _, indicator in _values(_work(10, observations=40_000))]
    tenths = [set(values[start : start + 3_000]) for start in range(0, 30_000, 3_000)]
    assert min(len(tenth) for tenth in tenths[1:-3]) > 1_500


def test_any_sensor_means_that_an_indicator_has_many_sources() -> None:
    sources: dict[tuple[int, str], set[str]] = {}
    for sensor, indicator in _values(_work(10)):
        sources.setdefault(indicator, set()).add(sensor)
    assert sum(map(len, sources.values())) / len(sources) > 8


def test_same_sensor_means_that_an_indicator_has_one_source() -> None:
    sources: dict[tuple[int, str], set[str]] = {}
    for sensor, indicator in _values(_work(10, Spread.SAME)):
        sources.setdefault(indicator, set()).add(sensor)
    assert {len(found) for found in sources.values()} == {1}


def test_reports_are_whole_and_numbered_without_gaps() -> None:
    work = _work(10, observations=40_000)
    numbers: dict[str, list[int]] = {}
    for report in work.reports:
        assert check_columns(report) is None
        assert len(report["values"]) <= REPORT_SIZE
        numbers.setdefault(report["sensor"], []).append(report["sequence"])
    assert len(numbers) == SENSORS
    assert all(found == list(range(len(found))) for found in numbers.values())


def test_single_observations_hold_what_the_reports_hold() -> None:
    work = _work(10, observations=2_000)
    rows = [row for report in work.reports for row in observations_of(report)]
    records = [decode(value) for _, value in singles(work)]
    assert [(record["kind"], record["value"]) for record in records] == [(int(row.kind), row.value) for row in rows]
    assert all(value.startswith(HEADER) for _, value in singles(work))


def test_what_is_skewed_has_one_indicator_in_a_hundred_observations_by_all_sensors() -> None:
    work = generate(Shape(4_000, 10, skewed=1), nation=HOME, epoch_ms=NOW_MS)
    values = _values(work)
    [(most, count)] = Counter(indicator for _, indicator in values).most_common(1)
    assert count == 10 + 40
    assert len(values) == work.observations == work.expected.sightings == 4_040
    assert len({sensor for sensor, indicator in values if indicator == most}) > 20


def test_each_of_many_sensors_sees_the_one_indicator_equally_often() -> None:
    values = _values(sightings(40, 200, 1, NOW_MS))
    assert len({indicator for _, indicator in values}) == 1
    assert set(Counter(sensor for sensor, _ in values).values()) == {5}
