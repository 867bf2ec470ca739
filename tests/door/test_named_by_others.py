"""An indicator is restricted by every object of its document that names it, however that one is written."""

import json
from typing import Any

import pytest

from tests.door.outcomes import marking_text
from tests.producers.reading_feeds import observations, readings, refusals
from tests.producers.taxii_collection import an_indicator

ID = an_indicator(1)["id"]
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


def marking_beside(*others: dict[str, Any] | str) -> str:
    """The marking of an indicator that is in a document with these objects, before it and behind it."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in others]
    found = set[str]()
    for order in ([*texts, json.dumps(an_indicator(1))], [json.dumps(an_indicator(1)), *texts]):
        [row] = observations(readings("stix-bundle", f'{{"type": "bundle", "objects": [{",".join(order)}]}}'.encode()))
        found.add(marking_text(row.marking))
    [marking] = found
    return marking


@pytest.mark.parametrize(
    "listed",
    [
        {"type": "report", "object_refs": ID},
        {"type": "report", "object_refs": [ID, 5]},
        {"type": "x-case", "indicator_refs": [ID]},
        {"type": "x-case", "indicator_ref": ID},
        {"type": "incident", "x_indicator_refs": [ID]},
        {"type": "report", "object_refs": [], "x_more_refs": [ID]},
    ],
)
def test_whatever_lists_it_restricts_it(listed: dict[str, Any]) -> None:
    assert marking_beside(listed | {"id": "x--1", "object_marking_refs": [RED]}) == "TLP:RED"
    assert marking_beside(listed | {"id": "x--1", "object_marking_refs": [GREEN]}) == "TLP:GREEN"


@pytest.mark.parametrize(
    "other",
    [
        f'{{"type": "report", "id": "report--1", "object_refs": ["{ID}"], "object_marking_refs": ["{RED}"],'
        f' "object_marking_refs": ["{GREEN}"]}}',
        f'{{"type": "report", "id": "report--1", "object_refs": ["{ID}"], "object_refs": []}}',
        f'{{"type": "relationship", "id": "relationship--1", "relationship_type": "revoked-by", "source_ref": "{ID}",'
        ' "relationship_type": "related-to", "target_ref": "indicator--2"}',
        f'{{"type": "sighting", "id": "sighting--1", "sighting_of_ref": "{ID}", "count": 0, "count": 1}}',
        f'{{"type": "indicator", "id": "{ID}", "revoked": true, "revoked": false}}',
    ],
)
def test_an_object_that_contradicts_itself_holds_what_it_names(other: str) -> None:
    assert marking_beside(other) == "TLP:GREEN + UNRECOGNISED"


def test_an_object_that_contradicts_itself_holds_nothing_else() -> None:
    other = (
        f'{{"type": "report", "id": "report--1", "object_refs": ["{an_indicator(2)["id"]}"], "name": "x", "name": ""}}'
    )
    assert marking_beside(other) == "TLP:GREEN"


@pytest.mark.parametrize("objects", [{}, {"a": an_indicator(1)}, "x", 5])
def test_a_bundle_whose_objects_are_no_list_is_refused(objects: Any) -> None:
    found = readings("stix-bundle", json.dumps({"type": "bundle", "objects": objects}).encode())
    assert [each.place.line for each in refusals(found)] == [0]
    assert len(found) == 1
