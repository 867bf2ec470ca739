"""The page of measurements is printed from ``bench/results.json``: no figure on it is typed by hand."""

import json
import re
from pathlib import Path

from bench.page import page
from bench.results import load, save, text
from bench.role import ROOT

RESULTS = load(ROOT / "bench" / "results.json")


def test_the_page_is_what_the_results_and_the_template_give() -> None:
    assert (ROOT / "docs" / "performance.md").read_text("utf-8") == page(RESULTS)


def test_the_results_have_one_form_whoever_has_written_them(tmp_path: Path) -> None:
    assert (ROOT / "bench" / "results.json").read_text("utf-8") == text(RESULTS)
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"sections": {"idle": {"seed": 1}}}, indent=7), "utf-8")
    save(path, {"skew": {"seed": 2}})
    assert path.read_text("utf-8") == text(load(path))
    assert load(path)["sections"] == {"idle": {"seed": 1}, "skew": {"seed": 2}}


def test_every_part_has_its_command_and_a_commit_without_changes() -> None:
    for part, section in RESULTS["sections"].items():
        assert section["command"] == f"python -m bench --only {part}"
        assert re.fullmatch("[0-9a-f]{12}", section["commit"]), part


def test_the_page_states_whether_its_parts_are_of_one_commit() -> None:
    sections = {part: {**section, "commit": "0123456789ab"} for part, section in RESULTS["sections"].items()}
    assert "**All parts are of one commit**, 0123456789ab." in page({**RESULTS, "sections": sections})
    sections["idle"] = {**sections["idle"], "commit": "ba9876543210"}
    assert "**This page is of 2 commits.**" in page({**RESULTS, "sections": sections})
