"""What commands print is what there is: no value, file name or message is markup, an emoji code, or obeyed."""

import ast
import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

import kakehashi
from consumers.subscription.changes import Change, change_of
from exchange.protocol.record import Record
from kakehashi import terminal
from kakehashi.commands.soc.tail import _change_lines
from kakehashi.listing import Column, show
from schemas.codec import RELEASED_INDICATOR, Codec
from tests.builders import NOW_MS, a_content, a_released

SOURCES = sorted(Path(kakehashi.__file__).parent.rglob("*.py"))
AS_IT_IS = ["README.adoc:100: refused", "[red]x[/red]", "report[1].json", "a :smile: b", "[/]", "10.0.0.1:80:"]

DECIDING = frozenset(
    {
        *("answer", "approved", "border", "ceiling", "kind", "outcome", "reason", "recalls", "state", "TLP"),
        *("until, UTC", "value", "value or id", "what was wrong"),
    }
)


def printed(value: object) -> str:
    console = terminal.console()
    console.file = out = io.StringIO()
    console.print(value)
    return out.getvalue()


@pytest.mark.parametrize("text", AS_IT_IS)
def test_a_console_prints_what_it_is_given(text: str) -> None:
    table = Table(box=None, show_header=False)
    table.add_row(text)
    assert printed(text).rstrip() == text
    assert printed(table).strip() == text
    assert printed(Text(text)).rstrip() == text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_console_is_made_in_one_place_and_no_markup_is_written(path: Path) -> None:
    if path.name == "terminal.py":
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            assert name not in ("Console", "from_markup"), f"{path}:{node.lineno}: use kakehashi.terminal.console"
            if name == "TextColumn":
                literal = isinstance(node.args[0], ast.Constant) and "description" not in str(node.args[0].value)
                off = any(each.arg == "markup" and not getattr(each.value, "value", True) for each in node.keywords)
                assert literal or off, f"{path}:{node.lineno}: a file's name is no markup"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_column_that_its_reader_decides_by_is_left_out_nowhere(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Column":
            heading = getattr(node.args[0], "value", "")
            is_main = any(each.arg == "main" and getattr(each.value, "value", False) for each in node.keywords)
            assert is_main or heading not in DECIDING, f"{path}:{node.lineno}: {heading} decides: main=True"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 200])
def test_a_table_has_its_main_columns_whole_at_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("kakehashi.listing.lines_wanted", lambda _: False)
    row = {name: f"{name}-{'x' * 12}" for name in ("key", "state", "sensor")} | {"why": "192.0.2.999 is none " * 5}
    columns = [Column(name, lambda row, name=name: row[name], main=name != "sensor") for name in row]  # type: ignore[misc]
    show([row], columns, as_json=False, empty="")
    shown = capsys.readouterr().out
    assert [name for name in ("key", "state", "why") if name not in shown or row[name] not in shown] == []
    assert (row["sensor"] in shown) == (width in (60, 80, 200)), "as far as it has room"


def a_change(value: str) -> Change:
    """A partner's live URL."""
    record = a_released(content=a_content(type="url", value=value, registered_domain=""))
    encoded = Codec().encode(RELEASED_INDICATOR, record)
    changed = change_of(Record("t", 0, 0, record["id"].encode(), encoded, NOW_MS), RELEASED_INDICATOR, Codec(), NOW_MS)
    assert isinstance(changed, Change)
    return changed


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_value_is_never_cut(width: int) -> None:
    value = f"https://{'long-' * 20}name.example.com/a/path"
    line, *_ = _change_lines(a_change(value), Console(width=width))
    assert value in line.plain
