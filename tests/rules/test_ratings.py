"""Ratings of sources: policy may use them only to restrict, whoever writes it."""

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from schemas.markings import Marking, Pap, Tlp
from schemas.ratings import RANK, BadRatings, Rating, read_ratings
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.classifier import Classifier
from streams.rules.difference import Change, differences
from streams.rules.engine import Engine
from streams.rules.facets import Facets, best_rated, facets_of
from streams.rules.policy_set import PolicySet, compiled, load
from streams.rules.proof.analyser import SymbolicProver, find_cedar, find_solver
from streams.rules.proof.exhaustive import ExhaustiveProver
from streams.rules.proof.prover import Prover
from streams.rules.proof.rated import rating_changes
from tests.rules.rated import a_rule, rated
from tests.rules.strategies import facets

GBR = load("GBR")
CEDAR = find_cedar(os.environ)
EXHAUSTIVE = ExhaustiveProver(GBR.schema_text, GBR.nations)
LOW, HIGH = 'Rating::"low"', 'Rating::"high"'
GREEN = Marking(Tlp.GREEN, releasable_to=None)
AMBER = Marking(Tlp.AMBER, releasable_to=("JPN",))


def _widened(policy_set: PolicySet, prover: Prover = EXHAUSTIVE) -> list[Change]:
    return [change for _, change in rating_changes(policy_set, prover) if change is not None]


@pytest.mark.parametrize("prover", ["exhaustive", *(["symbolic"] if CEDAR else [])])
@pytest.mark.parametrize(
    ("joint", "own", "worse"),
    [
        (
            a_rule(f'when {{ resource.tlp == Tlp::"TLP:RED" && resource.rating == {HIGH} }}', effect="permit"),
            "",
            "high",
        ),
        ("", a_rule(f'when {{ resource.type == IndicatorType::"ja3" && resource.rating == {HIGH} }}'), "medium"),
        (
            "",
            a_rule(
                f'when {{ resource.type == IndicatorType::"ja3" }} unless {{ resource.rating == {LOW} }}',
                effect="withhold",
            ),
            "low",
        ),
    ],
    ids=["a permit by a good rating", "a hold of good sources only", "a withhold of all but bad sources"],
)
def test_a_set_that_releases_by_rating_is_found_with_an_example(joint: str, own: str, worse: str, prover: str) -> None:
    policy_set = rated(*([own] if own else []), joint=joint)
    # The shipped TLP rules withhold RED from any permit: without them the permit shows.
    if joint:
        rules = {name: rule for name, rule in policy_set.rules.items() if name not in ("tlp-red", "tlp-clear")}
        policy_set = PolicySet(policy_set.nation, policy_set.texts, rules, policy_set.links)
    symbolic = (
        SymbolicProver(GBR.schema_text, CEDAR, find_solver(os.environ)) if prover == "symbolic" and CEDAR else None
    )
    with symbolic or nullcontext(EXHAUSTIVE) as answers:
        found = _widened(policy_set, answers)
    assert found
    assert found[0].widens
    assert found[0].example is not None
    assert found[0].example.attributes["rating"] == worse


def test_fewer_officers_for_a_worse_source_is_wider_too() -> None:
    two = a_rule(
        f"unless {{ resource.rating == {LOW} }}", name="two", effect='hold") @reviewers("2") @deadline_hours("9'
    )
    one = a_rule(f"when {{ resource.rating == {LOW} }}", name="one", effect='hold") @reviewers("1") @deadline_hours("9')
    found = _widened(rated(two, one))
    assert [change.statement for change in found] == ["no longer demanded: a review by 2 officers or more"]


def test_rules_that_restrict_by_rating_are_accepted() -> None:
    assert _widened(rated()) == []
    assert _widened(rated(a_rule(f"unless {{ [{HIGH}].contains(resource.rating) }}"))) == []
    assert _widened(rated(a_rule(f"when {{ resource.rating == {LOW} }}", effect="withhold"))) == []


def test_the_rules_that_the_docs_show_to_officers_restrict() -> None:
    page = (Path(schemas.__file__).parents[1] / "docs" / "release-officer.md").read_text("utf-8")
    section = page.partition("## Rate sensors")[2].partition("\n## ")[0]
    block = next(part for part in section.split("```") if part.lstrip().startswith("forbid"))
    conditions = [rule.partition(", resource)")[2] for rule in block.split(";")[:-1]]
    assert len(conditions) == 2
    assert _widened(rated(*(a_rule(each, name=f"rule-{number}") for number, each in enumerate(conditions)))) == []


def test_a_better_rating_is_a_wider_set_and_a_worse_one_a_stricter_set() -> None:
    before, after = rated(low=["bad"], high=["fallen"]), rated(medium=["bad"], low=["fallen"])
    assert [str(change) for change in differences(before, after, EXHAUSTIVE)] == [
        "WIDER: bad is rated medium, before low",
        "stricter: fallen is rated low, before high",
    ]


def test_every_mistake_in_ratings_is_reported_at_once() -> None:
    text = 'low = ["a", "b"]\nhigh = ["a"]\nbad = ["c"]\nmedium = "d"\n'
    with pytest.raises(BadRatings) as raised:
        read_ratings({"ratings/GBR.toml": text, "ratings/JPN.toml": ""}, "GBR")
    assert str(raised.value).splitlines() == [
        "ratings/JPN.toml: a set of GBR has no other ratings than ratings/GBR.toml",
        "ratings/GBR.toml: 'a' is listed twice",
        "ratings/GBR.toml: unknown rating 'bad': possible are low, medium, high",
        'ratings/GBR.toml: medium is no list of sensors: write medium = ["…"]',
    ]


def test_a_source_whose_name_is_not_known_has_the_worst_rating_that_any_may_have() -> None:
    assert rated(low=["a"]).ratings.of("") is Rating.LOW
    assert rated(high=["a"]).ratings.of("") is Rating.UNRATED
    assert rated(high=["a"]).ratings.of("b") is Rating.UNRATED


def test_a_set_from_before_there_were_ratings_still_loads_and_decides() -> None:
    texts = {path: text.replace("  rating: Rating,\n", "") for path, text in GBR.texts.items()}
    own = texts["joint/v1/quality.cedar"]
    texts["joint/v1/quality.cedar"] = own[: own.index('@id("quality-low-source")')]
    old = compiled(texts, "GBR")
    assert Engine(old).decide(facets_of(GREEN, IndicatorType.URL), "JPN").outcome is Outcome.RELEASE
    assert old.ratings.by_sensor == {}


def test_ratings_that_no_rule_looks_at_tell_no_decisions_apart() -> None:
    own = GBR.texts["joint/v1/quality.cedar"]
    texts = {**GBR.texts, "joint/v1/quality.cedar": own[: own.index('@id("quality-low-source")')]}
    assert compiled({**texts, "ratings/GBR.toml": 'low = ["a"]'}, "GBR").ratings.of("a") is Rating.UNRATED


# One piece is released alone, both together are not: a caveat of the merge, as an officer may write one.
_TOGETHER = a_rule('when { resource.tlp == Tlp::"TLP:AMBER" && resource.pap == Pap::"PAP:AMBER" }', effect="withhold")
CLASSIFIERS = [Classifier(Engine(policy_set)) for policy_set in (GBR, rated(_TOGETHER))]


def _of(marking: Marking, rating: Rating = Rating.UNRATED) -> Facets:
    return facets_of(marking, IndicatorType.URL, confidence=80, rating=rating)


def test_what_is_stopped_together_is_not_released_because_one_of_its_sources_is_bad() -> None:
    plain = _of(msgspec.structs.replace(GREEN, pap=Pap.AMBER))
    decide = CLASSIFIERS[1].decide
    assert decide((plain,), "JPN").decision.outcome is Outcome.RELEASE
    assert decide((plain, _of(AMBER)), "JPN").decision.outcome is Outcome.WITHHOLD
    assert decide((plain, _of(AMBER, Rating.LOW)), "JPN").decision.outcome is Outcome.HOLD


@given(st.lists(facets(), min_size=1, max_size=4), st.sampled_from(CLASSIFIERS), st.sampled_from(["GBR", "JPN", "USA"]))
@settings(max_examples=60)
def test_whatever_the_ratings_no_more_is_released_than_without_them(
    pieces: Sequence[Facets], classifier: Classifier, partner: str
) -> None:
    kind = pieces[0].kind
    found = tuple(msgspec.structs.replace(piece, kind=kind) for piece in pieces)
    decided = classifier.decide(found, partner).decision
    without = classifier.decide(tuple(map(best_rated, found)), partner).decision
    if decided.outcome is Outcome.RELEASE:
        assert without.outcome is Outcome.RELEASE
        assert set(decided.included) <= set(without.included)
        assert any(found[at].rating is not Rating.LOW for at in decided.included)


@given(facets(), st.sampled_from(Rating))
@settings(max_examples=40)
def test_a_worse_rating_of_a_source_alone_releases_no_more(of: Facets, rating: Rating) -> None:
    worse, better = sorted((of, msgspec.structs.replace(of, rating=rating)), key=lambda each: RANK[each.rating])
    decide = CLASSIFIERS[0].engine.decide
    if decide(worse, "JPN").outcome is Outcome.RELEASE:
        assert decide(better, "JPN").outcome is Outcome.RELEASE
