"""Cuts CSV (RFC 4180 and its looser kin) into rows that know their line, each on its own.

The standard library's reader goes on over line breaks until a quote is closed, so that one stray quote swallows
the rest of the file. Here a row may span a few lines, and if its quote is still open then, its first line alone
is refused and reading goes on behind it.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from producers.inputs import Input
from producers.readers.lines import Line, decoded, lines
from producers.readers.reading import Defaults, Rejected, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_ROW_LINES: Final = 16
MAX_ROW_CHARACTERS: Final = 1 << 20
_DELIMITERS: Final = (",", ";", "\t", "|")
_COMMENT: Final = "#"


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: its cells, its first line's number, and its bytes."""

    number: int
    cells: tuple[str, ...]
    original: bytes


def delimiter_of(sample: Sequence[str]) -> str | None:
    """The delimiter that gives these lines the same number of cells, more than one; ``None`` if none does."""
    best, widest = None, 1
    for delimiter in _DELIMITERS:
        widths = [len(cells) for line in sample if (cells := cells_of(line, delimiter)) is not None]
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        if usual > widest and widths.count(usual) * 10 >= len(sample) * 8:
            best, widest = delimiter, usual
    return best


def cells_of(text: str, delimiter: str) -> tuple[str, ...] | None:
    """The cells of one row; ``None`` where a quote is left open or stands where none can."""
    try:
        rows = list(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return None
    return tuple(cell.strip() for cell in rows[0]) if rows else ()


def rows(source: Input, defaults: Defaults, delimiter: str) -> Iterator[Row | Rejected]:
    """All rows but blank ones and comments."""
    waiting: deque[Line | Rejected] = deque()
    upcoming = lines(source)
    while (line := _next(waiting, upcoming)) is not None:
        if isinstance(line, Rejected):
            yield line
            continue
        place = SourcePlace(source.name, line.number)
        text = decoded(line.content, defaults.encoding, place)
        if isinstance(text, Rejected):
            yield text
            continue
        if not text.strip() or text.startswith(_COMMENT):
            continue
        cells = cells_of(text, delimiter)
        if cells is not None:
            yield Row(line.number, cells, line.content)
            continue
        yield _spanning(line, text, source.name, defaults, delimiter, waiting, upcoming)


def _next(waiting: deque[Line | Rejected], upcoming: Iterator[Line | Rejected]) -> Line | Rejected | None:
    return waiting.popleft() if waiting else next(upcoming, None)


def _spanning(
    first: Line,
    text: str,
    name: str,
    defaults: Defaults,
    delimiter: str,
    waiting: deque[Line | Rejected],
    upcoming: Iterator[Line | Rejected],
) -> Row | Rejected:
    """A row whose quoted cell has line breaks; what was looked at in vain is put back."""
    original, taken = first.content, list[Line | Rejected]()
    for _ in range(MAX_ROW_LINES - 1):
        line = _next(waiting, upcoming)
        if line is None:
            break
        taken.append(line)
        if isinstance(line, Rejected):
            break
        more = decoded(line.content, defaults.encoding, SourcePlace(name, line.number))
        if isinstance(more, Rejected):
            break
        text, original = f"{text}\n{more}", b"\n".join((original, line.content))
        if len(text) > MAX_ROW_CHARACTERS:
            break
        cells = _spanning_cells(text, delimiter) if '"' in more else None
        if cells is not None:
            return Row(first.number, cells, original)
    waiting.extendleft(reversed(taken))
    return rejected(
        SourcePlace(name, first.number),
        RejectReason.UNREADABLE_LINE,
        "the row has a quote that is not closed, or text behind a closed quote: double a quote that is meant",
        first.content,
    )


def _spanning_cells(text: str, delimiter: str) -> tuple[str, ...] | None:
    try:
        found = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return tuple(cell.strip() for cell in found[0]) if len(found) == 1 else None
