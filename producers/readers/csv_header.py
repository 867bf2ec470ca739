"""Finds the names of a CSV list's columns: stated by the operator, in a header row, in a comment, or by its shape.

The source's own words come first: a header, also one in a comment (abuse.ch) or behind ``#fields`` (Zeek), names all
columns, and nothing is guessed against it. Only a list without names is read by its shape, and only if one column alone
holds values of a type that cannot be another.
"""

import csv
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from producers.markings.understanding import of_field
from producers.readers.csv_columns import Columns, columns_of
from producers.readers.csv_rows import cells_of, delimiter_of
from producers.readers.list_heading import COMMENT_SIGNS, names_certificates
from producers.readers.list_times import list_milliseconds
from producers.readers.reader import Head
from producers.readers.type_words import AMBIGUOUS, ANY, OF_CERTIFICATES, OF_FILES, TYPES, folded, is_type_word
from schemas.markings import Caveat, understand
from schemas.normalise import detect
from schemas.vocabulary import IndicatorType

NO_COLUMN: Final = "no column of indicators is recognised: name the columns, for example --columns date,type,value"
_TYPED_FEED: Final = ("date", "user", "type", "value", "tags", "link")
_KIND_COLUMN: Final = _TYPED_FEED.index("type")
_MOST_TITLES: Final = 12
_MOST_WORDS_OF_A_NAME: Final = 4
_LONGEST_NAME: Final = 40
_FEWEST_COLUMNS: Final = 2
_SEPARATOR: Final = "sep="
_ZEEK_FIELDS: Final = "#fields\t"
_NETWORK: Final = frozenset(
    {
        *(IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR, IndicatorType.IPV4_NET, IndicatorType.IPV6_NET),
        *(IndicatorType.DOMAIN_NAME, IndicatorType.URL),
    }
)
_ON_THE_NETWORK: Final = _NETWORK - {IndicatorType.DOMAIN_NAME, IndicatorType.URL}
_WEB: Final = frozenset({IndicatorType.DOMAIN_NAME, IndicatorType.URL})


_NO_MAPPING: Final[Mapping[str, str]] = {}


class Layout(msgspec.Struct, frozen=True):
    """How a list is laid out. ``header`` are the cells of the header row; ``names`` is a comment that names columns."""

    delimiter: str
    columns: Columns
    header: tuple[str, ...] = ()
    names: str = ""


def layout_of(head: Head, stated: tuple[str, ...], mapping: Mapping[str, str] = _NO_MAPPING) -> Layout | str:
    """The layout of a list that begins like this, or why it has none that can be read."""
    layout = _layout_of(head, stated, mapping)
    if isinstance(layout, str) or stated or mapping or not names_certificates(head.lines, COMMENT_SIGNS[:2]):
        return layout
    types = {kind for _, word in layout.columns.indicators for kind in TYPES.get(word, ())}
    is_untyped = "kind" not in layout.columns.roles and any(
        TYPES.get(word, ANY) == ANY for _, word in layout.columns.indicators
    )
    return OF_CERTIFICATES if types & OF_FILES or (is_untyped and _has_hash(head, layout)) else layout


def _has_hash(head: Head, layout: Layout) -> bool:
    """Whether a column of indicators without a type has a hash that may be a file's."""
    places = [place for place, _ in layout.columns.indicators]
    rows = (cells_of(line, layout.delimiter) or () for line in head.rows)
    return any(detect(cells[place]) in OF_FILES for cells in rows for place in places if place < len(cells))


def _layout_of(head: Head, stated: tuple[str, ...], mapping: Mapping[str, str]) -> Layout | str:
    rows = [line for line in head.rows if not line.startswith(_SEPARATOR)]
    delimiter = separator_of(head) or delimiter_of(rows) or ","
    sample = [cells for line in rows if (cells := cells_of(line, delimiter))]
    if mapping and (missing := _missing_in(stated, mapping)) and (stated or not sample):
        return f"no column is named {missing}, which the mapping names"
    if stated:
        columns = columns_of(stated, mapping)
        return NO_COLUMN if columns is None else Layout(delimiter, columns)
    if mapping:
        return _mapped(head, delimiter, sample, mapping)
    header = next((cells for cells in sample[:_MOST_TITLES] if is_header(cells)), None)
    if header is not None:
        columns = columns_of(header)
        if columns is None:
            return NO_COLUMN
        return _of_contacts(columns, sample) or Layout(delimiter, columns, header=header)
    comment = _names_in_comments(head, delimiter, sample)
    if comment is not None:
        line, names = comment
        columns = columns_of(names)
        return NO_COLUMN if columns is None else Layout(delimiter, columns, names=line)
    guessed = _guessed(sample)
    if isinstance(guessed, str):
        return guessed
    columns = columns_of(guessed)
    return NO_COLUMN if columns is None else Layout(delimiter, columns)


def _of_contacts(columns: Columns, sample: Sequence[tuple[str, ...]]) -> str:
    """Why mail addresses may be those of the people to ask: beside them is a column of values without a known name."""
    if not all(TYPES.get(word) == (IndicatorType.EMAIL_ADDR,) for _, word in columns.indicators):
        return ""
    for place, name in columns.unknown:
        found = _types_of([cells[place] for cells in sample[1:] if place < len(cells)])
        if found and found <= _ON_THE_NETWORK:
            return (
                f"its mail addresses may be those of contacts, because the column {name!r} has addresses: state what "
                f"is meant, as in --map '{name}=value', or --map 'email=email-addr' with the name of their column"
            )
    return ""


def _mapped(head: Head, delimiter: str, sample: Sequence[tuple[str, ...]], mapping: Mapping[str, str]) -> Layout | str:
    """The layout of a list whose columns are declared: the first row that has all of their names, or a comment."""
    header = next((cells for cells in sample[:_MOST_TITLES] if not _missing_in(cells, mapping)), ())
    line, names = next(
        (
            (line, cells)
            for line in head.lines
            if line.startswith("#") and not _missing_in(cells := names_in_comment(line, delimiter), mapping)
        ),
        ("", ()),
    )
    columns = columns_of(header or names, mapping)
    if columns is not None:
        return Layout(delimiter, columns, header=header) if header else Layout(delimiter, columns, names=line)
    if header or names:
        return "the mapping names no column of indicators: map one to `value`, or to a type as `domain-name`"
    return (
        f"no column is named {_missing_in(sample[0], mapping)}, which the mapping names: its first row is "
        f"{', '.join(map(repr, sample[0]))[:200]}"
    )


def _missing_in(names: Sequence[str], mapping: Mapping[str, str]) -> str:
    """The columns of a mapping that are not among these names; empty if all are."""
    known = set(map(folded, names))
    return ", ".join(repr(column) for column in mapping if folded(column) not in known)


def separator_of(head: Head) -> str:
    """The delimiter of a line ``sep=;``, which names it for Excel; empty if there is no such line."""
    first = head.lines[0] if head.lines else ""
    return first.removeprefix(_SEPARATOR)[:1] if first.startswith(_SEPARATOR) else ""


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row names columns: a column of indicators is among them, and neither value, time nor number."""
    return columns_of(cells) is not None and _are_names(cells)


def is_further_header(cells: Sequence[str]) -> bool:
    """Whether a row among others names the columns behind it: all its cells are names that are known."""
    if len(cells) < _FEWEST_COLUMNS or not _are_names(cells):
        return False
    columns = columns_of(cells)
    return columns is not None and not columns.unknown


def _are_names(cells: Sequence[str]) -> bool:
    return all(map(_is_name, cells))


def names_in_comment(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a comment that may name the columns."""
    if line.startswith(_ZEEK_FIELDS):
        return tuple(line.removeprefix(_ZEEK_FIELDS).split("\t"))
    text = line.lstrip("#;/ \t").strip()
    try:
        rows = list(csv.reader([text], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return ()
    return tuple(cell.strip().strip('"') for cell in rows[0]) if rows else ()


def _names_in_comments(
    head: Head, delimiter: str, sample: Sequence[Sequence[str]]
) -> tuple[str, tuple[str, ...]] | None:
    """The last comment before the first row that has as many short cells as the rows have."""
    width = max(map(len, sample), default=0)
    found = None
    for line in head.lines:
        if line.strip() and not line.startswith("#"):
            break
        names = names_in_comment(line, delimiter)
        if len(names) == width > 1 and _are_names(names):
            found = line, names
    return found


def _is_name(text: str) -> bool:
    """Whether a text may be a column's name: short, and no sentence, value, time or number."""
    if (
        len(text) > _LONGEST_NAME
        or len(text.split()) > _MOST_WORDS_OF_A_NAME
        or text.endswith((".", ":"))
        or text.isdigit()
    ):
        return False
    return detect(text) is None and list_milliseconds(text) is None


def _guessed(sample: Sequence[Sequence[str]]) -> tuple[str, ...] | str:
    """Names for the columns of rows without a header, empty for unknown ones; or why that would be a guess."""
    width = max(map(len, sample), default=0)
    columns = [[row[place] for row in sample if len(row) > place and row[place]] for place in range(width)]
    if width == len(_TYPED_FEED) and _mostly([is_type_word(folded(cell)) for cell in columns[_KIND_COLUMN]]):
        return _TYPED_FEED
    types = {place: found for place, cells in enumerate(columns) if (found := _types_of(cells))}
    if len(types) > 1:  # beside other values a file name is context
        types = {place: found for place, found in types.items() if found != {IndicatorType.FILE_NAME}}
    problem = _problem(sample, columns, types)
    return problem or tuple(_role(place, cells, types) for place, cells in enumerate(columns))


def _role(place: int, cells: Sequence[str], types: Mapping[int, frozenset[IndicatorType]]) -> str:
    if place in types:
        return "indicator"
    if cells and all(map(_is_label, cells)):
        return "tlp"
    return "date" if _mostly([list_milliseconds(cell) is not None for cell in cells]) else ""


def _types_of(cells: Sequence[str]) -> frozenset[IndicatorType]:
    """The types of a column's values; none if it holds something else."""
    types = [detect(cell) for cell in cells]
    return frozenset(filter(None, types)) if _mostly([kind is not None for kind in types]) else frozenset()


def _problem(
    sample: Sequence[Sequence[str]],
    columns: Sequence[Sequence[str]],
    types: Mapping[int, frozenset[IndicatorType]],
) -> str:
    """Why the columns of values cannot be distinguished from others; empty if they can."""
    if not types:
        return NO_COLUMN
    if any(IndicatorType.FILE_MD5 in found for found in types.values()):
        return f"a column has no name, and {AMBIGUOUS}"
    if len(sample) > 1 and _are_names(sample[0]):
        return f"the names of its columns are not known: {_ADVICE}"
    if len(types) == 1:
        return ""
    is_repeated = len(frozenset[IndicatorType]().union(*types.values())) < sum(map(len, types.values()))
    if not all(map(_is_one_type, types.values())) or is_repeated or sum(bool(t & _WEB) for t in types.values()) > 1:
        return f"several columns without a name could be the indicators: {_ADVICE}"
    if any(found == {IndicatorType.URL} and _on_one_host(columns[place]) for place, found in types.items()):
        return f"a column of links could be the indicators or their source: {_ADVICE}"
    return ""


_ADVICE: Final = "name the columns, for example --columns date,url,,tlp (an empty name for a column without indicators)"


def _is_one_type(types: frozenset[IndicatorType]) -> bool:
    return len(types) == 1 or (types <= _NETWORK and not types & _WEB)


def _on_one_host(urls: Sequence[str]) -> bool:
    """Whether most links lead to one host, as links to a report do."""
    hosts = [urlsplit(url).hostname or "" for url in urls]
    return max(map(hosts.count, set(hosts))) * 2 > len(hosts)


def _is_label(cell: str) -> bool:
    found = of_field(cell, "column").marking
    return bool(found.tlp) and Caveat.UNRECOGNISED not in understand(found).caveats


def _mostly(holds: Sequence[bool]) -> bool:
    """Whether it holds for nine of ten cells that are filled, and for one at least."""
    return bool(holds) and sum(holds) * 10 >= len(holds) * 9
