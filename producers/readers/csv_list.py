"""Reads CSV lists of indicators: one or several indicator columns, with or without a header.

``csv_header`` finds the columns' names, ``csv_columns`` decides what they mean, and ``csv_row_marking`` how far a row
may travel. Everything that a row states must be readable: an unreadable date, count or confidence refuses the row, with
advice, because an expiry date must not be lost in silence. So does a row that is wider than the header: an unquoted
delimiter has shifted its cells under the wrong names.
"""

from collections.abc import Iterator
from itertools import repeat
from operator import contains
from typing import Final

import msgspec

from producers.comments import is_comment
from producers.inputs import OpenInput
from producers.markings.marked import Marked
from producers.readers.csv_alike import Alike
from producers.readers.csv_columns import Columns, columns_of, is_file_name
from producers.readers.csv_header import Layout, is_further_header, layout_of, separator_of
from producers.readers.csv_heading import Headings
from producers.readers.csv_row_marking import marked_row
from producers.readers.csv_rows import COMMENT, Row, Table, delimiter_of, rows
from producers.readers.csv_status import ending_of
from producers.readers.csv_values import PLACEHOLDERS, template_of, values_of
from producers.readers.document import whole
from producers.readers.lines import Line
from producers.readers.list_heading import Heading
from producers.readers.not_carried import kind_named, kind_of, looks_like
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, Withdrawn, rejected
from producers.readers.type_words import TYPES, folded
from schemas.normalise import detect
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal

_HEADER: Final = "header"
_TITLE: Final = "title"
_INACTIVE: Final = "inactive"
_NOT_TO_IDS: Final = "not-to-ids"
_WITHDRAWN: Final = "withdrawn"
_NO_VALUE: Final = "no-value"
_UNKNOWN_COLUMN: Final = "unknown-column"
_FILE_NAME: Final = "file-name-beside-hash"
_ADDRESSES: Final = frozenset({IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR})
_NO: Final = frozenset({"false", "no", "0", "n"})


def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each indicator of each row, and for each row and column that holds none."""
    head = Head(source.head, source.name, defaults.encoding)
    layout = layout_of(head, defaults.columns, defaults.mapping)
    if isinstance(layout, str) or "\ufffd" in "".join((*layout.header, layout.names)):
        detail = layout if isinstance(layout, str) else "the header cannot be read"
        yield whole(source, RejectReason.UNKNOWN_FORMAT, head.encoding_problem or detail)
        return
    reading = _Reading(source, layout, f"sep={separator_of(head)}", defaults)
    for piece in rows(reading.heading.pieces(), layout.delimiter, is_comment):
        yield from reading.of_table(piece) if isinstance(piece, Table) else reading.of_piece(piece)


class _Reading:
    """One list as it is read: its columns and its heading, as far as its lines have stated them."""

    def __init__(self, source: OpenInput, layout: Layout, separator: str, defaults: Defaults) -> None:
        headings = Headings(layout)
        self.heading = Heading(source, defaults.encoding, headings.marking_of, headings.lines_about_list)
        self._layout, self._separator, self._defaults = layout, separator, defaults
        self._columns, self._header = layout.columns, layout.header
        self._alike = Alike(self._columns, self.heading.marked, defaults)

    def of_table(self, table: Table) -> Iterator[Reading]:
        """The readings of rows without comments among them: of those that are alike at once, of others one by one."""
        alike, header = self._current(), self._layout.header
        may_have_header = bool(header) and all(map(contains, table.columns, header))
        is_plain = not self._header and not may_have_header
        found = alike.readings(table) if is_plain else repeat(None, len(table.block))
        for index, seen in enumerate(found):
            if seen is not None and alike.columns is self._columns:
                yield seen
            elif (row := table.row(index)) is not None:
                yield from self.of_piece(row)

    def of_piece(self, row: Row | Line | Rejected) -> Iterator[Reading]:
        """The readings of one row, or of a line between rows."""
        if isinstance(row, Line):
            yield LeftOut(row.place, COMMENT)
            if row.text == self._layout.names:
                yield from _unknown_columns(row, self._columns)
        elif not isinstance(row, Row):
            yield row
        elif row.original.startswith(b"sep=") and row.original.decode("ascii", "ignore").strip() == self._separator:
            yield LeftOut(row.place, _HEADER, self._separator)
        elif self._header and row.cells != self._header:
            yield LeftOut(row.place, _TITLE)
        elif row.cells != self._layout.header and (seen := self._known(row)) is not None:
            yield seen
        elif row.cells == self._layout.header or is_further_header(row.cells):
            self._header, self._columns = (), columns_of(row.cells, self._defaults.mapping) or self._columns
            yield LeftOut(row.place, _HEADER)
            yield from _unknown_columns(row, self._columns)
        else:
            self._header = ()
            found = list(_readings(row, self._columns, self.heading.marked, self._defaults))
            yield from found
            self._current().learn(row, found)

    def _known(self, row: Row) -> Seen | None:
        """The reading of a row that is like an earlier one under the same columns and the same heading."""
        return None if self._header or self._is_outdated() else self._alike.reading(row)

    def _current(self) -> Alike:
        """What is known of rows under these columns and this heading."""
        if self._is_outdated():
            self._alike = Alike(self._columns, self.heading.marked, self._defaults)
        return self._alike

    def _is_outdated(self) -> bool:
        return self._alike.columns is not self._columns or self._alike.heading is not self.heading.marked


def _unknown_columns(row: Row | Line, columns: Columns) -> Iterator[LeftOut]:
    for _place, name in columns.unknown:
        if name:
            yield LeftOut(row.place, _UNKNOWN_COLUMN, name)


def _readings(row: Row, columns: Columns, heading: Marked, defaults: Defaults) -> Iterator[Reading]:
    problem = _width_problem(row, columns)
    if problem:
        yield rejected(row.place, RejectReason.UNREADABLE_LINE, problem, row.original)
        return
    cells = {role: row.cells[place] for role, place in columns.roles.items() if place < len(row.cells)}
    object_id = cells.get("uuid", "") if "to_ids" in cells else ""  # only MISP's are known to be of one value each
    is_off = cells.get("to_ids", "").lower() in _NO
    if is_off and not object_id:
        yield LeftOut(row.place, _NOT_TO_IDS)
        return
    marked = heading.join(marked_row(row.cells, columns))
    template = template_of(cells, columns.zones, marked, defaults)
    if isinstance(template, str):
        yield rejected(row.place, RejectReason.UNREADABLE_LINE, template, row.original)
        return
    ending = Withdrawal.REVOKED if is_off or marked.withdrawn else _ending_of(row, columns)
    template = msgspec.structs.replace(template, withdrawal=ending)
    rule = _NOT_TO_IDS if is_off else _INACTIVE if ending is Withdrawal.LAPSED else _WITHDRAWN
    for reading in _values(row, columns, template, folded(cells.get("kind", ""))):
        yield _of_object(reading, object_id, marked.with_default(defaults.marking), rule)


def _ending_of(row: Row, columns: Columns) -> Withdrawal | None:
    """How the row's statuses end its assertion: that it is wrong counts before that it is over."""
    stated = [ending_of(name, row.cells[place]) for place, name in columns.statuses if place < len(row.cells)]
    return min(filter(None, stated), default=None)


def _values(row: Row, columns: Columns, template: Observation, stated: str) -> Iterator[Reading]:
    """One reading for each value of a row. A file name beside a hash is context: any file may have it."""
    prefix = row.cells[columns.roles["prefix"]] if columns.roles.get("prefix", len(row.cells)) < len(row.cells) else ""
    found = [
        (value, kind, word)
        for place, word in columns.indicators
        if place < len(row.cells) and (cell := row.cells[place]).lower() not in PLACEHOLDERS
        for value, kind in values_of(_with_prefix(cell, prefix), word, stated)
    ]
    names = [value for value, _, word in found if is_file_name(word)]
    has_hash = any(isinstance(kind, IndicatorType) and not is_file_name(word) for _, kind, word in found)
    if names and has_hash:
        template = msgspec.structs.replace(template, context=(*template.context, ("file-name", names[0])))
    for value, kind, word in found:
        if isinstance(kind, str):
            named = kind_of(value) or (kind_named(word or stated) if word or stated else "")
            detail = f"{value[:40]!r}: {kind}{looks_like(value)}{_other_column(columns, word or stated)}"
            yield rejected(row.place, RejectReason.UNKNOWN_TYPE, detail, row.original, named)
        elif is_file_name(word) and has_hash:
            yield LeftOut(row.place, _FILE_NAME, value)
        else:
            yield Seen(row.place, msgspec.structs.replace(template, kind=kind, value=value))
    if not found:
        yield LeftOut(row.place, _NO_VALUE)


def _other_column(columns: Columns, word: str) -> str:
    """What to do if the values may be in another column: its name is that of a type, and no type is stated."""
    name = "" if word else next((name for _, name in columns.unknown if folded(name) in TYPES), "")
    return f"; if the column {name!r} has the values, state it with --map '{name}=value'" if name else ""


def _with_prefix(cell: str, prefix: str) -> str:
    """An address whose prefix length or mask is in a column of its own is a network, not that one address."""
    return f"{cell}/{prefix.lstrip('/')}" if prefix and detect(cell) in _ADDRESSES else cell


def _of_object(reading: Reading, object_id: str, marked: Marked, rule: str) -> Reading:
    """The reading with the source's own id, if it has one: it orders and ends what the source asserts."""
    if not isinstance(reading, Seen):
        return reading
    seen = reading.observation
    if not object_id or seen.withdrawal is None:
        return Seen(reading.place, seen, marked.origins, object_id)
    return Withdrawn(
        reading.place,
        rule,
        object_id,
        kind=seen.kind,
        value=seen.value,
        withdrawal=seen.withdrawal,
        object_id=object_id,
        modified_ms=0,
    )


def _width_problem(row: Row, columns: Columns) -> str:
    """Why a row does not fit the header; empty if it does. Empty cells at its end do not count."""
    width = len(row.cells)
    while width > columns.width and not row.cells[width - 1]:
        width -= 1
    if width > columns.width:
        return (
            f"the row has {width} cells and the header {columns.width}: quote a cell that has the delimiter in it, so "
            "that no cell is read under another's name"
        )
    if any(place >= width for place in columns.marking_positions):
        return f"the row has {width} cells and the header {columns.width}, and its marking may be in a missing one"
    return ""


def _recognise(head: Head) -> Recognition | None:
    """Lines with the same number of cells are a table, unless only a count or a comment follows (a text list)."""
    if not head.is_list:
        return None
    if separator_of(head):
        return Recognition(Specificity.WORDS)
    delimiter = delimiter_of(head.rows)
    if delimiter == "\t" and all(line.rpartition("\t")[2].strip().isdigit() for line in head.rows):
        return None
    if delimiter == ";" and all(line.startswith(";") or " ;" in line for line in head.rows):
        return None
    if delimiter is not None:
        return Recognition(Specificity.SHAPE)
    return Recognition(Specificity.NAME) if head.has_extension(".csv") else None


READER: Final = Reader(
    name="csv-list",
    reads="the columns that hold indicators, by an English or Japanese header, also in a comment; without one by their "
    "values, if only one meaning is possible; else with `--columns date,type,value`",
    leaves_out={
        COMMENT: "lines that begin with `#` or `//`",
        _TITLE: "lines above the header",
        _HEADER: "the row that names the columns",
        _UNKNOWN_COLUMN: "columns whose name is not known, once for each",
        _INACTIVE: "rows that their source calls inactive or expired: withdrawn",
        _NOT_TO_IDS: "rows that are not `to_ids`: withdrawn, if they have a `uuid`",
        _WITHDRAWN: "rows that are deleted, revoked or a false positive: withdrawn",
        _NO_VALUE: "rows without a value",
        _FILE_NAME: "the file name of a row that has a hash",
    },
    example=b"first_seen,type,value,tlp,active\n2026-11-20,domain,bad.example.com,TLP:GREEN,1\n"
    b"2026-11-20,url,http://bad.example.com/a,TLP:AMBER,0\n,ip,-,TLP:GREEN,1\n",
    recognise=_recognise,
    read=read,
)
