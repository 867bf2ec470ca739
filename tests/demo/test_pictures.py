"""What is shown fits the terminal it is shown on, and states what happened; a pipe gets plain lines."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest
from rich.console import Console
from rich.text import Text

from demo.closing import closing
from demo.direction import Direction
from demo.figures import figures
from demo.flow import Event, Flow, Sign
from demo.image import save
from demo.kills import Outage, both
from demo.live import Lines, picture, showing
from demo.report import report
from demo.words import shown
from streams.rules.policy_set import load
from tests.builders import NOW_MS
from tests.demo.stands import a_stand
from tests.reference.audit import Audit
from tests.reference.model import Counts

FLOWS: Final = [
    Flow("GBR", "JPN", 1_000, 700, 690, 600, 500, 400, trouble="bridge GBR → JPN was killed"),
    Flow("JPN", "GBR", 2_000, 2_000, 1_999, 1_000, 900, 900),
]
EVENTS: Final = [Event(number, Sign.DONE, f"event {number} " + "x" * 150) for number in range(30)]
WIDTHS: Final = [80, 100, 120]


def _text(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def _console(width: int, *, terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), width=width, height=24, force_terminal=terminal, no_color=True, record=True)


@pytest.fixture(scope="module")
def directions() -> list[Direction]:
    counts = Counts({}, 5, 4, 1, 4, 2, 1, 1)
    audit = Audit("GBR", "JPN", counts, replicated=2, recalled=0, lost=0, duplicated=0, wrong=0, findings=())
    there = Direction("GBR", "JPN", figures(a_stand(), "JPN"), audit, load("GBR"))
    return [there, replace(there, home="JPN", partner="GBR", policy=load("JPN"))]


def _outages() -> list[Outage]:
    return [Outage(kill, 41, 42, NOW_MS, 0, 2_100) for kill in both("GBR", "JPN")]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_moving_picture_fits_the_smallest_terminal_and_shows_the_latest(width: int) -> None:
    console = _console(width)
    console.print(picture(FLOWS, EVENTS, Text("publishing"), 83.4, width, 24))
    lines = console.export_text().splitlines()
    assert len(lines) <= 24
    assert all(len(line) <= width for line in lines)
    page = "\n".join(lines)
    assert "01:23" in page
    assert "✖ bridge GBR → JPN was killed" in page
    assert "event 29" in page
    assert "event 0 " not in page
    assert lines[-1].strip() == "publishing"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_closing_picture_states_it_all_in_the_width_there_is(directions: list[Direction], width: int) -> None:
    console = _console(width)
    console.print(closing(directions, _outages(), NOW_MS, 91.0, width))
    page = console.export_text()
    assert all(len(line) <= width for line in page.splitlines())
    for words in ("GBR → JPN", "JPN → GBR", "RELEASE", "HOLD", "WITHHOLD", "p50", "p99", "red[.]example", "91 s"):
        assert words in page, words
    assert "Nothing lost, nothing twice" in page
    assert page.count("lost 0   duplicated 0   wrong 0") == 2
    assert "stream worker of GBR: work went on after 2.1 s" in page


def test_a_decision_takes_five_lines_at_most(directions: list[Direction]) -> None:
    console = _console(80)
    console.print(closing(directions, _outages(), NOW_MS, 91.0, 80))
    box = console.export_text().split("decisions, explained")[1].split("kakehashi explain")[0]
    announced = [line.strip("│ ") for line in box.splitlines()[1:-1]]
    pieces = "\n".join(announced).split("\n\n")
    assert [piece.split()[0] for piece in pieces] == ["RELEASE", "HOLD", "WITHHOLD"]
    assert all(len(piece.splitlines()) <= 5 for piece in pieces)


def test_a_broken_promise_is_stated_with_what_was_found(directions: list[Direction]) -> None:
    broken = replace(directions[0].audit, lost=1, findings=("lost: free.example at JPN",))
    console = _console(100)
    console.print(closing([replace(directions[0], audit=broken), directions[1]], [], NOW_MS, 91.0, 100))
    page = console.export_text()
    assert "A promise was broken" in page
    assert "lost: free.example at JPN" in page


def test_the_report_has_the_figures_of_each_direction(directions: list[Direction]) -> None:
    found = json.loads(report(directions, _outages(), 91.04))
    assert found["GBR->JPN"] | {"top_reasons": None} == {
        "observations_in": 6,
        "valid": 4,
        "quarantined": 2,
        "distinct": 4,
        "released": 2,
        "held": 1,
        "withheld": 1,
        "ended": 0,
        "recalled": 0,
        "replicated": 2,
        "received": 2,
        "lost": 0,
        "duplicated": 0,
        "wrong": 0,
        "latency_ms": {"p50": 4_000, "p99": 4_000},
        "top_reasons": None,
    }
    assert found["JPN->GBR"]["lost"] == 0
    assert [each["went_on_ms"] for each in found["killed"]] == [2_100, 2_100]
    assert found["seconds"] == 91.0


def test_a_pipe_gets_whole_lines_and_numbers_only_when_they_change() -> None:
    console = _console(40, terminal=False)
    with showing(console) as show:
        assert isinstance(show, Lines)
        show.occurred(EVENTS[3])
        show.now(11, "publishing", FLOWS)
        show.now(14, "publishing", FLOWS)
        show.now(30, "publishing", FLOWS)
    lines = _text(console).splitlines()
    assert lines[0] == f" 00:03  ✔ {EVENTS[3].words}"
    assert lines[1] == " 00:11  · GBR → JPN: 700 published, 690 valid, 600 distinct, 500 released, 400 at JPN"
    assert len(lines) == 3


def test_a_terminal_gets_a_picture_that_leaves_no_trace() -> None:
    console = _console(80)
    with showing(console) as show:
        show.occurred(EVENTS[0])
        show.now(1, "publishing", FLOWS)
    assert "published" in _text(console)
    assert "\x1b[?25h" in _text(console), "the cursor is there again"


def test_a_value_is_shown_so_that_no_terminal_makes_a_link_of_it() -> None:
    assert shown("http://bad.example/a.b") == "hxxp://bad[.]example/a[.]b"
    assert shown("192.0.2.7\x1b[2J") == "192[.]0[.]2[.]7\\x1b[2J"


def test_a_saved_picture_is_self_contained_and_gives_wide_characters_their_room(tmp_path: Path) -> None:
    path = tmp_path / "images" / "demo.svg"
    save(Text.assemble(("架け橋", "bold"), " plain"), path, "make demo", 80)
    page = path.read_text("utf-8")
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    root = ElementTree.fromstring(page)  # noqa: S314  # ours
    texts = {element.text: element for element in root.iter("{http://www.w3.org/2000/svg}text")}
    wide, plain = texts["架け橋"].get("textLength"), texts["\xa0plain"].get("textLength")
    assert wide is not None
    assert plain is not None
    assert float(wide) == pytest.approx(float(plain)), "three wide characters take six cells"
