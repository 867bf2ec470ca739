"""The marking of a row of a CSV list: every column that is about sharing, the tags, and the rest of its cells.

=====================================  ===============================================================================
column                                 how its cells are understood
=====================================  ===============================================================================
``tlp``, ``pap``, ``handling``, …      every word must be understood, or the row holds
recipients (``releasable_to``)         nations; "none" names no nation
tags, labels, classification           a marking, a restriction, or a label
description, tearline, and the like    labels and restrictions in the text
statuses, unknown                      whatever looks like a restriction; a bare colour of TLP holds
=====================================  ===============================================================================
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from producers.markings.folding import words
from producers.markings.marked import NOTHING, Marked, joined, of_caveat, unrecognised
from producers.markings.properties import is_silent_flag
from producers.markings.remembered import remembered
from producers.markings.schemes import bare_colours, nations_in
from producers.markings.understanding import of_field, of_nations, of_prose, of_tag
from producers.readers.csv_columns import Columns, is_severity
from producers.readers.csv_status import NO, YES, ending_of
from producers.readers.list_heading import of_note
from producers.readers.list_times import list_milliseconds
from producers.readers.type_words import folded
from schemas.markings import Caveat, SourceMarking

_NOBODY: Final = frozenset({"none", "nobody", "no one", "なし", "不可"})
_SILENT: Final = frozenset({"", "-", "--", "n/a", "na", "null"})
_PROSE_ROLES: Final = ("description", "tearline", "reporter", "reference")
# MISP's distribution levels: your organisation, this community, connected communities, all, a sharing group.
_DISTRIBUTION: Final = {
    **dict.fromkeys(("0", "1", "4"), Marked(SourceMarking(releasable_to=()))),
    **dict.fromkeys(("2", "3"), NOTHING),
}
_OPEN: Final = frozenset({"TLP:CLEAR"})
# Whether a value is there to be acted on: its source does not want it blocked.
_TO_ACT: Final = frozenset(
    {"block", "toblock", "shouldblock", "detect", "todetect", "detection", "遮断", "検知対象", "遮断対象"}
)


def marked_row(cells: Sequence[str], columns: Columns) -> Marked:
    """What a row states about sharing, with its labels, its confidence and whether it takes the indicator back."""
    return joined(_findings(cells, columns))


def _findings(cells: Sequence[str], columns: Columns) -> Iterator[Marked]:
    for place, name in columns.markings:
        yield _of_marking(_at(cells, place), name, f'column {place + 1}, header "{name}"')
    for place, name in columns.recipients:
        yield _of_recipients(_at(cells, place), f'column {place + 1}, header "{name}"')
    for place in columns.tags:
        yield of_prose(
            _at(cells, place), f"column {place + 1}"
        )  # a label that is cut at its blank: #tlp:amber + strict
        for tag in tags_of(_at(cells, place)):
            yield of_tag(tag, f"column {place + 1}")
    for role in _PROSE_ROLES:
        if role in columns.roles:
            yield of_prose(_at(cells, columns.roles[role]), f"column {columns.roles[role] + 1}")
    for place, name in (*columns.statuses, *columns.unknown):
        if ending_of(name, _at(cells, place)) is None:  # a word that ends the row restricts nothing
            yield _of_unknown(_at(cells, place), name, f"column {place + 1}")


def tags_of(cell: str) -> list[str]:
    """Hashtags are separated by blanks, other tags by commas or semicolons."""
    parts = cell.split() if cell.startswith(("#", "＃")) else several(cell)
    return [part.lstrip("#＃") for part in parts]


def several(cell: str) -> tuple[str, ...]:
    """The parts of a cell that holds several things."""
    return tuple(part.strip() for part in cell.replace("、", ";").replace(",", ";").split(";") if part.strip())


@remembered(16_384)
def _of_marking(cell: str, name: str, where: str) -> Marked:
    word = folded(name)
    if is_silent_flag(name, cell):
        return NOTHING
    if cell.strip().lower() in YES and (flag := _of_flag(name, where)) != NOTHING:
        return flag
    if word.endswith("distribution") and cell in _DISTRIBUTION:
        return _DISTRIBUTION[cell]
    if word.startswith("releas") and list_milliseconds(cell) is not None:
        return NOTHING  # when it was released
    if word == "pap" and cell.strip().lower() not in _SILENT and not cell.strip().lower().startswith("pap"):
        return of_field(f"PAP:{cell.strip()}", where)
    return of_field(cell, where)


@remembered(16_384)
def _of_recipients(cell: str, where: str) -> Marked:
    text = cell.strip().lower()
    if text in _SILENT:
        return NOTHING
    if text in _NOBODY:
        return Marked(SourceMarking(releasable_to=()), (where,))
    parts = several(cell)
    if all(nations_in(words(part)) or _is_code(part) for part in parts):
        return of_nations(parts, where)
    return of_field(cell, where)


@remembered(65_536)
def _of_unknown(cell: str, name: str, where: str) -> Marked:
    stated = cell.strip().lower()
    if stated in YES:
        return _of_flag(name, where)
    if stated in NO and folded(name) in _TO_ACT:
        return of_caveat(Caveat.BENIGN, f'{where} "{cell}"')
    colours = bare_colours(words(cell))
    if colours and is_severity(name):
        return NOTHING
    if colours and not set(colours) <= _OPEN:
        return unrecognised(cell, where)
    return of_note(cell, where)


@remembered(1_024)
def _of_flag(name: str, where: str) -> Marked:
    """What a column whose name restricts states if its value is yes: ``noforn``, ``internal_only``, ``draft``."""
    return NOTHING if bare_colours(words(name)) else msgspec.structs.replace(of_tag(name, where), labels=())


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha()


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
