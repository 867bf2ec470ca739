"""Loading: an invalid set does not load, and the error names the line and the change to make."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.links import POLICY_FOLDER
from streams.rules.policy_set import PolicySet, compiled, load, read_texts
from streams.rules.rule import PolicyError

TLP, QUALITY, NATIONAL = "joint/v1/tlp.cedar", "joint/v1/quality.cedar", "national/GBR/v1/email_addresses.cedar"
SCHEMA = "joint/v1/schema.cedarschema"
PERMIT = """
@id("x") @title("X") @title_ja("X") @basis("B") @owner("O")
permit (principal, action == Action::"release", resource)"""


def _changed(path: str, old: str, new: str) -> dict[str, str]:
    texts = read_texts("GBR", POLICY_FOLDER)
    assert old in texts[path]
    return {**texts, path: texts[path].replace(old, new, 1)}


def _appended(path: str, text: str) -> dict[str, str]:
    texts = read_texts("GBR", POLICY_FOLDER)
    return {**texts, path: texts[path] + text}


@pytest.mark.parametrize(
    ("texts", "expected_text"),
    [
        (_changed(TLP, '== Tlp::"TLP:RED"', "== "), "tlp.cedar:48: in the rule that begins here"),
        (_appended(TLP, "permit (principal"), "tlp.cedar:"),
        (
            _changed(QUALITY, "resource.confidence", "resource.confidense"),
            "“quality-low-confidence” does not fit the schema",
        ),
        (_changed(TLP, 'Tlp::"TLP:RED"', 'Tlp::"TLP:REED"'), "TLP:REED"),
        (_changed(TLP, 'Tlp::"TLP:RED"', '"TLP:RED"'), "“tlp-red” does not fit the schema"),
        (_changed(TLP, "resource has releasable_to &&", ""), "releasable_to"),
        (_changed(TLP, '@id("tlp-red")\n', ""), "has no @id"),
        (_changed(TLP, '@id("tlp-red")', '@id(" ")'), "has no @id"),
        (_changed(TLP, '@title("TLP:RED is never released")\n', ""), "“tlp-red” has no @title"),
        (_changed(QUALITY, "@basis", "@bases"), "has no @basis"),
        (_changed(QUALITY, '@owner("Joint sharing board")\n', ""), "has no @owner"),
        (_changed(TLP, '@outcome("withhold")\n', ""), "“tlp-red” forbids, so it needs @outcome"),
        (_changed(TLP, '@outcome("withhold")', '@outcome("release")'), 'not "release"'),
        (_changed(TLP, '@id("tlp-clear")', '@id("tlp-clear") @outcome("withhold")'), "has @outcome, unknown"),
        (_changed(TLP, "@obligations", "@obligation"), "has @obligation, unknown"),
        (_changed(TLP, "expire-after-days:365", "expire-after-days:x"), "unknown obligation"),
        (_changed(TLP, "expire-after-days:180", "expire-after-days:180, expire-after-days:1"), "contradict"),
        (_changed(QUALITY, '@reviewers("1")\n', ""), "needs @reviewers"),
        (_changed(QUALITY, '@reviewers("1")', '@reviewers("0")'), "whole number from 1"),
        (_changed(QUALITY, '@deadline_hours("72")', '@deadline_hours("soon")'), "needs @deadline_hours"),
        (
            _changed(QUALITY, "quality-wide-target", "tlp-red"),
            "“tlp-red” is taken by the rule at joint/v1/quality.cedar:",
        ),
        (_appended(QUALITY, PERMIT + ";"), "permits without a condition"),
        (_appended(QUALITY, PERMIT + " when { true };"), "permits without a condition"),
        (_appended(QUALITY, PERMIT + " unless { resource.special_use };"), "permits without a condition"),
        (_appended(NATIONAL, PERMIT + " when { resource.special_use };"), "a national set can only forbid more"),
        (_appended(QUALITY, "permit (principal == ?principal, action, resource);"), "has a template"),
        (_changed(SCHEMA, '"転送禁止",', ""), "“caveat-no-forwarding” does not fit the schema"),
        (_changed(SCHEMA, '"ja3",', ""), 'the policy schema has no IndicatorType::"ja3"'),
        (_changed(SCHEMA, "action release", "action {"), "schema.cedarschema:"),
        ({**_appended(TLP, ""), "national/GBR/v1/schema.cedarschema": ""}, "exactly one schema.cedarschema"),
        ({QUALITY: "", SCHEMA: read_texts("GBR", POLICY_FOLDER)[SCHEMA]}, "permits nothing"),
    ],
)
def test_an_invalid_set_does_not_load(texts: dict[str, str], expected_text: str) -> None:
    with pytest.raises(PolicyError) as error:
        compiled(texts, "GBR")
    assert expected_text in str(error.value)


@pytest.mark.parametrize(
    ("change", "expected_text"),
    [
        (lambda folder: shutil.rmtree(folder / "national" / "GBR"), "is not there"),
        (
            lambda folder: (folder / "joint" / "v1" / "tlp.cedar").rename(folder / "joint" / "v1" / "tlp.ceder"),
            "tlp.ceder",
        ),
        (lambda folder: (folder / "joint" / "v1" / "pap.cedar").write_bytes("機密".encode("shift-jis")), "UTF-8"),
        (lambda folder: (folder / "joint" / "v1" / "schema.cedarschema").unlink(), "exactly one schema.cedarschema"),
    ],
)
def test_a_folder_with_something_missing_or_unexpected_does_not_load(
    tmp_path: Path, change: Callable[[Path], object], expected_text: str
) -> None:
    shutil.copytree(POLICY_FOLDER, tmp_path / "policy")
    change(tmp_path / "policy")
    with pytest.raises(PolicyError, match=expected_text):
        load("GBR", tmp_path / "policy")


def test_a_set_has_the_links_of_its_own_nation_alone() -> None:
    with pytest.raises(PolicyError, match="a set of USA has no links of GBR"):
        compiled(read_texts("GBR", POLICY_FOLDER), "USA")


def test_the_version_is_of_the_texts_and_of_nothing_else(policy_set: PolicySet) -> None:
    assert load(policy_set.nation).version == policy_set.version
    assert compiled(_appended(TLP, " "), "GBR").version != policy_set.version
    assert load("GBR").version != load("JPN").version


def test_every_rule_knows_its_file_and_line(policy_set: PolicySet) -> None:
    for rule in policy_set.rules.values():
        path, _, line = rule.place.partition(":")
        text = (POLICY_FOLDER / path).read_text(encoding="utf-8").splitlines()
        assert f'@id("{rule.id}")' in text[int(line) - 1]
