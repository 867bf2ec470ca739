"""The fast paths of lists give what the slow ones give: rows by a pattern, lines in blocks, and blocks as tables."""

import gzip
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.comments import is_comment
from producers.inputs import HEAD_BYTES
from producers.readers import csv_alike, csv_rows, lines
from producers.readers.csv_rows import Table, cells_of
from producers.readers.formats import readers
from producers.readers.reading import Defaults, Reading, Rejected, Seen
from tests.producers.reading_feeds import FEEDS, an_input, content_of

HEADERS = (
    "first_seen,type,value,tlp,tags",
    "domain,first_seen,tlp,note",
    "value,last_seen,expires,count,confidence,handling",
    "indicator,type,status,description",
    "ip,netmask,tlp",
    "md5,file name,tags",
    "uuid,to_ids,value,type,tags",
    "Domain,Count",
)
CELLS = st.sampled_from(
    [
        *("bad.example.com", "198.51.100.7", "http://bad.example.com/a", "d41d8cd98f00b204e9800998ecf8427e", "-", ""),
        *("a.example.com; b.example.com", "domain", "ip", "url", "md5", "value", "tlp", "type", "first_seen", "tags"),
        *("TLP:GREEN", "TLP:RED", "tlp:purple", "NOFORN", "2026-11-20", "2026-11-20 09:05:03", "2026-11-20T09:05:03"),
        *("2026-11-20 09:05:60", "20/11/2026", "1795165200", "never", "3", "95", "high", "x", "1", "0", "inactive"),
        *(
            "false positive",
            '"quoted, cell"',
            'stray"quote',
            " padded ",
            "部外秘",
            "\ufeffx",
            "a\tb",
            "unknown",
            "sep=,",
        ),
        *("2026-11-20x09:05:03", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "１２", "24", "sha256", "comment"),
    ]
)


@st.composite
def lists(draw: st.DrawFn) -> bytes:
    """A list with rows that repeat, comments, further headers and spoilt lines."""
    header = draw(st.sampled_from(HEADERS))
    width = header.count(",") + 1
    kinds = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=3))
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        cells = list(draw(st.sampled_from(kinds)))
        for place in draw(st.lists(st.integers(0, width - 1), max_size=2)):
            cells[place] = draw(CELLS)
        odd = draw(st.integers(0, 19))
        rows.append(
            {
                0: "# TLP:AMBER",
                1: header,
                2: ",".join(cells[:-1]),
                3: ",".join((*cells, "more")),
                4: "",
                5: "sep=,",
            }.get(odd, ",".join(cells))
        )
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    content = ending.join((header, *rows, "")).encode()
    return content if draw(st.booleans()) else content.replace(b"\xe9", b"\xff").rstrip(b"\r\n")


def read(content: bytes, format_name: str = "csv-list", **options: object) -> list[Reading]:
    return list(readers()[format_name].read(an_input(content), Defaults(**options)))  # type: ignore[arg-type]


def read_slowly(content: bytes, format_name: str = "csv-list", **options: object) -> list[Reading]:
    """The same without patterns, blocks, tables and plain splitting."""
    with (
        patch.object(csv_alike.Alike, "reading", lambda *_: None),
        patch.object(lines, "_buffered", lambda _: b""),
        patch.object(csv_rows, "_LONG", 0),
    ):
        return read(content, format_name, **options)


@settings(max_examples=120, deadline=None)
@given(lists())
def test_rows_that_are_alike_become_what_each_becomes_by_itself(content: bytes) -> None:
    assert read(content) == read_slowly(content)


@settings(max_examples=30, deadline=None)
@given(lists(), st.sampled_from(["%d/%m/%Y", "%Y-%m-%d"]))
def test_so_they_do_with_a_form_of_times(content: bytes, date_format: str) -> None:
    assert read(content, date_format=date_format) == read_slowly(content, date_format=date_format)


@given(st.text('ab,;"\t \r\0|é\u2028', max_size=30), st.sampled_from([",", ";", "\t", "|"]))
def test_a_row_without_quotes_is_split_as_the_standard_library_splits_it(text: str, delimiter: str) -> None:
    with patch.object(csv_rows, "_LONG", 0):
        slow = cells_of(text, delimiter)
    assert cells_of(text, delimiter) == slow


def pieces(content: bytes, delimiter: str) -> list[csv_rows.Row | lines.Line | Rejected]:
    """The pieces of a list, those of tables one by one."""
    found = list[csv_rows.Row | lines.Line | Rejected]()
    for piece in csv_rows.rows(lines.blocks(an_input(content), "utf-8"), delimiter, is_comment):
        if isinstance(piece, Table):
            found += filter(None, map(piece.row, range(len(piece.block))))
        else:
            found.append(piece)
    return found


def pieces_slowly(content: bytes, delimiter: str) -> list[csv_rows.Row | lines.Line | Rejected]:
    with patch.object(lines, "_buffered", lambda _: b""), patch.object(csv_rows, "_LONG", 0):
        return pieces(content, delimiter)


ODD_CELLS = st.text('ab,;" \t\r\0\x1f#é\u3000', max_size=4) | st.sampled_from(["a", "", '"a, b"', '"a'])


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(ODD_CELLS, min_size=width, max_size=width), max_size=6)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_the_rows_of_a_table_are_those_of_its_lines(rows: list[list[str]], delimiter: str, ending: str) -> None:
    content = "".join(f"{delimiter.join(row)}{ending}" for row in (["first"], *rows)).encode()
    assert pieces(content, delimiter) == pieces_slowly(content, delimiter)


@pytest.mark.parametrize(
    ("texts", "is_table"),
    [
        (("a,b", "c,d"), True),
        (("a,b\r", "c,d\r"), True),
        (('"a, b",c', 'd,"e"'), True),
        ((" a,\tb", "c ,d\u3000"), True),
        (("a", "", "b"), True),
        (("\t\t", "a\tb\tc"), True),
        (("a,b,c", "d", "e"), False),
        (("a,b", "c,d,e", "f"), False),
        (("a,b", "# c,d"), False),
        (('a,"b', 'c",d'), False),
        (("a\rb,c", "d,e"), False),
    ],
)
def test_lines_of_one_width_are_a_table(texts: tuple[str, ...], is_table: bool) -> None:
    content = "".join(f"{text}\n" for text in ("first", *texts)).encode()
    tables = [
        piece
        for piece in csv_rows.rows(lines.blocks(an_input(content), "utf-8"), ",", is_comment)
        if isinstance(piece, Table)
    ]
    assert bool(tables) is is_table
    assert pieces(content, ",") == pieces_slowly(content, ",")


@pytest.mark.parametrize("shift", range(0, 60, 7))
def test_a_cell_with_line_breaks_may_be_in_two_blocks(shift: int) -> None:
    rows = [f"2026-11-20,domain,h{number}.example.com,TLP:GREEN,made-up" for number in range(3_000)]
    before = HEAD_BYTES // len(rows[2_000]) - 1
    rows[before] = f'2026-11-20,domain,broken.example.com,TLP:RED,"{"x" * shift}\n\nmade, up"'
    content = "\n".join(("first_seen,type,value,tlp,tags", *rows, "")).encode()
    found = read(content)
    assert found == read_slowly(content)
    assert sum(isinstance(each, Seen) for each in found) == len(rows)


def recorded() -> Iterator[str]:
    for file in sorted((FEEDS / "csv").iterdir()):
        if file.suffix in (".csv", ".gz"):
            yield f"csv/{file.name}"


@pytest.mark.parametrize("file", list(recorded()))
def test_recorded_lists_are_read_the_same(file: str) -> None:
    content = content_of(file)
    assert read(content) == read_slowly(content)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"198.51.100.7", b"\xff\xfe", b"", b"# x", b"bad.example.com\r", b"\xe9", "é".encode(), b"\x1b$B"]
        ),
        max_size=30,
    ),
    st.sampled_from(["utf-8", "latin-1", "iso2022_jp"]),
    st.booleans(),
)
def test_lines_decoded_in_a_block_are_those_decoded_one_by_one(pieces: list[bytes], encoding: str, ends: bool) -> None:
    content = b"\n".join(pieces) + b"\n" * ends
    assert read(content, "txt-list", encoding=encoding) == read_slowly(content, "txt-list", encoding=encoding)


def test_a_block_of_a_damaged_stream_ends_where_it_is_damaged() -> None:
    packed = gzip.compress(b"bad.example.com\n" * 20_000)
    content = packed[: len(packed) - 12]
    assert read(content, "txt-list") == read_slowly(content, "txt-list")
