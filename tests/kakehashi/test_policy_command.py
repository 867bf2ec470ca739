"""``kakehashi policy``: says whether it proved or only checked, and ends with a code that a gate can act on."""

import shutil
from pathlib import Path

import pytest

from exchange.errors import Exit
from schemas.links import POLICY_FOLDER
from tests.kakehashi.command import kakehashi
from tests.rules.rated import a_rule


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without Cedar's analyser."""
    return {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PATH": str(tmp_path), "KAKEHASHI_CEDAR": ""}


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of the shipped rules in which low confidence is no longer held."""
    folder = tmp_path / "draft"
    shutil.copytree(POLICY_FOLDER, folder)
    quality = folder / "joint" / "v1" / "quality.cedar"
    text = quality.read_text(encoding="utf-8")
    quality.write_text(text.replace('== ConfidenceBand::"low"', '== ConfidenceBand::"low" && false'), encoding="utf-8")
    return folder


def test_without_the_analyser_the_rules_are_checked_and_called_not_proved(tmp_path: Path, bare: dict[str, str]) -> None:
    done = kakehashi("policy", "prove", "--nation", "GBR", within=tmp_path, **bare)
    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert "NOT PROVED, but checked by exhaustive check" in done.stdout


def test_without_the_analyser_a_required_proof_is_missing(tmp_path: Path, bare: dict[str, str]) -> None:
    done = kakehashi("policy", "prove", "--nation", "GBR", "--require-proof", within=tmp_path, **bare)
    assert done.returncode == Exit.CONFIGURATION
    assert "`make prove` builds it" in done.stderr


def test_a_draft_that_leaks_is_refused_with_an_example(tmp_path: Path, bare: dict[str, str], draft: Path) -> None:
    own = draft / "national" / "GBR" / "v1" / "ratings.cedar"
    own.write_text(a_rule('when { resource.pap == Pap::"PAP:AMBER" && resource.rating == Rating::"high" }'), "utf-8")
    done = kakehashi("policy", "prove", "--nation", "GBR", "--folder", str(draft), within=tmp_path, **bare)
    assert done.returncode == Exit.REFUSED
    assert "DOES NOT HOLD: what comes from a source rated medium is released no more than rated high" in done.stdout
    assert "rating: medium" in done.stdout
    assert "DOES NOT HOLD: Low confidence is not released without an officer" in done.stdout
    assert "confidence: low" in done.stdout


def test_a_draft_that_releases_more_than_the_rules_in_force_is_refused(
    tmp_path: Path, bare: dict[str, str], draft: Path
) -> None:
    wider = kakehashi("policy", "diff", str(POLICY_FOLDER), str(draft), "--nation", "GBR", within=tmp_path, **bare)
    assert wider.returncode == Exit.REFUSED
    assert "GBR: WIDER: newly released, for example to" in wider.stdout
    narrower = kakehashi("policy", "diff", str(draft), str(POLICY_FOLDER), "--nation", "GBR", within=tmp_path, **bare)
    assert narrower.returncode == Exit.OK
    assert "no longer released" in narrower.stdout


def test_cases_that_do_not_hold_are_named(tmp_path: Path, draft: Path) -> None:
    assert kakehashi("policy", "test", within=tmp_path).returncode == Exit.OK
    done = kakehashi("policy", "test", "--folder", str(draft), "--nation", "JPN", within=tmp_path)
    assert done.returncode == Exit.REFUSED
    assert "FAILED: Low confidence waits for an analyst" in done.stdout


def test_a_folder_that_is_no_policy_folder_is_stated_to_be_none(tmp_path: Path) -> None:
    done = kakehashi("policy", "prove", "--folder", str(tmp_path), within=tmp_path)
    assert done.returncode == Exit.CONFIGURATION
    assert "a policy folder has joint/ and national/<nation>/" in done.stderr
