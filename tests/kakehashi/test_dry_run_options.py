"""What options of `kakehashi produce` do in a dry run."""

import json
from pathlib import Path

from exchange.errors import Exit
from tests.kakehashi.command import kakehashi
from tests.producers.site import a_site


def test_a_marking_of_the_options_that_applies_to_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("domain,tlp\nbad.kakenet-mal.org,TLP:AMBER\n", "utf-8")
    dry = ("produce", "--nation", "GBR", "--sensor", "a", "--tlp", "TLP:GREEN", "--dry-run")
    shown = " ".join(kakehashi(*dry, "a.csv", within=tmp_path).stdout.split())
    assert shown.count("your marking, 1 observation: 1 kept their own, as strict or stricter") == 1


def test_a_folder_or_a_pattern_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", ".c.txt", "d.log"):
        (tmp_path / name).write_text(f"bad-{name[0]}.kakenet-mal.org\n", "utf-8")
    dry = ("produce", "--nation", "GBR", "--sensor", "a", "--dry-run", "--json")

    def values(*places: str) -> list[str]:
        lines = kakehashi(*dry, *places, within=tmp_path).stdout.splitlines()
        return [json.loads(line)["value"] for line in lines]

    assert values(".") == [f"bad-{name}.kakenet-mal.org" for name in "abd"]
    assert values("*.txt") == [f"bad-{name}.kakenet-mal.org" for name in "ab"]
    (tmp_path / "empty").mkdir()
    nothing = kakehashi(*dry, "empty", within=tmp_path)
    assert (nothing.returncode, "no file is there yet at empty\n" in nothing.stderr) == (Exit.OK, True)
    mistyped = kakehashi(*dry, "*.csv", within=tmp_path)
    assert (mistyped.returncode, "no file matches the pattern" in mistyped.stderr) == (Exit.USAGE, True)
    snapshot = kakehashi(*dry, "--snapshot", ".", within=tmp_path)
    assert (snapshot.returncode, "needs its files by name" in snapshot.stderr) == (Exit.USAGE, True)


def test_of_what_is_followed_a_dry_run_reads_what_is_there_now(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("bad.kakenet-mal.org\n", "utf-8")
    dry = ("produce", "--nation", "GBR", "--sensor", "a", "--dry-run", "--follow")
    assert "1 piece: 1 hold" in kakehashi(*dry, str(tmp_path), within=tmp_path).stdout
    nothing = kakehashi(*dry, "*.log", within=tmp_path)
    assert (nothing.returncode, nothing.stderr) == (Exit.OK, "no file is there yet at *.log\n")
    with a_site() as site:
        site.content = b"worse.kakenet-mal.org\nworst.kakenet-mal.org\n"
        assert "3 pieces: 3 hold" in kakehashi(*dry, site.address, "a.txt", within=tmp_path).stdout


def test_of_a_report_in_prose_it_is_stated_that_a_person_has_to_review_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("seen at bad[.]kakenet-mal[.]org\n", "utf-8")
    dry = ("produce", "--nation", "GBR", "--sensor", "a", "--dry-run", "a.md")
    stated = "a.md: a report in prose, published only with --reviewed"
    assert stated in kakehashi(*dry, within=tmp_path).stdout
    (tmp_path / "list").write_text("bad.kakenet-mal.org\n", "utf-8")
    assert stated not in kakehashi(*dry, "--reviewed", "list", within=tmp_path).stdout


def test_a_table_is_as_wide_as_the_terminal_and_never_narrower_than_80_columns(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("value,type\nsomewhere,domain-name\n")
    dry = ("produce", "--nation", "GBR", "--sensor", "s", "--dry-run", "list.csv")
    for columns, least, most in ((40, 60, 80), (140, 85, 140)):
        shown = kakehashi(*dry, within=tmp_path, COLUMNS=f"{columns}").stdout
        assert least < max(map(len, shown.splitlines())) <= most, shown
