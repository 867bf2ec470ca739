"""The guards themselves: the labels that they know, their imports, and that their rules fit on one page."""

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest

from consumers.bridge import guard, guard_content, receipt_guard
from exchange.authority.links import shipped_links
from schemas.markings import Caveat, Pap, Tlp

LINES_OF_A_PAGE = 60  # of A4, in a hand's size of type

AGREED_CAVEATS = {
    "BENIGN", "DRAFT", "FOREIGN HANDLING", "INCIDENT", "OFFICIAL-SENSITIVE", "PERSONAL DATA", "機密性3情報",
    "関係者限り", "複製禁止",
}  # fmt: skip


def test_every_label_of_the_vocabulary_is_decided_on() -> None:
    """A label that is added to the vocabulary stays at home until a link agrees on it."""
    assert {caveat.value for caveat in Caveat} == AGREED_CAVEATS | guard.NEVER
    for agreed in shipped_links().values():
        assert (agreed.caveats, agreed.tlp) == (frozenset(AGREED_CAVEATS), guard.FREE_TLP | guard.NAMED_TLP)
    assert {tlp.label for tlp in Tlp} - {"", "TLP:RED"} == guard.FREE_TLP | guard.NAMED_TLP
    assert {pap.label for pap in Pap} == guard.PAP


@pytest.mark.parametrize("module", [guard, guard_content, receipt_guard], ids=["indicators", "content", "receipts"])
def test_the_guard_imports_the_contract_and_nothing_else_of_ours(module: ModuleType) -> None:
    """``make check`` holds the same with all that is imported in turn (pyproject.toml)."""
    tree = ast.parse(Path(module.__file__ or "").read_text("utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    ours = {name.split(".")[0] for name in modules - {"consumers.bridge.guard", "consumers.bridge.guard_content"}}
    assert ours - {"collections", "itertools", "typing", "uuid", "msgspec"} == {"schemas"}
    assert "schemas.markings" not in modules


@pytest.mark.parametrize(("module", "rules"), [(guard, 11), (receipt_guard, 6)], ids=["indicators", "receipts"])
def test_the_rules_of_the_guard_fit_on_one_page_and_each_is_numbered(module: ModuleType, rules: int) -> None:
    page = (module.__doc__ or "").splitlines()
    assert len(page) <= LINES_OF_A_PAGE
    numbered = [int(line.split(".")[0]) for line in page if re.match(r"[0-9]+\. ", line)]
    assert numbered == list(range(1, rules + 1))
