"""The difference of two sets: what would newly leave, by example."""

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.difference import Change, changes_from, differences, under_schema_of
from streams.rules.policy_set import compiled, read_texts
from streams.rules.proof.exhaustive import ExhaustiveProver
from streams.rules.rule import PolicyError

TLP, QUALITY, ONWARD = "joint/v1/tlp.cedar", "joint/v1/quality.cedar", "joint/v1/onward_sharing.cedar"
LINK = "links/GBR/JPN.toml"
SCHEMA = "joint/v1/schema.cedarschema"
OLD = read_texts("GBR", POLICY_FOLDER)
PROVER = ExhaustiveProver(OLD[SCHEMA], ["GBR", "JPN"])


def _against(new: dict[str, str]) -> list[Change]:
    after = compiled(new, "GBR")
    return list(differences(under_schema_of(after, compiled(OLD, "GBR")), after, PROVER))


def _with(path: str, old: str, new: str) -> dict[str, str]:
    assert old in OLD[path]
    return {**OLD, path: OLD[path].replace(old, new, 1)}


def test_two_equal_sets_do_not_differ() -> None:
    assert _against({**OLD, TLP: OLD[TLP] + "// said otherwise\n"}) == []


def test_a_set_whose_rules_do_not_fit_the_new_schema_may_be_followed_by_a_wider_one() -> None:
    old = compiled(OLD, "GBR")
    assert list(changes_from(old, old, PROVER)) == []
    quality = OLD[QUALITY].split("@id(", 1)[0]
    gone = {path: text for path, text in OLD.items() if "special_use" not in text or path == SCHEMA}
    smaller = compiled({**gone, QUALITY: quality, SCHEMA: OLD[SCHEMA].replace("special_use: Bool,", "")}, "GBR")
    (change,) = changes_from(old, smaller, PROVER)
    assert change.widens
    assert "cannot be compared" in str(change)


def test_a_stricter_set_is_not_wider() -> None:
    changes = _against(_with(QUALITY, '== ConfidenceBand::"low"', '!= ConfidenceBand::"high"'))
    assert not any(each.widens for each in changes)
    (change,) = (each for each in changes if each.statement == "no longer released")
    assert change.example is not None
    assert change.example.attributes["confidence"] in ("none", "medium")
    assert change.example.principal == "JPN"


def test_a_release_to_the_own_nation_alone_is_a_difference_too() -> None:
    changes = _against(
        _with(QUALITY, '== ConfidenceBand::"low"', '== ConfidenceBand::"low" && principal != Nation::"GBR"')
    )
    (change,) = (each for each in changes if each.statement == "newly released")
    assert (change.widens, change.example and change.example.principal) == (True, "GBR")


def test_a_laxer_set_is_wider_with_an_indicator_that_it_newly_releases() -> None:
    changes = _against(_with(QUALITY, '== ConfidenceBand::"low"', '== ConfidenceBand::"low" && resource.warninglisted'))
    (change,) = (each for each in changes if each.statement == "newly released")
    assert change.widens
    assert change.example is not None
    assert change.example.attributes["confidence"] == "low"
    assert str(change).startswith("WIDER: newly released, for example to JPN: ")


@pytest.mark.parametrize(
    ("new", "expected_text"),
    [
        (
            _with(TLP, '@outcome("withhold")', '@outcome("hold")\n@reviewers("1")\n@deadline_hours("1")'),
            "no longer withheld regardless of officers",
        ),
        (_with(TLP, "coarsen-time:day, ", ""), "no longer demanded: coarsen-time:day or stricter"),
        (_with(TLP, "drop-tearline, ", ""), "no longer demanded: drop-tearline or stricter"),
        (_with(TLP, "expire-after-days:30", "expire-after-days:31"), "no longer demanded: expire-after-days:30"),
        (_with(ONWARD, '@reviewers("2")', '@reviewers("1")'), "no longer demanded: a review by 2 officers"),
        (_with(ONWARD, '@deadline_hours("72")', '@deadline_hours("73")'), "no longer demanded: a review of 72 hours"),
    ],
)
def test_less_protection_is_wider(new: dict[str, str], expected_text: str) -> None:
    assert any(change.widens and expected_text in change.statement for change in _against(new))


@pytest.mark.parametrize(
    ("new", "expected_text"),
    [
        (_with(TLP, "expire-after-days:180", "expire-after-days:120"), "expire-after-days:120 or stricter"),
        (_with(TLP, "coarsen-time:hour", "coarsen-time:day"), "coarsen-time:day or stricter"),
        (_with(ONWARD, '@reviewers("1")', '@reviewers("2")'), "a review by 2 officers or more"),
        (_with(ONWARD, '@deadline_hours("72")', '@deadline_hours("71")'), "a review of 71 hours or fewer"),
    ],
)
def test_more_protection_is_named_and_not_wider(new: dict[str, str], expected_text: str) -> None:
    (change,) = _against(new)
    assert str(change).startswith(f"stricter: newly demanded: {expected_text}, for example to JPN")


def test_a_rule_under_another_name_and_in_another_file_is_no_difference() -> None:
    moved = _with(TLP, '@id("tlp-green")', '@id("tlp-verde")')
    assert _against({**moved, "joint/v1/more.cedar": moved[ONWARD], ONWARD: "// moved\n"}) == []


@pytest.mark.parametrize(
    ("old", "new", "expected_text"),
    [
        ('"TLP:AMBER", ', "", "no longer lists tlp: TLP:AMBER"),
        ('"INCIDENT",', "", "no longer lists caveats: INCIDENT"),
        (', "released_indicator.v2"', "", "no longer lists schemas: released_indicator.v2"),
        ("officers = []", 'officers = ["A"]', "no longer lists officers: everybody"),
    ],
)
def test_what_a_link_lets_pass_is_compared(old: str, new: str, expected_text: str) -> None:
    shipped, changed = compiled(OLD, "GBR"), compiled(_with(LINK, old, new), "GBR")
    (less,), (more,) = differences(shipped, changed, PROVER), differences(changed, shipped, PROVER)
    assert (less.widens, more.widens) == (False, True)
    assert expected_text in less.statement
    assert expected_text.replace("no longer", "newly") in more.statement


def test_other_officers_of_a_link_are_wider_and_stricter() -> None:
    one, other = (compiled(_with(LINK, "officers = []", f'officers = ["{name}"]'), "GBR") for name in "AB")
    assert [change.widens for change in differences(one, other, PROVER)] == [True, False]


def test_a_new_link_is_wider_and_a_link_that_is_gone_is_stricter() -> None:
    one, two = compiled(OLD, "GBR"), compiled({**OLD, "links/GBR/USA.toml": OLD[LINK]}, "GBR")
    assert [(change.widens, change.statement) for change in differences(one, two, PROVER)] == [
        (True, "the link to USA is new")
    ]
    assert [change.widens for change in differences(two, one, PROVER)] == [False]


def test_sets_whose_schemas_do_not_fit_are_not_compared() -> None:
    new = {
        path: text.replace("warninglisted", "benign").replace("special_use", "reserved") for path, text in OLD.items()
    }
    with pytest.raises(PolicyError, match="cannot be compared"):
        _against(new)
