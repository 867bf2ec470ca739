"""What became of what a sensor reported: the same in every order, weighted by age, and nothing that is not its own."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.quality.score import ONE, Corroborated, Score, Scores, corroborated
from exchange.metrics.labels import SensorShare
from schemas.records import Indicator, Quarantined
from schemas.vocabulary import NOT_AUTHENTIC
from tests.builders import DAY_MS, HOUR_MS, NOW_MS, a_quarantined, a_source, an_indicator

HALF_LIFE_MS = 30 * DAY_MS


def source(sensor: str, first_ms: int = NOW_MS, last_ms: int = NOW_MS) -> Any:
    return a_source(sensor=sensor, first_seen_ms=first_ms, last_seen_ms=last_ms)


def scored(*records: Indicator, disputed: str = "", refused: tuple[Quarantined, ...] = ()) -> Scores:
    scores = Scores(NOW_MS, HALF_LIFE_MS)
    for record in records:
        scores.add_indicator(record, NOW_MS, disputed)
    for entry in refused:
        scores.add_refusal(entry)
    return scores


def test_the_sensor_with_the_earliest_sighting_was_first_and_the_others_came_behind() -> None:
    record = an_indicator(sources=[source("a", NOW_MS - 2 * HOUR_MS), source("b", NOW_MS - HOUR_MS), source("c")])
    found = scored(record).by_sensor
    assert {name: each.first for name, each in found.items()} == {"a": ONE, "b": 0, "c": 0}
    assert {name: each.corroborated for name, each in found.items()} == {
        "a": {"hour": ONE},
        "b": {"already": ONE},
        "c": {"already": ONE},
    }


def test_a_sensor_that_is_alone_is_first_and_not_corroborated() -> None:
    alone = scored(an_indicator(sources=[source("a")])).by_sensor["a"]
    assert (alone.share(SensorShare.FIRST), alone.share(SensorShare.CORROBORATED)) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("behind_ms", "when"),
    [
        (-1, Corroborated.ALREADY),
        (0, Corroborated.HOUR),
        (HOUR_MS, Corroborated.HOUR),
        (HOUR_MS + 1, Corroborated.DAY),
        (DAY_MS + 1, Corroborated.WEEK),
        (7 * DAY_MS + 1, Corroborated.LATER),
    ],
)
def test_it_is_stated_when_another_sensor_confirmed_it(behind_ms: int, when: Corroborated) -> None:
    assert corroborated(NOW_MS, NOW_MS + behind_ms) is when


@pytest.mark.parametrize(("days", "weight"), [(-3, ONE), (0, ONE), (30, ONE // 2), (60, ONE // 4), (9_000, 0)])
def test_what_happened_weighs_half_after_each_half_life(days: int, weight: int) -> None:
    assert Scores(NOW_MS, HALF_LIFE_MS).weight(NOW_MS - days * DAY_MS) == weight


def test_no_sensor_gains_by_a_time_in_the_future() -> None:
    ahead = source("a", NOW_MS + DAY_MS, NOW_MS + 9_000 * DAY_MS)
    scores = Scores(NOW_MS, HALF_LIFE_MS)
    scores.add_indicator(an_indicator(sources=[ahead]), NOW_MS - 30 * DAY_MS)
    assert scores.by_sensor["a"].indicators == ONE // 2, "the record's time counts"


def test_what_is_revoked_or_disputed_counts_against_all_that_report_it() -> None:
    both = [source("a"), source("b")]
    found = scored(an_indicator(sources=both, kind="revoked"), an_indicator(sources=both), disputed="outdated")
    assert found.by_sensor["a"] == found.by_sensor["b"]
    assert found.by_sensor["a"].share(SensorShare.REVOKED) == 0.5
    assert found.by_sensor["a"].disputed == {"outdated": 2 * ONE}


def test_what_others_sent_in_its_name_is_listed_and_does_not_count_against_it() -> None:
    reasons = ("invalid-value", "bad-signature", "revoked-key")
    refused = tuple(a_quarantined(reason=reason, sensor="edge-1") for reason in reasons)
    score = scored(an_indicator(), refused=refused).by_sensor["edge-1"]
    assert score.refused == dict.fromkeys(reasons, ONE)
    assert score.share(SensorShare.REFUSED) == 0.5
    assert score.not_authentic == 2 * ONE
    assert {"bad-signature", "revoked-key"} <= {str(each) for each in NOT_AUTHENTIC}


def test_what_was_refused_behind_intake_is_not_the_sensors() -> None:
    entries = (a_quarantined(stage="bridge"), a_quarantined(stage="correlate"), a_quarantined(sensor=""))
    assert scored(refused=entries).by_sensor == {}


SENSORS = st.sampled_from(["a", "b", "c", "d"])
SOURCES = st.dictionaries(SENSORS, st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1)
RECORDS = st.lists(st.tuples(SOURCES, st.sampled_from(["content", "expired", "revoked"]), st.booleans()), max_size=6)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_scores_are_the_same_in_every_order_and_in_parts(records: list[Any], random: Random) -> None:
    made = []
    for sources, kind, is_disputed in records:
        listed = [source(name, NOW_MS - a * DAY_MS, NOW_MS - b * DAY_MS) for name, (a, b) in sources.items()]
        made.append((an_indicator(sources=listed, kind=kind), "outdated" if is_disputed else ""))
    whole, parts = Scores(NOW_MS, HALF_LIFE_MS), dict[str, Score]()
    for record, disputed in made:
        whole.add_indicator(record, NOW_MS, disputed)
    random.shuffle(made)
    for record, disputed in made:
        part = Scores(NOW_MS, HALF_LIFE_MS)
        part.add_indicator(record, NOW_MS, disputed)
        for sensor, score in part.by_sensor.items():
            parts.setdefault(sensor, Score()).add(score)
    assert parts == whole.by_sensor
    for score in whole.by_sensor.values():
        assert all(0.0 <= score.share(share) <= 1.0 for share in SensorShare)
