"""Cuts CSV (RFC 4180 and its looser kin) into rows that know their line, each on its own.

The standard library's reader continues over line breaks until a quote is closed, so that one stray quote swallows
the rest of the file. Here a row may span a few lines; if its quote is still open then, its first line alone is
refused and reading continues behind it.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from producers.readers.lines import Block, Line
from producers.readers.reading import Rejected, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_ROW_LINES: Final = 16
MAX_ROW_CHARACTERS: Final = 1 << 20
COMMENT: Final = "comment"
_DELIMITERS: Final = (",", ";", "\t", "|")
_ODD: Final = ('"', "\r", "\n", "\0")
_BLANKS: Final = " \t\v\f\x1c\x1d\x1e\x1f"  # those of ASCII that str.strip takes off, but line breaks
_ODD_START: Final = re.compile(rb"\n[^0-~\r\n]")  # as of a comment; of a quoted cell, too
_LONG: Final = 1 << 16  # csv.field_size_limit() is 131,072


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: its position (the first of its lines), its cells, and its bytes."""

    place: SourcePlace
    cells: tuple[str, ...]
    original: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """A block of which each line is a row, with the same number of cells; ``columns`` have the cells of all rows."""

    block: Block
    columns: Sequence[Sequence[str]]

    def row(self, index: int) -> Row | None:
        """One of its rows, counted from 0; ``None`` of a blank line."""
        line = self.block.line(index)
        cells = tuple(column[index] for column in self.columns)
        return Row(line.place, cells, line.original) if line.text.strip() else None


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


def rows(
    upcoming: Iterator[Block | Line | Rejected], delimiter: str, is_comment: Callable[[str], bool]
) -> Iterator[Table | Row | Line | Rejected]:
    """All rows but blank ones, those of a table together; a comment is handed on as its line."""
    waiting: deque[Line | Rejected] = deque()
    while (piece := waiting.popleft() if waiting else next(upcoming, None)) is not None:
        if isinstance(piece, Block):
            table = _table_of(piece, delimiter, is_comment)
            if table is None:
                waiting.extend(piece)
            else:
                yield table
        elif isinstance(piece, Rejected) or is_comment(piece.text):
            yield piece
        elif piece.text and not piece.text.isspace():
            cells = cells_of(piece.text, delimiter)
            if cells is None:
                yield _spanning(piece, delimiter, waiting, upcoming)
            else:
                yield Row(piece.place, cells, piece.original)


def _table_of(block: Block, delimiter: str, is_comment: Callable[[str], bool]) -> Table | None:
    """The rows of a block; ``None`` if one of its lines may be something else, or has another number of cells."""
    content = block.content
    may_have_comment = (not b"0" <= content[:1] <= b"~") or _ODD_START.search(content) is not None
    if delimiter not in _DELIMITERS or len(content) > _LONG:
        return None
    if may_have_comment and any(map(is_comment, block.texts)):
        return None
    is_odd = b'"' in content or b"\0" in content
    columns = _columns_by_module(block.texts, delimiter) if is_odd else _columns(block, delimiter)
    return Table(block, columns) if columns else None


def _columns(block: Block, delimiter: str) -> Sequence[Sequence[str]]:
    """The columns of lines without quotes; empty if their rows differ in width.

    All are split at once. A line break becomes a cell: each is in its place only if all rows have the same width.
    """
    text, width, count = block.text, block.texts[0].count(delimiter) + 1, len(block)
    cells = text[:-1].replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    if len(cells) != count * (width + 1) - 1 or cells[width :: width + 1].count("\n") != count - 1:
        return ()
    if not text.isascii() or any(map(text.__contains__, _BLANKS)):
        cells = list(map(str.strip, cells))
    return [cells[place :: width + 1] for place in range(width)]


def _columns_by_module(texts: Sequence[str], delimiter: str) -> Sequence[Sequence[str]]:
    """The same of lines with quotes. A quoted cell with line breaks makes one row of several lines."""
    try:
        found = list(csv.reader(texts, delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return ()
    if len(found) != len(texts) or len(set(map(len, found))) != 1:
        return ()
    return [list(map(str.strip, column)) for column in zip(*found, strict=True)]


def _next(waiting: deque[Line | Rejected], upcoming: Iterator[Block | Line | Rejected]) -> Line | Rejected | None:
    if not waiting:
        piece = next(upcoming, None)
        if not isinstance(piece, Block):
            return piece
        waiting.extend(piece)
    return waiting.popleft()


def _spanning(
    first: Line, delimiter: str, waiting: deque[Line | Rejected], upcoming: Iterator[Block | Line | Rejected]
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
