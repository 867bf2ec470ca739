"""The load of latency is what the page says: an even stream, in which each indicator is seen ten times."""

from collections import Counter
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stream import SIGHTINGS, Due, reports, sightings
from bench.workload import REPORT_SIZE, SENSORS
from producers.report import observations_of
from schemas.codec import SENSOR_REPORT, Codec
from schemas.records import SensorReport
from tests.builders import NOW_MS

RATES = st.floats(200, 2_000)
LIVES = st.floats(5, 20)


@given(RATES, LIVES)
def test_after_one_life_one_observation_in_ten_is_of_a_new_indicator(rate: float, life_s: float) -> None:
    seen = [(round(at_s * rate), again) for at_s, _, again in sightings(rate, life_s, 2 * life_s)]
    even = [again for place, again in seen if place >= rate * life_s]
    assert all(again == place % SIGHTINGS for place, again in seen)
    assert len(even) >= rate * life_s - 2 * SIGHTINGS
    whole = len(even) // SIGHTINGS * SIGHTINGS
    assert set(Counter(even[:whole]).values()) <= {whole // SIGHTINGS}


@given(RATES, LIVES)
def test_an_indicator_is_seen_ten_times_evenly_over_its_life(rate: float, life_s: float) -> None:
    times: dict[int, list[float]] = {}
    for at_s, number, again in sightings(rate, life_s, 2 * life_s):
        assert len(times.setdefault(number, [])) == again
        times[number].append(at_s)
    first = times[0]
    assert len(first) == SIGHTINGS
    waits = [later - earlier for earlier, later in pairwise(first)]
    assert max(waits) - min(waits) < 1e-6
    assert abs(first[-1] - life_s * 0.9) <= 9 * 6 / rate, "a life is rounded to whole blocks of ten"


def test_a_stream_builds_up_at_the_rate_of_new_indicators() -> None:
    per_life = Counter(int(at_s) for at_s, _, _ in sightings(100, 10, 20))
    assert [per_life[second] for second in (0, 5, 9, 10, 19)] == [10, 60, 100, 100, 100]


@pytest.fixture(scope="module")
def stream() -> list[Due]:
    return list(reports(2_000, 10, 25, NOW_MS, 7))


def test_reports_are_due_one_by_one_from_the_beginning(stream: list[Due]) -> None:
    due = [report.at_s for report in stream]
    assert due == sorted(due)
    per_second = Counter(int(at_s) for at_s in due)
    assert max(per_second.values()) <= 3 * 2_000 // REPORT_SIZE
    assert min(per_second[second] for second in range(9, 24)) >= 1


def test_a_report_has_what_it_states_and_all_sensors_send_in_order(stream: list[Due]) -> None:
    codec, sequences = Codec(), dict[str, int]()
    for each in stream:
        report = cast("SensorReport", codec.decode(SENSOR_REPORT, each.record.value))
        assert len(list(observations_of(report))) == each.observations <= REPORT_SIZE
        name = report["sensor"]
        assert report["sequence"] == sequences.get(name, 0)
        sequences[name] = sequences.get(name, 0) + 1
    assert len(sequences) == SENSORS


def test_a_stream_is_the_same_again_and_another_has_other_sensors(stream: list[Due]) -> None:
    assert list(reports(2_000, 10, 25, NOW_MS, 7)) == stream
    other = reports(2_000, 10, 25, NOW_MS, 8)
    assert not {each.record.key for each in other} & {each.record.key for each in stream}
    assert reports(0, 10, 25, NOW_MS, 7) == []
