"""A roster is read again when its file changes, and an invalid file changes nothing."""

from pathlib import Path

import pytest

from exchange.authority.roster import entry_text
from exchange.authority.roster_watch import RosterWatch
from tests.officers import ALICE, BOB, an_officer


def enter(folder: Path, *people: str) -> None:
    (folder / "GBR.toml").write_text("\n".join(entry_text(an_officer(each)) for each in people), "utf-8")


def test_a_changed_file_is_read_again_and_an_unchanged_one_gives_the_same_roster(tmp_path: Path) -> None:
    enter(tmp_path, ALICE)
    watch = RosterWatch("GBR", tmp_path)
    first = watch()
    assert watch() is first
    enter(tmp_path, ALICE, BOB)
    assert {each.person for each in watch().officers.values()} == {ALICE, BOB}


@pytest.mark.parametrize("damage", ["[[officer", None])
def test_an_invalid_or_missing_file_leaves_the_last_roster_in_force_and_is_logged(
    damage: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    enter(tmp_path, ALICE)
    watch = RosterWatch("GBR", tmp_path)
    first = watch()
    path = tmp_path / "GBR.toml"
    path.write_text(damage, "utf-8") if damage else path.unlink()
    assert watch() is first
    assert "the last roster stays in force" in caplog.text
    enter(tmp_path, BOB)
    assert {each.person for each in watch().officers.values()} == {BOB}
