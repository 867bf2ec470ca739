"""The JSON layout is the documented one, the same in the picture and in `tail`; CSV is safe in a spreadsheet."""

import csv
import io
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.picture.as_record import CSV_COLUMNS, cell, csv_lines, record_of
from consumers.picture.entry import Ended, Entry, of_own, of_partner
from consumers.queries.layout import indicator
from consumers.subscription.changes import State
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, a_content, a_released, an_entry, an_id, an_indicator
from tests.docs.pages import ROOT

SCHEMA = json.loads((ROOT / "docs" / "indicator.schema.json").read_text("utf-8"))


def partners(**content: Any) -> Entry:
    released = a_released(content=a_content(**content))
    assert released["content"] is not None
    return of_partner(
        released["content"], id=released["id"], origin="GBR", version=NOW_MS, received_ms=NOW_MS, now_ms=NOW_MS
    )


OWN = of_own(an_indicator(warninglists=["a"], confidence=-1), "JPN", NOW_MS, NOW_MS)
ENDED = Ended(id=an_id(), origin="GBR", state=State.RECALLED, reason="policy-changed", version=2, received_ms=NOW_MS)


@pytest.mark.parametrize(
    "entry", [OWN, partners(), partners(tearline="x", labels=["attack.t1566.001"]), partners(valid_until_ms=1), ENDED]
)
def test_a_record_is_as_documented(entry: Entry | Ended) -> None:
    jsonschema.validate(record_of(entry), SCHEMA)


def test_the_documented_types_are_those_of_the_contract() -> None:
    assert SCHEMA["properties"]["type"]["enum"] == [kind.label for kind in IndicatorType]
    assert SCHEMA["properties"]["state"]["enum"] == [state.value for state in State]


@pytest.mark.parametrize(
    ("entry", "record"), [(OWN, an_indicator(warninglists=["a"], confidence=-1)), (partners(), a_released())]
)
def test_fields_that_tail_has_too_are_the_same(entry: Entry, record: Any) -> None:
    ours, theirs = record_of(entry), indicator(record, "JPN")
    common = (ours.keys() & theirs.keys()) - {"reason"}
    assert common >= {
        "id",
        "kind",
        "version",
        "origin",
        "type",
        "value",
        "marking",
        "confidence",
        "labels",
        "sightings",
    }
    assert {name: ours[name] for name in common} == {name: theirs[name] for name in common}
    assert theirs.keys() - ours.keys() <= {"sources", "hops", "recalled_through"}


@given(st.text(), st.lists(st.text(), max_size=3))
def test_csv_is_read_back_by_another_reader_and_no_cell_is_a_formula(value: str, labels: list[str]) -> None:
    entry = msgspec.structs.replace(an_entry(), value=value, labels=tuple(labels))
    text = "\r\n".join(csv_lines([entry]))
    head, row = list(csv.reader(io.StringIO(text, newline="")))
    assert tuple(head) == CSV_COLUMNS
    assert row[CSV_COLUMNS.index("value")] == cell(value)
    assert row[CSV_COLUMNS.index("labels")] == cell(", ".join(labels))
    assert not any(each[:1] in ("=", "+", "-", "@", "\t", "\r") for each in row)
    assert "\n" not in "".join(row)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "＝1", "-=1"])
def test_a_cell_that_a_spreadsheet_may_take_for_a_formula_is_text(text: str) -> None:
    assert cell(text)[0] == "'"


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", "\u202e=1", "\x00=1"])
def test_what_is_invisible_is_shown(text: str) -> None:
    assert cell(text)[0] == "\\"
