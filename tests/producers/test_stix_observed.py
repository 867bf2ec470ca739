"""STIX ``observed-data``: left out, and taken without a confidence if the operator asks for it."""

import json
from typing import Any

import pytest

from producers.readers.formats import readers
from producers.readers.reading import Defaults, Emptied, LeftOut
from schemas.vocabulary import IndicatorType
from tests.producers.reading_feeds import an_input, left_out, observations, readings, refusals

FORMAT = "stix-bundle"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
ASKED: dict[str, Any] = {"include": frozenset({"observed-data"}), "confidence": 80}
SEEN: list[dict[str, Any]] = [
    {"type": "domain-name", "id": "domain-name--1", "value": "c1.example.com"},
    {"type": "file", "id": "file--1", "hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e", "SSDEEP": "3:x"}},
    {"type": "autonomous-system", "id": "autonomous-system--1", "number": 64500},
    {"type": "process", "id": "process--1", "pid": 7},
]


def observed(**more: Any) -> dict[str, Any]:
    stated = {
        "type": "observed-data",
        "id": "observed-data--00000000-0000-4000-8000-000000000001",
        "created": "2026-11-20T00:00:00Z",
        "modified": "2026-11-20T00:00:00Z",
        "first_observed": "2026-11-20T00:00:00Z",
        "last_observed": "2026-11-21T00:00:00Z",
        "number_observed": 7,
        "object_refs": [each["id"] for each in SEEN],
    }
    return stated | more


def a_note(about: str) -> dict[str, Any]:
    return {"type": "note", "id": "note--1", "content": "TLP:AMBER", "object_refs": [about]}


def bundle(*objects: dict[str, Any]) -> bytes:
    return json.dumps({"type": "bundle", "objects": list(objects)}).encode()


def test_it_is_left_out_by_a_rule_of_its_own() -> None:
    found = readings(FORMAT, bundle(observed(), *SEEN))
    assert observations(found) == []
    assert [each.rule for each in left_out(found)] == ["observed-data"] + 4 * ["not-an-indicator"]


def test_if_asked_for_its_values_are_taken_without_a_confidence() -> None:
    rows = observations(readings(FORMAT, bundle(observed(), *SEEN), **ASKED))
    assert [(row.kind, row.value) for row in rows] == [
        (IndicatorType.DOMAIN_NAME, "c1.example.com"),
        (IndicatorType.FILE_MD5, "d41d8cd98f00b204e9800998ecf8427e"),
        (IndicatorType.AUTONOMOUS_SYSTEM, "AS64500"),
    ]
    assert {(row.count, row.confidence, row.first_seen_ms) for row in rows} == {(7, -1, 1795132800000)}


def test_its_own_objects_of_stix_2_0_are_taken_too() -> None:
    own = observed(objects={"0": {"type": "ipv4-addr", "value": "198.51.100.7"}}, object_refs=None)
    assert [row.value for row in observations(readings(FORMAT, bundle(own), **ASKED))] == ["198.51.100.7"]


@pytest.mark.parametrize(
    "objects",
    [
        [observed(object_marking_refs=[AMBER]), *SEEN],
        [observed(), SEEN[0] | {"object_marking_refs": [AMBER]}, *SEEN[1:]],
        [observed(), *SEEN, a_note(observed()["id"])],
        [observed(), *SEEN, a_note("file--1")],
    ],
)
def test_its_marking_is_the_strictest_of_all_around_it(objects: list[dict[str, Any]]) -> None:
    rows = observations(readings(FORMAT, bundle(*objects), **ASKED))
    assert {row.marking.tlp for row in rows} == {"TLP:AMBER"}


def test_a_revoked_one_asserts_nothing_and_ends_what_it_asserted() -> None:
    source = an_input(bundle(observed(revoked=True), *SEEN))
    found = list(readers()[FORMAT].read(source, Defaults(**ASKED)))
    assert [type(each) for each in found[:2]] == [LeftOut, Emptied]
    assert observations(found) == []


@pytest.mark.parametrize(
    "more", [{"number_observed": 0}, {"number_observed": "x"}, {"first_observed": "now"}, {"last_observed": None}]
)
def test_what_cannot_be_read_is_refused_alone(more: dict[str, Any]) -> None:
    found = readings(FORMAT, bundle(observed(**more), *SEEN), **ASKED)
    assert (len(observations(found)), len(refusals(found))) == (0, 1)
