"""What the lines of a CSV list state about all of it: comments, titles, and rows without a value.

What a row states counts for that row alone, also if its value is invalid. A row whose words are in columns that are
not for markings may be a title with commas: it can restrict the list, and never releases what the list does not mark.
"""

from collections.abc import Iterable
from typing import Final

from producers.comments import is_comment
from producers.markings.marked import NOTHING, Marked
from producers.readers.csv_header import Layout, is_further_header
from producers.readers.csv_rows import cells_of
from producers.readers.lines import Block, Line
from producers.readers.list_heading import has_no_indicator, marking_of_line

_FEWEST_CELLS: Final = 2


class Headings:
    """The lines of one list, in their order: before its header row titles may have commas."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._has_begun = layout, not layout.header

    def marking_of(self, line: Line) -> Marked:
        """What this line states about the whole list."""
        text = line.text.strip()
        self._has_begun = self._has_begun or cells_of(text, self._layout.delimiter) == self._layout.header
        if not self._has_begun and not _is_layout(text, self._layout):
            return marking_of_line(line)
        if not is_about_list(text, self._layout):
            return NOTHING
        cells = cells_of(text, self._layout.delimiter) or ()
        if is_comment(text) or self._is_title(cells):
            return marking_of_line(line)
        return marking_of_line(Line(line.place, self._beside_markings(cells, text), line.original)).restricting

    def lines_about_list(self, block: Block) -> Iterable[Line]:
        """The lines of a block of which ``marking_of`` may find something: of most lists not one."""
        if not self._has_begun:
            return block
        return [
            block.line(index)
            for index, text in enumerate(block.texts)
            if not ("/" in text or "@" in text or text.count(":") > 1)  # as ``has_no_indicator``
            or (not "0" <= text[:1] <= "~" and is_comment(text))
        ]

    def _is_title(self, cells: tuple[str, ...]) -> bool:
        """Whether it is one text, and not in a column in which rows state their own marking."""
        places = [place for place, cell in enumerate(cells) if cell]
        is_wide = len(cells) == self._layout.columns.width
        return len(places) < _FEWEST_CELLS and not (is_wide and set(places) & self._layout.columns.marking_positions)

    def _beside_markings(self, cells: tuple[str, ...], text: str) -> str:
        """The words of a row with a value, right or wrong, that are not in columns for a row's own statements."""
        columns = self._layout.columns
        values = [place for place, _ in columns.indicators]
        if len(cells) != columns.width or not any(cells[place] for place in values):
            return text
        return " ".join(cells[place] for place in {*values, columns.roles.get("kind", values[0])})


def is_about_list(text: str, layout: Layout) -> bool:
    """Whether a line is a comment, or has no value; the line that names the columns is neither."""
    if _is_layout(text, layout):
        return False
    return is_comment(text) or (has_no_indicator(text) and not _names_columns(text, layout))


def _is_layout(text: str, layout: Layout) -> bool:
    return text == layout.names.strip() or text.startswith("sep=")


def _names_columns(text: str, layout: Layout) -> bool:
    cells = cells_of(text, layout.delimiter) or ()
    return cells == layout.header or is_further_header(cells)
