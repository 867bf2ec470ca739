"""Cuts CSV (RFC 4180 and its looser kin) into rows that know their line, each on its own.

The standard library's reader continues over line breaks until a quote is closed, so that one stray quote swallows
the rest of the file. Here a row may span a few lines; if its quote is still open then, its first line alone is
refused and reading continues behind it.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from producers.inputs import OpenInput
from producers.readers.lines import Line, lines
from producers.readers.reading import Rejected, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_ROW_LINES: Final = 16
MAX_ROW_CHARACTERS: Final = 1 << 20
COMMENT: Final = "comment"
_DELIMITERS: Final = (",", ";", "\t", "|")
_COMMENT_SIGN: Final = "#"
_ODD: Final = ('"', "\r", "\n", "\0")
_LONG: Final = 1 << 16  # csv.field_size_limit() is 131,072


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: its position (the first of its lines), its cells, and its bytes."""

    place: SourcePlace
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
    """The cells of one row; ``None`` if a quote is left open or is in an invalid place."""
    if text and len(text) < _LONG and delimiter in _DELIMITERS and not any(map(text.__contains__, _ODD)):
        return tuple(map(str.strip, text.split(delimiter)))
    try:
        rows = list(csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return None
    return tuple(cell.strip() for cell in rows[0]) if rows else ()


def rows(source: OpenInput, encoding: str, delimiter: str) -> Iterator[Row | Line | Rejected]:
    """All rows but blank ones; a comment is handed on as its line."""
    waiting: deque[Line | Rejected] = deque()
    upcoming = lines(source, encoding)
    while (line := waiting.popleft() if waiting else next(upcoming, None)) is not None:
        if isinstance(line, Rejected) or line.text.startswith(_COMMENT_SIGN):
            yield line
        elif line.text and not line.text.isspace():
            cells = cells_of(line.text, delimiter)
            if cells is None:
                yield _spanning(line, delimiter, waiting, upcoming)
            else:
                yield Row(line.place, cells, line.original)


def _next(waiting: deque[Line | Rejected], upcoming: Iterator[Line | Rejected]) -> Line | Rejected | None:
    return waiting.popleft() if waiting else next(upcoming, None)


def _spanning(
    first: Line, delimiter: str, waiting: deque[Line | Rejected], upcoming: Iterator[Line | Rejected]
) -> Row | Rejected:
    """A row whose quoted cell has line breaks. Lines that turn out not to belong to it are put back."""
    text, original, taken = first.text, first.original, list[Line | Rejected]()
    for _ in range(MAX_ROW_LINES - 1):
        line = _next(waiting, upcoming)
        if line is None:
            break
        taken.append(line)
        if isinstance(line, Rejected):
            break
        text, original = f"{text}\n{line.text}", b"\n".join((original, line.original))
        if len(text) > MAX_ROW_CHARACTERS:
            break
        cells = _spanning_cells(text, delimiter) if '"' in line.text else None
        if cells is not None:
            return Row(first.place, cells, original)
    waiting.extendleft(reversed(taken))
    return rejected(
        first.place,
        RejectReason.UNREADABLE_LINE,
        "the row has a quote that is not closed, or text behind a closed quote: double a quote that is part of a cell",
        first.original,
    )


def _spanning_cells(text: str, delimiter: str) -> tuple[str, ...] | None:
    try:
        found = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return tuple(cell.strip() for cell in found[0]) if len(found) == 1 else None
