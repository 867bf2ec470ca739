"""Recorded decisions under other rules: what would newly go, and what would no longer."""

from typing import Any

import pytest

from schemas.vocabulary import Outcome
from streams.rules.engine import Engine
from streams.rules.policy_set import compiled
from streams.rules.replay import replay
from tests.builders import a_decision, facets
from tests.policy_records import TEXTS, stricter
from tests.streams.officers_bench import POLICY

OLD = Engine(POLICY)
STRICTER = Engine(compiled(stricter(), "GBR"))
LOOSER = Engine(
    compiled({path: text for path, text in TEXTS.items() if not path.endswith("warninglists.cedar")}, "GBR")
)


def decided(number: int, **changes: Any) -> Any:
    group = {"facets": facets(**changes), "sources": 1, "outcome": "release", "rules": []}
    return a_decision(indicator_id=f"indicator--{number}", sequence=number, assertions=[group])


def test_the_same_rules_say_the_same() -> None:
    result = replay([decided(1), decided(2, tlp=5, releasable_to=[])], OLD, OLD)
    assert (result.indicators, result.ways, result.other_obligations) == (2, {}, 0)


def test_what_stricter_rules_would_recall_is_counted_with_examples() -> None:
    result = replay([decided(number) for number in range(9)], OLD, STRICTER)
    assert (result.newly_released, result.no_longer_released) == (0, 9)
    (examples,) = result.examples.values()
    assert len(examples) == 3
    assert examples[0].rules_before == ("tlp-green",)
    assert examples[0].rules_after == ("gbr-no-domains",)


def test_what_looser_rules_would_let_out_is_counted() -> None:
    result = replay([decided(1), decided(2, special_use=True), decided(3, warninglisted=True)], OLD, LOOSER)
    assert result.newly_released == 2
    assert result.ways == {
        (Outcome.WITHHOLD, Outcome.RELEASE): 1,
        (Outcome.HOLD, Outcome.RELEASE): 1,
    }


def test_only_the_last_decision_on_an_indicator_counts() -> None:
    assert replay([decided(1), decided(1, tlp=5, releasable_to=[])], OLD, STRICTER).ways == {}


def test_a_record_that_is_not_of_the_contract_is_counted_and_not_guessed_at() -> None:
    assert replay([decided(1, confidence_band="sure")], OLD, OLD).unreadable == 1


@pytest.mark.parametrize("engine", [OLD, STRICTER, LOOSER])
def test_red_is_withheld_under_any_of_them(engine: Engine) -> None:
    assert replay([decided(1, tlp=5, releasable_to=["JPN"])], OLD, engine).newly_released == 0
