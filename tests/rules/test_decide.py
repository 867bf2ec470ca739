"""The decision over many assertions: the allowed only, whatever the order."""

from collections.abc import Sequence
from functools import reduce
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.markings import Caveat, Marking, Tlp
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.decide import ReleaseDecision, decide_release
from streams.rules.engine import DEFAULT_DENY, Engine
from streams.rules.facets import Facets, facets_of
from streams.rules.policy_set import load
from tests.rules.strategies import facets

ENGINE = Engine(load("GBR"))
GREEN = facets_of(Marking(Tlp.GREEN, releasable_to=None), IndicatorType.URL, confidence=80)
AMBER_JPN = facets_of(Marking(Tlp.AMBER, releasable_to=("JPN",)), IndicatorType.URL, confidence=80)
RED = facets_of(Marking(Tlp.RED), IndicatorType.URL, confidence=80)
UNMARKED = facets_of(Marking(), IndicatorType.URL, confidence=80)


def _join(one: Facets, other: Facets) -> Facets:
    return msgspec.structs.replace(
        one,
        marking=one.marking.join(other.marking),
        confidence=max(one.confidence, other.confidence),
        warninglisted=one.warninglisted or other.warninglisted,
        special_use=one.special_use or other.special_use,
        personal_data=one.personal_data or other.personal_data,
    )


def _decide(assertions: Sequence[Facets], partner: str = "JPN") -> ReleaseDecision:
    return decide_release(
        assertions, lambda indices: reduce(_join, (assertions[index] for index in indices)), partner, ENGINE
    )


def test_a_source_that_forbids_is_left_out_so_that_the_rest_may_go() -> None:
    decision = _decide([RED, GREEN, UNMARKED, AMBER_JPN])
    assert decision.outcome is Outcome.RELEASE
    assert decision.included == (1, 3)
    assert decision.merged == AMBER_JPN
    assert decision.rules == ("tlp-amber",)
    assert {(group.facets.marking.tlp, group.verdict.outcome) for group in decision.groups} == {
        (Tlp.RED, Outcome.WITHHOLD),
        (Tlp.GREEN, Outcome.RELEASE),
        (Tlp.UNMARKED, Outcome.HOLD),
        (Tlp.AMBER, Outcome.RELEASE),
    }


def test_assertions_that_officers_could_release_are_held() -> None:
    decision = _decide([RED, UNMARKED])
    assert (decision.outcome, decision.rules) == (Outcome.HOLD, ("tlp-unmarked",))
    assert (decision.included, decision.merged) == ((), None)


def test_assertions_that_no_one_may_release_are_withheld() -> None:
    decision = _decide([RED, msgspec.structs.replace(RED, personal_data=True)])
    assert (decision.outcome, decision.rules) == (Outcome.WITHHOLD, ("tlp-red",))


def test_nothing_known_is_nothing_released() -> None:
    decision = _decide([])
    assert (decision.outcome, decision.rules, decision.groups) == (Outcome.WITHHOLD, (DEFAULT_DENY,), ())


def test_a_merge_that_is_not_allowed_is_not_released_though_each_part_is() -> None:
    held = msgspec.structs.replace(GREEN, personal_data=True)
    decision = decide_release([GREEN, GREEN], lambda _: held, "JPN", ENGINE)
    assert (decision.outcome, decision.rules) == (Outcome.HOLD, ("personal-data",))
    assert (decision.included, decision.merged) == ((), held)


def test_assertions_with_equal_facets_are_decided_once_and_counted() -> None:
    decision = _decide([GREEN, RED, GREEN])
    assert [(group.facets, group.assertions) for group in decision.groups] == [(GREEN, 2), (RED, 1)]
    assert decision.groups[1].to_record()["outcome"] == "withhold"


@settings(max_examples=150, deadline=None)
@given(st.lists(facets(), max_size=5), st.randoms())
def test_the_order_of_the_assertions_changes_nothing_but_the_indices(assertions: list[Facets], random: Random) -> None:
    # All are about one indicator, so all have its type.
    same = [msgspec.structs.replace(each, kind=IndicatorType.URL) for each in assertions]
    mixed = same.copy()
    random.shuffle(mixed)
    one, other = _decide(same), _decide(mixed)
    assert msgspec.structs.replace(one, included=()) == msgspec.structs.replace(other, included=())
    assert sorted(map(repr, (same[index] for index in one.included))) == sorted(
        map(repr, (mixed[index] for index in other.included))
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(facets(), min_size=1, max_size=4))
def test_every_included_assertion_is_allowed_alone_and_adds_no_caveat(assertions: list[Facets]) -> None:
    decision = _decide(assertions)
    for index in decision.included:
        assert ENGINE.decide(assertions[index], "JPN").outcome is Outcome.RELEASE
        assert not set(assertions[index].marking.caveats) & set(Caveat)
    assert bool(decision.included) == (decision.outcome is Outcome.RELEASE)
