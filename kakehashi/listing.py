"""How every command shows what it reads: a table on a terminal, JSON lines in a pipe or with ``--json``.

Commands that list things take ``AsJson``. Those that show one thing in sentences take ``TextAsJson``: they print text
in a pipe too, so that it can be sent to people, and JSON lines with ``--json``.
``tests/kakehashi/test_conventions.py`` holds all commands to it.
"""

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from kakehashi.terminal import console, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="JSON lines, as in a pipe.")]
OfDryRun = Annotated[bool, typer.Option("--json", help="JSON lines of --dry-run, as in a pipe.")]
TextAsJson = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]
Row = Mapping[str, Any]

_MEASURED: Final = 200  # rows whose cells set the width of the columns: a long listing shows its first lines at once
_GAP: Final = "  "
_LAST_WIDTH: Final = 44


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and the text of a row's cell, with a style of ``rich`` if ``style`` gives one.

    A ``main`` column is what the reader decides by: it is never cut and never left out. If the terminal is too narrow,
    the other columns are left out, the last first; then a last main column has a line of its own below.
    """

    heading: str
    cell: Callable[[Row], str]
    style: Callable[[Row], str] = lambda _: ""
    right: bool = False
    main: bool = False


def lines_wanted(as_json: bool) -> bool:
    """Whether a listing prints JSON lines."""
    return as_json or not sys.stdout.isatty()


def write_line(row: Row) -> None:
    """One row as a line of JSON, in the layout of all records (``consumers.queries.layout``)."""
    import msgspec

    from consumers.queries.layout import plain

    sys.stdout.buffer.write(msgspec.json.encode(plain(row)) + b"\n")


def show(rows: Iterable[Row], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """Print all rows. ``empty`` is what a person reads if there are none."""
    if lines_wanted(as_json):
        for row in rows:
            write_line(row)
        return
    found = iter(rows)
    first = list(itertools.islice(found, _MEASURED))
    if not first:
        typer.echo(empty)
        return
    _table(first, found, columns, console())


def _table(first: list[Row], rest: Iterable[Row], columns: Sequence[Column], terminal: "Console") -> None:
    from rich.text import Text

    widths = [_width(column, first) for column in columns]
    is_below = _is_below(columns, widths, terminal.width)
    kept = _that_fit(columns, widths, terminal.width, is_below=is_below)

    def draw(cells: "list[Text]") -> None:
        below = cells.pop() if is_below else None
        terminal.print(_line(cells, [widths[at] for at in kept], [columns[at].right for at in kept]), soft_wrap=True)
        if below is not None:
            terminal.print(Text(_GAP).append_text(below), soft_wrap=True)

    if any(column.heading for column in columns):
        draw([Text(columns[at].heading, "bold") for at in kept])
    for row in itertools.chain(first, rest):
        draw([Text(printable(columns[at].cell(row)), columns[at].style(row)) for at in kept])


def _width(column: Column, rows: Iterable[Row]) -> int:
    from rich.cells import cell_len

    return max(cell_len(column.heading), *(cell_len(printable(column.cell(row))) for row in rows))


def _is_below(columns: Sequence[Column], widths: Sequence[int], width: int) -> bool:
    """Whether the last column has lines of its own: beside the other main ones it has no room for a common value."""
    others = sum(widths[at] + len(_GAP) for at, column in enumerate(columns[:-1]) if column.main)
    return columns[-1].main and others + min(widths[-1], _LAST_WIDTH) > width


def _that_fit(columns: Sequence[Column], widths: Sequence[int], width: int, *, is_below: bool) -> list[int]:
    """The columns that a line has room for: all main ones, and as many of the others as fit, the first first. The last
    column may continue on the next line, so it takes no more room from the others than a common value needs."""
    needed = [*widths[:-1], 0 if is_below else min(widths[-1], _LAST_WIDTH)]
    left = width - sum(needed[at] + len(_GAP) for at, column in enumerate(columns) if column.main) + len(_GAP)
    kept = []
    for at, column in enumerate(columns):
        if column.main:
            kept.append(at)
            continue
        left -= needed[at] + len(_GAP)
        if left >= 0:
            kept.append(at)
    return kept


def _line(cells: "Sequence[Text]", widths: Sequence[int], right: Sequence[bool]) -> "Text":
    from rich.text import Text

    line = Text(no_wrap=True)
    for at, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        if right[at]:
            cell.pad_left(width - cell.cell_len)
        elif at < len(cells) - 1:
            cell.pad_right(width - cell.cell_len)
        line.append_text(cell).append(_GAP if at < len(cells) - 1 else "")
    return line
