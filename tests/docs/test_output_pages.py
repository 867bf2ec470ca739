"""Each output has a page, and the table of the page states what its declaration states."""

import re
from pathlib import Path
from typing import Final

import pytest

from consumers.outputs.known import outputs
from consumers.outputs.protocol import EVERY_TYPE, Output
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType
from tests.docs.pages import PAGES, ROOT, code_spans, links, shell_commands, tables

FOLDER: Final = ROOT / "docs" / "outputs"
ROWS: Final = ("carries", "PAP", "leaves by itself", "left out, and counted", "run by us")
STRICTEST: Final = {
    Activity.ACTIVE: "PAP:GREEN",
    Activity.PASSIVE_REMOTE: "PAP:AMBER",
    Activity.PASSIVE_LOCAL: "PAP:RED",
}
each_output = pytest.mark.parametrize("output", outputs().values(), ids=lambda output: output.name)


def page_of(output: Output) -> Path:
    """The page whose commands have a target of this output."""
    found = [
        page
        for page in PAGES
        if page.parent == FOLDER
        and any(word.startswith(f"{output.name}:") for _, words in shell_commands(page) for word in words)
    ]
    assert len(found) == 1, f"docs/outputs has {len(found)} pages that run {output.name}"
    return found[0]


def facts(output: Output) -> dict[str, str]:
    """The column of an output in the table of its page."""
    name = f"`{output.name}`"
    [(head, *rows)] = (rows for rows in tables(page_of(output)) if name in rows[0])
    return {row[0]: row[head.index(name)] for row in rows}


@each_output
def test_the_page_states_what_an_output_carries_and_up_to_which_pap(output: Output) -> None:
    found = facts(output)
    assert set(ROWS) <= set(found)
    named = frozenset(kind for kind in IndicatorType if f"`{kind.label}`" in found["carries"])
    if found["carries"].startswith("every type"):
        named = EVERY_TYPE - named
    assert named == output.carries
    assert re.search(r"PAP:[A-Z]+", found["PAP"]), found["PAP"]
    assert re.findall(r"PAP:[A-Z]+", found["PAP"])[0] == STRICTEST[output.activity]


@each_output
def test_every_option_of_an_output_is_on_its_page(output: Output) -> None:
    page = page_of(output)
    written = " ".join([*code_spans(page), *(word for _, words in shell_commands(page) for word in words)])
    missing = [name for name in output.options if not re.search(rf"[?&]{name}=", written)]
    assert missing == []


def test_the_analysts_page_leads_to_every_page_of_outputs() -> None:
    analyst = ROOT / "docs" / "soc-analyst.md"
    led = {link.partition("#")[0] for link in links(analyst) if link.startswith("outputs/")}
    pages = {f"outputs/{page.name}" for page in FOLDER.glob("*.md")}
    assert pages - led == {"outputs/push.md"}  # the pages of receivers lead there
    assert set(outputs()) <= set(code_spans(analyst))
