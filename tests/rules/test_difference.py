"""The difference of two sets: what would newly leave, by example."""

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.difference import Change, differences, under_schema_of
from streams.rules.policy_set import compiled, read_texts
from streams.rules.proof.exhaustive import ExhaustiveProver
from streams.rules.rule import PolicyError

TLP, QUALITY, CAVEATS = "joint/v1/tlp.cedar", "joint/v1/quality.cedar", "joint/v1/onward_sharing.cedar"
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


def test_a_stricter_set_is_narrower() -> None:
    (change,) = _against(_with(QUALITY, '== ConfidenceBand::"low"', '!= ConfidenceBand::"high"'))
    assert (change.widens, change.statement) == (False, "no longer released")
    assert change.example is not None
    assert change.example.attributes["confidence"] in ("none", "medium")
    assert change.example.principal == "JPN"


def test_a_release_to_the_own_nation_alone_is_a_difference_too() -> None:
    (change,) = _against(
        _with(QUALITY, '== ConfidenceBand::"low"', '== ConfidenceBand::"low" && principal != Nation::"GBR"')
    )
    assert (change.widens, change.example and change.example.principal) == (True, "GBR")


def test_a_laxer_set_is_wider_with_an_indicator_that_it_newly_releases() -> None:
    changes = _against(_with(QUALITY, '== ConfidenceBand::"low"', '== ConfidenceBand::"low" && resource.warninglisted'))
    (change,) = changes
    assert (change.widens, change.statement) == (True, "newly released")
    assert change.example is not None
    assert change.example.attributes["confidence"] == "low"
    assert str(change).startswith("WIDER: newly released, for example to JPN: ")


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (
            _with(TLP, '@outcome("withhold")', '@outcome("hold")\n@reviewers("1")\n@deadline_hours("1")'),
            "no longer withheld regardless of officers",
        ),
        (_with(TLP, "coarsen-time:day, ", ""), "the permit tlp-amber-strict has the obligations drop-tearline, expire"),
        (_with(TLP, "drop-tearline, ", ""), "and had coarsen-time:day, drop-tearline, expire"),
        (_with(TLP, "expire-after-days:30", "expire-after-days:31"), "and had coarsen-time:day"),
        (_with(TLP, '@id("tlp-green")', '@id("tlp-verde")'), "the permit tlp-verde is new"),
        (
            _with(CAVEATS, '@reviewers("2")', '@reviewers("1")'),
            "caveat-no-copying requires 1 officers, and required 2",
        ),
    ],
)
def test_less_protection_is_wider(new: dict[str, str], says: str) -> None:
    assert any(change.widens and says in change.statement for change in _against(new))


def test_sets_whose_schemas_do_not_fit_are_not_compared() -> None:
    new = {
        path: text.replace("warninglisted", "benign").replace("special_use", "reserved") for path, text in OLD.items()
    }
    with pytest.raises(PolicyError, match="cannot be compared"):
        _against(new)
