"""The output of a dry run: a table that fits the terminal, counts by rule, and objects."""

import json

from rich.cells import cell_len

from kakehashi.dry_run_view import WIDTH, Counts, Table, as_json
from kakehashi.fates import Fate
from schemas.markings import SourceMarking
from tests.kakehashi.dry_running import POLICY, fates_of


def test_the_table_fits_80_columns_and_cuts_no_value() -> None:
    long = "http://bad.kakenet-mal.org/" + "a" * 300
    wide = "http://bad.kakenet-mal.org/" + "b" * 40
    fates = fates_of(f"{long}\n{wide}\n請求書\n".encode() + "# 部外秘 取扱注意 関係者限り\n".encode() * 9)
    lines = [line for table in [Table()] for fate in fates for line in table.lines(fate)]
    assert long in lines
    assert any(line.strip() == wide for line in lines)
    assert [line for line in lines if cell_len(line) > WIDTH] == [long]


def test_a_value_cannot_steer_the_terminal() -> None:
    fate = Fate("f", 1, "a\x1b[2Jb", "domain-name", "refuse", "invalid-value", "\x1b]0;x\x07")
    assert not any("\x1b" in line for line in Table().lines(fate))


def test_the_summary_counts_by_rule() -> None:
    counts = Counts()
    for fate in fates_of(b"# list\nbad.kakenet-mal.org\nworse.kakenet-mal.org\n198.51.100.7\nno value\n"):
        counts.add(fate)
    titles = {rule.id: rule.title for rule in POLICY.rules.values()}
    text = "\n".join(counts.lines(("JPN",), titles, POLICY.version[:12]))
    assert text.startswith("5 pieces: 2 release, 1 withhold, 1 refuse, 1 skip\n")
    for part in ("release to JPN: 2 2 tlp-green: TLP:GREEN", "withhold to JPN: 1 1 special-use: ", "skip: 1 1 comment"):
        assert part in " ".join(text.split())


def test_the_summary_names_the_option_that_takes_what_was_left_out() -> None:
    counts = Counts()
    for rule in ("dns", "not-to-ids", "dns", "comment"):
        counts.add(Fate("f", 1, "", "", "skip", rule))
    text = " ".join("\n".join(counts.lines(("JPN",), {}, "")).split())
    asked = "taken, without a confidence, if you ask for it: --include dns --include not-to-ids"
    assert f"2 dns 1 comment 1 not-to-ids {asked}" in text


def test_several_reasons_of_one_piece_are_lines_of_their_own_and_count_each() -> None:
    content = b"domain,tlp\ngoogle.com,ask us\nbad.kakenet-mal.org,ask us\n"
    fates = fates_of(content, marking=SourceMarking())
    lines = [line.strip() for line in Table(200).lines(fates[1])]
    assert lines[-3:] == ["reason: caveat-unrecognised", "reason: tlp-unmarked", "reason: warninglist-well-known"]
    counts = Counts(200)
    for fate in fates:
        counts.add(fate)
    titles = {rule.id: rule.title for rule in POLICY.rules.values()}
    shown = list(counts.lines(("JPN",), titles, POLICY.version[:12]))
    assert shown[1] == "  hold to JPN: 2"
    assert [line.split(":")[0].split() for line in shown[2:5]] == [
        ["2", "caveat-unrecognised"],
        ["2", "tlp-unmarked"],
        ["1", "warninglist-well-known"],
    ]


def test_json_has_one_object_a_line_with_the_keys_that_are_documented() -> None:
    [fate] = fates_of(b"bad.kakenet-mal.org\n")
    assert json.loads(as_json(fate)) == {
        "file": "feed",
        "line": 1,
        "value": "bad.kakenet-mal.org",
        "type": "domain-name",
        "outcome": "release",
        "reason": "tlp-green",
        "detail": "",
        "marking": "TLP:GREEN",
        "marking_from": "the operator's options",
        "partners": {"JPN": {"outcome": "release", "reason": "tlp-green"}},
    }
