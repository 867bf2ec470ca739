"""What a report in prose states about sharing, anywhere in it: it counts for all of it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from producers.markings.marked import NOTHING, Marked, joined, unrecognised
from producers.markings.properties import is_about_sharing, of_properties, scheme_of
from producers.markings.report_lines import of_names_and_values, of_report_line
from producers.markings.understanding import meaning_of, of_field, of_file_names, of_prose, of_running_text, of_tag
from producers.readers.prose_text import Prose, Stated

_KEYWORDS: Final = frozenset({"keywords", "tags", "labels"})
_UNREADABLE: Final = "\ufffd"
_MOST_COLUMNS: Final = 64
_LONGEST_NAME: Final = 40
_AROUND: Final = " *_`\t"


def marking_of(prose: Prose, names: tuple[str, ...]) -> Marked:
    """All of it: the names of the file and of attachments, what is beside the text, its lines and its tables."""
    lines = [(text.strip(), f"line {number}") for number, text in prose.lines]
    tables = [*prose.tables, *_tables_of(prose)]
    cells = [(cell.strip(), "a table") for table in tables for row in table for cell in row]
    return joined(
        (
            of_file_names((*names, *prose.attachments)),
            *map(_of_stated, prose.stated),
            *(_of_line(text, where, place in prose.values) for place, (text, where) in enumerate(lines)),
            *map(_of_table, tables),
            of_names_and_values((*lines, *cells)),
        )
    )


def _of_line(text: str, where: str, is_value: bool) -> Marked:
    found = of_report_line(text, where, is_value=is_value) if text else NOTHING
    return found.join(unrecognised("text that cannot be read", where)) if _UNREADABLE in text else found


def _tables_of(prose: Prose) -> Iterator[list[list[str]]]:
    """The tables of a text, by the lines that Markdown and AsciiDoc write with bars."""
    for has_bars, lines in groupby(prose.lines, lambda line: "|" in line[1]):
        if has_bars:
            yield [text.strip().strip("|").split("|") for _, text in lines]


def _of_table(rows: Sequence[Sequence[str]]) -> Marked:
    """The cells beneath a heading that is about sharing, and beside one of a table of names and values."""
    first, *others = rows or ((),)
    pairs = [row for row in rows if len(row) == 2 and _is_name(row[0])]
    is_named = first in pairs and meaning_of(_with_scheme(first[0], first[1]), "") is not None
    pairs = pairs if is_named else [row for row in pairs if row is not first]
    found = [_of_cell(name, cell) for name, cell in pairs]
    for place, name in enumerate(() if is_named else first[:_MOST_COLUMNS]):
        if _is_name(name):
            found += [_of_cell(name, row[place]) for row in others if place < len(row)]
    return joined(found)


def _is_name(cell: str) -> bool:
    return len(cell) <= _LONGEST_NAME and is_about_sharing(cell)


def _of_cell(name: str, cell: str) -> Marked:
    text = cell.strip(_AROUND)
    return of_field(_with_scheme(name, text), f"table, {name.strip()!r}") if text.strip("-=:") else NOTHING


def _with_scheme(name: str, cell: str) -> str:
    scheme = scheme_of(name)
    return f"{scheme}:{cell.strip(_AROUND)}" if scheme else cell.strip(_AROUND)


def _of_stated(stated: Stated) -> Marked:
    where = stated.name or "comment"
    if _UNREADABLE in stated.text:
        return unrecognised("text that cannot be read", where)
    if stated.name.lower() in _KEYWORDS:
        return joined(of_tag(tag, where) for tag in stated.text.split(",") if tag.strip())
    if stated.name and is_about_sharing(stated.name):
        return of_properties({stated.name: stated.text}, (), "report")
    return of_prose(stated.text, where) if stated.may_be_heading else of_running_text(stated.text, where)
