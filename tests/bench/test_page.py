"""The page of measurements is printed from ``bench/results.json``: no figure on it is typed by hand."""

import re

from bench.page import page
from bench.results import load
from bench.role import ROOT

RESULTS = load(ROOT / "bench" / "results.json")


def test_the_page_is_what_the_results_and_the_template_give() -> None:
    assert (ROOT / "docs" / "performance.md").read_text("utf-8") == page(RESULTS)


def test_every_part_has_its_command_and_a_commit_without_changes() -> None:
    for part, section in RESULTS["sections"].items():
        assert section["command"] == f"python -m bench --only {part}"
        assert re.fullmatch("[0-9a-f]{12}", section["commit"]), part
