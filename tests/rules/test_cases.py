"""The case tables of the shipped sets hold, and an invalid table is refused."""

from pathlib import Path

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.cases import Case, read_cases, run_cases
from streams.rules.policy_set import PolicySet, load
from streams.rules.rule import PolicyError

JOINT = POLICY_FOLDER / "joint" / "v1" / "cases.yaml"


def _national(nation: str) -> Path:
    return POLICY_FOLDER / "national" / nation / "v1" / "cases.yaml"


def test_every_case_holds_under_each_nations_set(policy_set: PolicySet) -> None:
    results = [*run_cases(policy_set, JOINT), *run_cases(policy_set, _national(policy_set.nation))]
    assert [str(result) for result in results if not result.passed] == []


def test_every_rule_has_a_case(policy_set: PolicySet) -> None:
    named = {
        rule
        for path in (JOINT, _national(policy_set.nation))
        for case in read_cases(path).cases
        for rule in case.because
    }
    # Facets cannot have this: a marking from AMBER up has a list of recipients, if an empty one.
    assert set(policy_set.rules) - named == {"releasability-amber-names-nobody"}


def test_a_case_that_fails_shows_the_verdict_of_the_rules(tmp_path: Path) -> None:
    table = tmp_path / "cases.yaml"
    table.write_text(
        'title: T\ncases: [{case: Red goes, given: {tlp: "TLP:RED"}, to: JPN, then: release, because: [tlp-clear]}]\n',
        encoding="utf-8",
    )
    (result,) = run_cases(load("GBR"), table)
    assert isinstance(result.case, Case)
    assert str(result) == (
        "FAILED: Red goes: the rules give withhold because of tlp-red; the case expects release because of tlp-clear"
    )


@pytest.mark.parametrize(
    ("text", "expected_text"),
    [
        ("title: T\ncases: []", "has no cases"),
        ("title: [", "cases.yaml"),
        ("title: T\ncases: [{case: A, given: {tpl: GREEN}, to: JPN, then: hold, because: []}]", "tpl"),
        ("title: T\ncases: [{case: A, given: {}, to: JPN, then: keep, because: []}]", "keep"),
        (
            "title: T\ncases: [{case: A, given: {type: ipv5}, to: JPN, then: hold, because: []}]",
            "not an indicator type",
        ),
    ],
)
def test_an_invalid_table_is_refused_with_its_name(tmp_path: Path, text: str, expected_text: str) -> None:
    table = tmp_path / "cases.yaml"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=expected_text) as error:
        read_cases(table)
    assert str(table) in str(error.value)
