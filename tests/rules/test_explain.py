"""Explanations: the rules that decided, and the changes that would give another outcome."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.records import Decision
from schemas.vocabulary import IndicatorType
from streams.rules.decide import decide_release
from streams.rules.engine import Engine
from streams.rules.explain import alternatives, explain
from streams.rules.facets import Facets, facets_of, to_record
from streams.rules.policy_set import load
from tests.rules.strategies import facets

ENGINE = Engine(load("GBR"))
GREEN = facets_of(Marking(Tlp.GREEN, releasable_to=None), IndicatorType.URL)
RED = facets_of(Marking(Tlp.RED), IndicatorType.URL)
LOW = facets_of(Marking(Tlp.GREEN, releasable_to=None), IndicatorType.URL, confidence=5)


def _record(*assertions: Facets, policy_version: str = ENGINE.version) -> Decision:
    decided = decide_release(assertions, lambda indices: assertions[indices[0]], "JPN", ENGINE)
    return Decision(
        decision_id="3-7",
        shard=3,
        sequence=7,
        previous=b"",
        indicator_id="indicator--1",
        partner="JPN",
        at_ms=1_795_219_200_000,
        outcome=str(decided.outcome),
        rules=list(decided.rules),
        obligations=list(decided.obligations),
        merged=None if decided.merged is None else to_record(decided.merged),
        assertions=[group.to_record() for group in decided.groups],
        policy_version=policy_version,
        engine_version=ENGINE.engine_version,
        enrichment_version="",
        released_version=0,
        review="",
        question=b"",
        deadline_ms=0,
        verdicts=[],
        assigned=None,
        veto=None,
        border="open",
        shadow=False,
        labels=[],
    )


def _explained(*assertions: Facets) -> Sequence[str]:
    return explain(_record(*assertions), ENGINE.policy_set)


def test_a_release_names_its_rule_its_basis_its_obligations_and_its_excluded_assertions() -> None:
    assert _explained(GREEN, RED) == [
        f"Indicator indicator--1 was released for JPN, under policy {ENGINE.version[:12]}.",
        "TLP:GREEN may be released: the partner belongs to the community / "
        "TLP:GREEN は提供できる(相手国はコミュニティの一員) (rule tlp-green; basis: FIRST TLP 2.0, TLP:GREEN: "
        "within the community; if it is not defined, the cybersecurity and defence community; "
        "owner: Joint sharing board).",
        "1 assertion alone would be withheld by tlp-red; it is not part of the release.",
        "Before the release, times were rounded down to the hour.",
        "Before the release, it was limited to 180 days after the release.",
        "Before the release, its PAP was raised to at least PAP:GREEN.",
    ]


def test_a_hold_states_who_must_approve_until_when_and_what_would_release_it() -> None:
    lines = _explained(LOW)
    assert lines[2] == (
        "1 distinct officer must approve it by 2026-11-24 00:00 UTC (72 h), or it is withheld; "
        "responsible: Joint sharing board."
    )
    assert lines[3:] == [
        "It would be released if its source stated medium confidence.",
        "It would be released if its source stated high confidence.",
    ]


def test_a_withheld_indicator_states_which_single_changes_would_release_it() -> None:
    lines = _explained(RED)
    assert "It would be released if its source marked it TLP:GREEN." in lines
    assert "It would be released if its source marked it TLP:AMBER and named JPN." in lines


def test_if_no_single_change_is_enough_it_states_so_or_offers_the_next_best() -> None:
    caveats = (Caveat.JAPAN_EYES_ONLY, Caveat.UK_EYES_ONLY)
    hopeless = facets_of(Marking(Tlp.GREEN, Pap.CLEAR, None, caveats), IndicatorType.URL)
    assert alternatives(hopeless, "JPN", ENGINE) == ["No single change would lead to another outcome."]
    better = facets_of(Marking(Tlp.GREEN, Pap.RED, None, caveats[:1]), IndicatorType.URL)
    assert alternatives(better, "JPN", ENGINE) == [
        "It would be held for review if the originator lifted the caveat JAPAN EYES ONLY."
    ]


def test_rules_of_another_policy_set_than_the_one_that_decided_are_declared() -> None:
    lines = explain(_record(RED, policy_version="0" * 64), ENGINE.policy_set)
    assert "another set" in lines[1]


@pytest.mark.parametrize("rule", ["default-deny", "evaluation-error", "type-not-agreed", "gone"])
def test_a_decision_without_a_rule_of_the_set_has_a_sentence_of_its_own(rule: str) -> None:
    record = _record(RED)
    record["rules"] = [rule]
    assert rule in explain(record, ENGINE.policy_set)[1]


@settings(max_examples=40, deadline=None)
@given(facets())
def test_every_decision_can_be_explained(one: Facets) -> None:
    lines = _explained(one)
    assert all(line.endswith(".") and "  " not in line for line in lines)


@pytest.mark.parametrize(("border", "words"), [("closed", "was closed"), ("shadow", "was in shadow")])
def test_what_a_border_kept_back_is_not_called_released(border: str, words: str) -> None:
    decision: Decision = {**_record(GREEN), "border": border, "shadow": border == "shadow"}
    [first, *_] = explain(decision, ENGINE.policy_set)
    assert first == (
        f"Indicator indicator--1 may be released to JPN, but the border to JPN {words}, so no content was sent, under "
        f"policy {ENGINE.version[:12]}."
    )


def test_after_an_approval_its_source_is_part_of_the_release() -> None:
    decision: Decision = {**_record(LOW, RED), "outcome": "release", "review": "approved", "released_version": 7}
    lines = explain(decision, ENGINE.policy_set)
    held = next(line for line in lines if "held for review by" in line)
    assert held.endswith("; the approval includes it in the release.")
    withheld = next(line for line in lines if "would be withheld by" in line)
    assert withheld.endswith("; it is not part of the release.")
