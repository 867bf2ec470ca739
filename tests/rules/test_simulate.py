"""Recorded decisions under other rules: what would newly be released, and what would no longer be."""

from collections.abc import Iterable
from typing import Any

import pytest

from kakehashi.commands.officer.policy_simulate import show
from schemas.records import Indicator
from schemas.vocabulary import Outcome
from streams.rules.engine import Engine
from streams.rules.policy_set import compiled
from streams.rules.simulate import Example, Simulation
from streams.rules.simulate import simulate as simulated
from tests.builders import a_decision, an_indicator, facets
from tests.policy_records import TEXTS, stricter
from tests.rules.rated import rated
from tests.streams.officers_bench import POLICY

OLD = Engine(POLICY)
STRICTER = Engine(compiled(stricter(), "GBR"))
LOOSER = Engine(
    compiled({path: text for path, text in TEXTS.items() if not path.endswith("warninglists.cedar")}, "GBR")
)


def simulate(decisions: Iterable[Any], old: Engine, new: Engine, *records: Indicator) -> Simulation:
    return simulated(decisions, old, new, lambda ids: {each["id"]: each for each in records if each["id"] in ids})


def decided(number: int, **changes: Any) -> Any:
    group = {"facets": facets(**changes), "sources": 1, "outcome": "release", "rules": []}
    return a_decision(indicator_id=f"indicator--{number}", sequence=number, assertions=[group])


def test_the_same_rules_change_nothing() -> None:
    result = simulate([decided(1), decided(2, tlp=5, releasable_to=[])], OLD, OLD)
    assert (result.indicators, result.changes, result.other_obligations) == (2, {}, 0)


def test_indicators_that_stricter_rules_would_recall_are_counted_with_examples() -> None:
    result = simulate([decided(number) for number in range(9)], OLD, STRICTER)
    assert (result.newly_released, result.no_longer_released) == (0, 9)
    (examples,) = result.examples.values()
    assert len(examples) == 3
    assert examples[0].rules_before == ("tlp-green",)
    assert examples[0].rules_after == ("gbr-no-domains",)


def test_indicators_that_looser_rules_would_release_are_counted() -> None:
    result = simulate([decided(1), decided(2, special_use=True), decided(3, warninglisted=True)], OLD, LOOSER)
    assert result.newly_released == 2
    assert result.changes == {
        (Outcome.WITHHOLD, Outcome.RELEASE): 1,
        (Outcome.HOLD, Outcome.RELEASE): 1,
    }


def test_only_the_last_decision_on_an_indicator_counts() -> None:
    assert simulate([decided(1), decided(1, tlp=5, releasable_to=[])], OLD, STRICTER).changes == {}


def test_a_record_with_unknown_facets_is_counted_as_unreadable() -> None:
    assert simulate([decided(1, confidence_band="sure")], OLD, OLD).unreadable == 1


@pytest.mark.parametrize("engine", [OLD, STRICTER, LOOSER])
def test_red_is_withheld_under_all_of_these_rules(engine: Engine) -> None:
    assert simulate([decided(1, tlp=5, releasable_to=["JPN"])], OLD, engine).newly_released == 0


def test_an_example_is_shown_with_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    example = Example("indicator--1", "GBR-0-7", "JPN", ("a",), ("b",))
    result = Simulation(indicators=1)
    result.changes[Outcome.WITHHOLD, Outcome.RELEASE] = 1
    result.examples[Outcome.WITHHOLD, Outcome.RELEASE] = [example]
    show(result, {"indicator--1": "bad\x1b.example.com"})
    assert r"  bad\x1b.example.com  indicator--1 to JPN (GBR-0-7): by a; now by b" in capsys.readouterr().out


def test_a_rating_shows_what_it_would_hold_and_recall() -> None:
    """Two of three indicators are known from the source alone; of the third another source has reported the same."""
    bad = Engine(rated(low=["edge-1"]))
    alone, both = an_indicator(id="indicator--1"), an_indicator(id="indicator--3")
    [source] = both["sources"]
    both["sources"] = [source, {**source, "sensor": "edge-2"}]
    both["source_count"] = 2
    decisions = [decided(number, **source["marking"]) for number in (1, 2, 3)]
    records = (alone, an_indicator(id="indicator--2"), both)
    result = simulate(decisions, OLD, bad, *records)
    assert (result.indicators, result.newly_released, result.no_longer_released) == (3, 0, 2)
    assert result.changes == {(Outcome.RELEASE, Outcome.HOLD): 2}
    assert simulate(decisions, bad, OLD, *records).newly_released == 2


def test_what_the_national_record_does_not_show_is_rated_as_the_worst() -> None:
    bad = Engine(rated(low=["edge-1"]))
    assert simulate([decided(1)], OLD, bad).no_longer_released == 1
