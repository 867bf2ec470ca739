"""Reads CSV lists of indicators: one or several indicator columns, with or without a header.

``csv_columns`` decides what a column means. Everything that a row states must be readable: an unreadable date, count
or confidence refuses the row, with advice, because an expiry date must not be lost in silence. Rows that their source
calls inactive are left out. Tags become labels (without their ``#``), or the marking if they are one.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from producers.inputs import Input
from producers.readers.csv_columns import (
    KIND_BY_WORD,
    OPEN_WORDS,
    Columns,
    columns_of,
    folded,
    guessed_names,
    has_header,
)
from producers.readers.csv_rows import COMMENT, Row, cells_of, delimiter_of, rows
from producers.readers.document import whole
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Seen, rejected
from producers.readers.source_marking import marking_of_tags, stricter
from producers.readers.times import milliseconds
from schemas.markings import SourceMarking
from schemas.normalise import detect
from schemas.observation import Observation
from schemas.tearline import TEARLINE
from schemas.vocabulary import IndicatorType, RejectReason

_HEADER: Final = "header"
_IS_INACTIVE: Final = "inactive"
_NO_VALUE: Final = "no-value"
_PLACEHOLDERS: Final = frozenset({"", "-", "--", "n/a", "na", "none", "null", "unknown", "なし", "不明"})
_INACTIVE: Final = frozenset({"false", "no", "0", "n"})
_CONFIDENCE_WORDS: Final = {"low": 15, "medium": 50, "med": 50, "high": 85}  # STIX 2.1, appendix A
_MAX_DIGITS: Final = 18


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each indicator of each row."""
    sample = Head(source.head, source.name, defaults.encoding).rows
    delimiter = delimiter_of(sample) or ","
    sampled = [cells for line in sample if (cells := cells_of(line, delimiter))]
    header = sampled[0] if sampled and not defaults.columns and has_header(sampled[0]) else ()
    columns = columns_of(defaults.columns or header or guessed_names(sampled))
    if columns is None:
        yield whole(
            source,
            RejectReason.UNKNOWN_FORMAT,
            "no column of indicators is recognised: name the columns, for example --columns date,type,value",
        )
        return
    for row in rows(source, defaults.encoding, delimiter):
        if not isinstance(row, Row):
            yield row
        elif header and row.cells == header:
            header = ()
            yield LeftOut(row.place, _HEADER)
        else:
            yield from _readings(row, columns, defaults)


def _readings(row: Row, columns: Columns, defaults: Defaults) -> Iterator[Reading]:
    cells = {role: row.cells[place] for role, place in columns.roles.items() if place < len(row.cells)}
    if cells.get("active", "").lower() in _INACTIVE:
        yield LeftOut(row.place, _IS_INACTIVE)
        return
    stated = _stated(cells, defaults)
    if isinstance(stated, str):
        yield rejected(row.place, RejectReason.UNREADABLE_LINE, stated, row.original)
        return
    kind_word = folded(cells.get("kind", ""))
    has_value = False
    for position, kind in columns.indicators:
        cell = row.cells[position] if position < len(row.cells) else ""
        if cell.lower() in _PLACEHOLDERS:
            continue
        has_value = True
        for value, its_kind in _values(cell, kind, kind_word):
            if its_kind is None:
                what = f"of the type {cells['kind']!r}" if kind_word else "of a type that follows from its value"
                detail = f"cell {position + 1} holds no indicator {what} that the exchange carries"
                yield rejected(row.place, RejectReason.UNKNOWN_TYPE, detail, row.original)
            else:
                yield Seen(row.place, msgspec.structs.replace(stated, kind=its_kind, value=value))
    if not has_value:
        yield LeftOut(row.place, _NO_VALUE)


def _values(cell: str, kind: IndicatorType | None, word: str) -> Iterator[tuple[str, IndicatorType | None]]:
    """The values of a cell with their types: the column's, the row's, or the one that follows from the value."""
    if kind is not None:
        yield cell, kind
    elif word in KIND_BY_WORD:
        yield cell, KIND_BY_WORD[word]
    elif word and word not in OPEN_WORDS:
        yield cell, None
    elif (whole_kind := detect(cell)) is not None:
        yield cell, whole_kind
    else:
        for part in cell.replace(";", ",").split(","):
            if part.strip():
                yield part.strip(), detect(part)


def _stated(cells: dict[str, str], defaults: Defaults) -> Observation | str:
    """What a row states about all of its indicators, or the reason why it cannot be read. Without type and value."""
    times = {}
    for role in ("first_seen", "last_seen", "valid_until"):
        text = cells.get(role, "")
        moment = 0 if text.lower() in _PLACEHOLDERS else milliseconds(text, defaults.date_format)
        if moment is None:
            if defaults.date_format:
                return f"{text[:40]!r} is not a time of the form {defaults.date_format}"
            return f"{text[:40]!r} is not an ISO 8601 time: state the form of times, as in --date-format %d/%m/%Y"
        times[role] = moment
    count = _whole_number(cells.get("count", ""), 1)
    confidence = _confidence(cells.get("confidence", ""), defaults.confidence)
    if count is None or confidence is None:
        role = "count" if count is None else "confidence"
        return f"{cells[role][:40]!r} in the column {role} is not a {role}"
    tagged, labels = marking_of_tags(_tags(cells.get("tags", "")))
    return Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value="",
        first_seen_ms=times["first_seen"],
        last_seen_ms=times["last_seen"] or times["first_seen"],
        count=count,
        confidence=confidence,
        valid_until_ms=times["valid_until"],
        marking=stricter(stricter(_marking(cells), tagged), defaults.marking),
        labels=tuple(dict.fromkeys((*labels, *defaults.labels))),
        description=cells.get("description", ""),
        context=_context(cells),
    )


def _context(cells: dict[str, str]) -> tuple[tuple[str, str], ...]:
    facts = tuple((role, cells[role]) for role in ("reporter", "reference") if cells.get(role))
    tearline = cells.get(TEARLINE, "")
    return facts if tearline.lower() in _PLACEHOLDERS else (*facts, (TEARLINE, tearline))


def _marking(cells: dict[str, str]) -> SourceMarking:
    releasable_to = cells.get("releasable_to", "")
    return SourceMarking(
        tlp=cells.get("tlp", ""),
        pap=cells.get("pap", ""),
        releasable_to=_several(releasable_to) if releasable_to else None,
        caveats=_several(cells.get("caveats", "")),
    )


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.replace("、", ";").replace(",", ";").split(";") if part.strip())


def _tags(cell: str) -> list[str]:
    """Hashtags are separated by blanks, other tags by commas or semicolons."""
    parts = cell.split() if cell.startswith("#") else _several(cell)
    return [part.lstrip("#＃") for part in parts]


def _whole_number(cell: str, absent: int) -> int | None:
    if cell.lower() in _PLACEHOLDERS:
        return absent
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MAX_DIGITS else None


def _confidence(cell: str, absent: int) -> int | None:
    return _CONFIDENCE_WORDS.get(cell.lower()) or _whole_number(cell.removesuffix("%").removesuffix(".0"), absent)


def _recognise(head: Head) -> Recognition | None:
    """Lines with the same number of cells are a table, unless they are values with a count (a text list)."""
    if not head.is_list:
        return None
    delimiter = delimiter_of(head.rows)
    if delimiter == "\t" and all(line.rpartition("\t")[2].strip().isdigit() for line in head.rows):
        return None
    if delimiter is not None:
        return Recognition(Specificity.SHAPE)
    return Recognition(Specificity.NAME) if head.has_extension(".csv") else None


READER: Final = Reader(
    name="csv-list",
    reads="the columns that hold indicators, by an English or Japanese header or by their values; else with "
    "`--columns date,type,value`",
    leaves_out={
        COMMENT: "lines that begin with `#`",
        _HEADER: "the row that names the columns",
        _IS_INACTIVE: "rows that their source calls inactive",
        _NO_VALUE: "rows without a value",
    },
    example=b"first_seen,type,value,tlp,active\n2026-11-20,domain,bad.example.com,TLP:GREEN,1\n"
    b"2026-11-20,url,http://bad.example.com/a,TLP:AMBER,0\n,ip,-,TLP:GREEN,1\n",
    recognise=_recognise,
    read=read,
)
