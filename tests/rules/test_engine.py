"""The engine: it decides as the prose states, fails closed, and has a bounded cache."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.links import POLICY_FOLDER
from schemas.markings import Caveat, Marking, Tlp
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.engine import DEFAULT_DENY, EVALUATION_ERROR, Engine
from streams.rules.facets import Facets, facets_of
from streams.rules.policy_set import PolicySet, compiled, load, read_texts
from tests.rules import oracle
from tests.rules.strategies import PARTNERS, facets, markings

GREEN = facets_of(Marking(Tlp.GREEN, releasable_to=None), IndicatorType.URL)
GBR, JPN = Engine(load("GBR")), Engine(load("JPN"))


@settings(max_examples=400, deadline=None)
@given(facets(), st.sampled_from(PARTNERS))
def test_both_nations_sets_decide_as_the_prose_states(one: Facets, partner: str) -> None:
    expected = oracle.must_be(one, partner)
    assert GBR.decide(one, partner).outcome is expected
    assert JPN.decide(one, partner).outcome is expected


@settings(max_examples=150, deadline=None)
@given(facets(), st.sampled_from(PARTNERS))
def test_two_engines_decide_alike(one: Facets, partner: str) -> None:
    assert GBR.decide(one, partner) == Engine(GBR.policy_set, cache_size=0).decide(one, partner)


@settings(max_examples=300, deadline=None)
@given(facets(), markings())
def test_a_stricter_marking_never_turns_a_refusal_into_a_release(one: Facets, stricter: Marking) -> None:
    joined = msgspec.structs.replace(one, marking=one.marking.join(stricter))
    if GBR.decide(joined, "JPN").outcome is Outcome.RELEASE:
        assert GBR.decide(one, "JPN").outcome is Outcome.RELEASE


def test_a_verdict_names_the_deciding_rules_and_only_those(engine: Engine) -> None:
    both = facets_of(
        Marking(Tlp.GREEN, releasable_to=None, caveats=(Caveat.OFFICIAL_SENSITIVE, Caveat.UK_EYES_ONLY)),
        IndicatorType.URL,
    )
    assert engine.decide(both, "JPN").rules == ("caveat-uk-eyes-only",)
    assert engine.decide(GREEN, "JPN").rules == ("tlp-green",)
    assert engine.decide(GREEN, "JPN").obligations == (
        "coarsen-time:hour",
        "expire-after-days:180",
        "pap-at-least:GREEN",
    )


def test_facets_that_no_rule_permits_are_withheld() -> None:
    texts = read_texts("GBR", POLICY_FOLDER)
    texts["joint/v1/tlp.cedar"] = texts["joint/v1/tlp.cedar"].replace(
        'when { resource.tlp == Tlp::"TLP:GREEN" }',
        'when { resource.tlp == Tlp::"TLP:GREEN" && resource.warninglisted }',
    )
    verdict = Engine(compiled(texts, "GBR")).decide(GREEN, "JPN")
    assert (verdict.outcome, verdict.rules) == (Outcome.WITHHOLD, (DEFAULT_DENY,))


def _schema_with(policy_set: PolicySet, old: str, new: str) -> PolicySet:
    path = "joint/v1/schema.cedarschema"
    assert old in policy_set.texts[path]
    return replace(policy_set, texts={**policy_set.texts, path: policy_set.texts[path].replace(old, new)})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("caveats: Set<Caveat>", "caveat: Set<Caveat>"),  # an attribute the rules need is missing
        ("warninglisted: Bool", "warninglisted: String"),
        ('"TLP:GREEN", ', ""),  # a label no one knows
        ("action release", "action publish"),
    ],
)
def test_an_entity_that_does_not_fit_the_schema_is_withheld_and_not_released(
    policy_set: PolicySet, old: str, new: str
) -> None:
    verdict = Engine(_schema_with(policy_set, old, new)).decide(GREEN, "JPN")
    assert (verdict.outcome, verdict.rules) == (Outcome.WITHHOLD, (EVALUATION_ERROR,))


def test_a_forbid_that_fails_to_evaluate_withholds(policy_set: PolicySet) -> None:
    # The validator refuses such a rule; here it is smuggled past it, as a bug would.
    broken = replace(
        policy_set.rules["warninglist-well-known"],
        body=policy_set.rules["warninglist-well-known"].body.replace('"warninglisted"', '"misspelt"'),
    )
    smuggled = replace(policy_set, rules={**policy_set.rules, broken.id: broken})
    verdict = Engine(smuggled).decide(GREEN, "JPN")
    assert (verdict.outcome, verdict.rules) == (Outcome.WITHHOLD, (EVALUATION_ERROR,))


def test_the_cache_is_bounded_and_counted(policy_set: PolicySet) -> None:
    engine = Engine(policy_set, cache_size=2)
    for partner in ("JPN", "JPN", "GBR", "USA", "JPN"):
        engine.decide(GREEN, partner)
    assert (engine.cache_hits, engine.cache_misses) == (1, 4)


def test_the_versions_name_the_rules_and_the_engine(policy_set: PolicySet) -> None:
    engine = Engine(policy_set)
    assert engine.version == policy_set.version
    assert engine.engine_version == "cedarpy 4.12.2, cedar 4.12.0"
