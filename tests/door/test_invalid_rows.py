"""A row whose value is invalid says nothing about other rows; a title between rows restricts them and releases none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.markings import SourceMarking, Tlp, understand
from tests.producers.reading_feeds import observations, readings

MD5 = "098f6bcd4621d373cade4e832627b4f6"
ADDRESS = "198.51.100.7"


def _markings(format_name: str, text: str) -> set[tuple[Tlp, bool]]:
    """The TLP of the valid row, and whether something in it is a caveat, or is not understood, so that it holds."""
    seen = observations(readings(format_name, text.encode()))
    found = [understand(each.marking) for each in seen if each.value in (MD5, ADDRESS)]
    assert len(found) == 1
    return {(each.tlp, bool(each.caveats)) for each in found}


@pytest.mark.parametrize(
    "row",
    [
        "sha1,zz,TLP:GREEN",
        "sha1,zz,TLP:CLEAR",
        "sha256,nothash,TLP:AMBER",
        "domain,not-a-domain,TLP:GREEN",
        "ip,300.1.2.3,TLP:GREEN",
        "mutex,zz,TLP:RED",
        "md5,zz,TLP:GREEN",
        "md5,-,TLP:GREEN",
        '"sha1","zz","TLP:GREEN"',
        "md5,,TLP:GREEN",
        "zz,TLP:GREEN",
        "sha1,zz,TLP:GREEN,more",
        "Classification,TLP:GREEN,",
    ],
)
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_row_with_an_invalid_value_marks_no_other_row(row: str, where: str) -> None:
    rows = [row, f"md5,{MD5},"] if where == "first" else [f"md5,{MD5},", row]
    assert _markings("csv-list", "\n".join(["type,value,tlp", *rows, ""])) == {(Tlp.UNMARKED, False)}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("TLP:RED,,", (Tlp.RED, False)),
        (",,TLP:RED", (Tlp.RED, False)),
        ("Classification,TLP:RED,", (Tlp.RED, False)),
        ("Classification,TLP:AMBER,", (Tlp.UNMARKED, True)),
        ("Classification,UK EYES ONLY,", (Tlp.UNMARKED, True)),
        ("zz,TLP:RED", (Tlp.RED, False)),
        ("TLP:GREEN", (Tlp.GREEN, False)),
        ("# TLP:GREEN", (Tlp.GREEN, False)),
    ],
)
def test_a_title_between_rows_restricts_them(row: str, expected: tuple[Tlp, bool]) -> None:
    assert _markings("csv-list", f"type,value,tlp\nmd5,{MD5},\n{row}\n") == {expected}


def test_a_title_with_commas_above_the_header_marks_the_list() -> None:
    assert _markings("csv-list", f"Sharing,TLP:GREEN\ntype,value,tlp\nmd5,{MD5},\n") == {(Tlp.GREEN, False)}


def test_labels_and_withdrawal_of_a_row_with_an_invalid_value_stay_with_it() -> None:
    text = f"type,value,tlp,tags,status\nmd5,{MD5},TLP:GREEN,,\nsha1,zz,TLP:GREEN,emotet,false positive\n"
    seen = next(each for each in observations(readings("csv-list", text.encode())) if each.value == MD5)
    assert (seen.labels, seen.withdrawal) == ((), None)


@pytest.mark.parametrize("line", ["300.1.2.3 TLP:GREEN", "zz # TLP:GREEN", "zz.invalid! TLP:CLEAR", "b..d TLP:GREEN"])
def test_in_a_list_what_follows_an_invalid_value_marks_no_other_line(line: str) -> None:
    assert _markings("txt-list", f"{ADDRESS}\n{line}\n") == {(Tlp.UNMARKED, False)}
    assert _markings("txt-list", f"{line}\n{ADDRESS}\n") == {(Tlp.UNMARKED, False)}


@pytest.mark.parametrize("line", ["300.1.2.3 TLP:RED", "zz # TLP:RED", "Sharing: TLP:RED"])
def test_in_a_list_it_restricts_nevertheless(line: str) -> None:
    assert _markings("txt-list", f"{ADDRESS}\n{line}\n") == {(Tlp.RED, False)}


VALUES = st.sampled_from(
    ("zz", "nothash", "300.1.2.3", "not-a-domain", "-", "", "203.0.113.9", "bad.example.org", "a" * 31, "b..d", "C:\\x")
)
CELLS = st.sampled_from(("", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", "WHITE", "internal"))
KINDS = st.sampled_from(("md5", "sha1", "domain", "ip", "mutex", "", "Classification"))


def _releases(marking: SourceMarking) -> set[Tlp]:
    """The labels by which a row with this marking could be released: none of what is held, not marked or RED."""
    understood = understand(marking)
    return set() if understood.tlp in (Tlp.UNMARKED, Tlp.RED) or understood.caveats else {understood.tlp}


@given(rows=st.lists(st.tuples(KINDS, VALUES, CELLS), max_size=5), own=CELLS, place=st.integers(0, 5))
def test_no_row_of_a_table_loosens_another(rows: list[tuple[str, str, str]], own: str, place: int) -> None:
    rows.insert(place, ("md5", MD5, own))
    text = "".join(f"{','.join(row)}\n" for row in rows)
    alone = _may_leave("csv-list", f"type,value,tlp\nmd5,{MD5},{own}\n")
    assert _may_leave("csv-list", f"type,value,tlp\n{text}") <= alone


@given(lines=st.lists(st.tuples(VALUES, CELLS, st.sampled_from((" # ", "\t# "))), max_size=5), own=CELLS)
def test_no_line_of_a_list_with_a_value_loosens_another(lines: list[tuple[str, str, str]], own: str) -> None:
    text = "".join(f"{value}{sign}{cell}\n" for value, cell, sign in lines if value)
    mine = f"{ADDRESS} # {own}\n"
    assert _may_leave("txt-list", f"{text}{mine}{text}") <= _may_leave("txt-list", mine)


def _may_leave(format_name: str, text: str) -> set[Tlp]:
    """The labels by which the row of the two values that are ours could be released."""
    seen = observations(readings(format_name, text.encode()))
    return set().union(*(_releases(each.marking) for each in seen if each.value in (MD5, ADDRESS)))
