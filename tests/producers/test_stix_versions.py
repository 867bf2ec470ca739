"""Several versions of STIX objects in one document, in any order: the newest of each counts, and once."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from producers.readers.formats import readers
from producers.readers.reading import Defaults, Emptied, LeftOut, Withdrawn
from producers.spool.spool import Spool
from tests.builders import NOW_MS
from tests.producers.producing import run
from tests.producers.reading_feeds import an_input, left_out, observations, readings, refusals
from tests.producers.taxii_collection import GREEN, an_indicator

FORMAT = "stix-bundle"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
ID = an_indicator(1)["id"]
OLD, NEW = "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"
MALWARE = {"type": "malware", "id": "malware--1", "name": "Emotet"}
DOMAIN = {"type": "domain-name", "id": "domain-name--1", "value": "c1.example.com"}
OTHER = DOMAIN | {"id": "domain-name--2", "value": "c2.example.com"}


def bundle(*objects: Any) -> bytes:
    return json.dumps({"type": "bundle", "objects": list(objects)}).encode()


def sighting(modified: str, **more: Any) -> dict[str, Any]:
    return {"type": "sighting", "id": "sighting--1", "modified": modified, "sighting_of_ref": ID, **more}


def relationship(kind: str, target: str, **more: Any) -> dict[str, Any]:
    ends = {"relationship_type": kind, "source_ref": ID, "target_ref": target}
    return {"type": "relationship", "id": "relationship--1", "modified": OLD, **ends, **more}


def observed(modified: str, *names: str) -> dict[str, Any]:
    times = {"first_observed": OLD, "last_observed": OLD, "number_observed": 1}
    return {
        "type": "observed-data",
        "id": "observed-data--1",
        "modified": modified,
        "object_refs": list(names),
        **times,
    }


@pytest.mark.parametrize(
    ("versions", "count"),
    [
        ([sighting(OLD, count=2), sighting(NEW, count=3)], 3),
        ([sighting(OLD, count=3), sighting(NEW, count=2)], 2),
        ([sighting(OLD, count=2), sighting(OLD, count=2)], 2),
        ([sighting(OLD, count=2), sighting(NEW, count=2, revoked=True)], 1),
    ],
)
def test_of_several_versions_of_a_sighting_the_newest_is_counted_once(versions: list[Any], count: int) -> None:
    for order in permutations((an_indicator(1), *versions)):
        [row] = observations(readings(FORMAT, bundle(*order)))
        assert row.count == count


def test_an_older_version_of_a_sighting_is_left_out_as_such() -> None:
    found = left_out(readings(FORMAT, bundle(an_indicator(1), sighting(NEW), sighting(OLD))))
    assert [each.rule for each in found] == ["sighting", "superseded"]


@pytest.mark.parametrize("more", [{"revoked": True}, {"revoked": "true"}])
def test_a_relationship_revoked_by_that_is_itself_revoked_takes_nothing_back(more: dict[str, Any]) -> None:
    by = relationship("revoked-by", "indicator--2", modified=NEW, **more)
    assert len(observations(readings(FORMAT, bundle(by, an_indicator(1))))) == 1
    older = relationship("revoked-by", "indicator--2")
    assert len(observations(readings(FORMAT, bundle(by, an_indicator(1), older)))) == 1
    assert observations(readings(FORMAT, bundle(older, an_indicator(1)))) == []


def test_a_relationship_revoked_by_is_read_in_any_spelling_of_json() -> None:
    text = bundle(an_indicator(1), relationship("revoked-by", "indicator--2")).replace(
        b"revoked-by", b"revoked\\u002dby"
    )
    assert isinstance(readings(FORMAT, text)[0], Withdrawn)


@pytest.mark.parametrize(
    "objects",
    [
        [relationship("indicates", "malware--1"), relationship("indicates", "malware--1", modified=NEW, revoked=True)],
        [relationship("indicates", "malware--1"), MALWARE | {"modified": NEW, "revoked": True}],
    ],
)
def test_what_is_revoked_gives_no_labels(objects: list[Any]) -> None:
    [row] = observations(readings(FORMAT, bundle(an_indicator(1), MALWARE, *objects)))
    assert row.labels == ()


def test_of_several_versions_of_observed_data_the_newest_is_taken() -> None:
    versions = (observed(NEW, "domain-name--2"), observed(OLD, "domain-name--1"))
    for order in permutations(versions):
        found = readings(FORMAT, bundle(*order, DOMAIN, OTHER), include=frozenset({"observed-data"}))
        assert [row.value for row in observations(found)] == ["c2.example.com"]
        assert "superseded" in {each.rule for each in left_out(found)}


def test_two_observables_of_one_id_have_the_stricter_marking() -> None:
    versions = (DOMAIN | {"object_marking_refs": [RED]}, DOMAIN | {"object_marking_refs": [GREEN]})
    for order in permutations(versions):
        found = readings(FORMAT, bundle(observed(OLD, "domain-name--1"), *order), include=frozenset({"observed-data"}))
        assert [row.marking.tlp for row in observations(found)] == ["TLP:RED"]


def test_an_indicator_that_cannot_be_read_and_is_revoked_in_another_form_ends_what_it_asserted() -> None:
    source = an_input(bundle(an_indicator(1, revoked="true")))
    *_, last = readers()[FORMAT].read(source, Defaults())
    assert isinstance(last, Emptied)


def test_the_same_version_of_an_indicator_is_counted_once(tmp_path: Path) -> None:
    once, twice = tmp_path / "once.json", tmp_path / "twice.json"
    once.write_bytes(bundle(an_indicator(1)))
    twice.write_bytes(bundle(an_indicator(2), an_indicator(2), an_indicator(1)))
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        assert run(spool, once).observations == 1
        summary = run(spool, twice)
    assert summary.observations == 1
    assert summary.left_out == {"unchanged": 2}


@pytest.mark.parametrize("name", [5, [1], {}, None])
def test_an_id_of_another_type_is_refused_alone(name: Any) -> None:
    odd = ({"type": "report", "id": name, "object_refs": [[1]]}, sighting(OLD) | {"id": name, "sighting_of_ref": name})
    related = relationship("indicates", "malware--1") | {"id": name, "source_ref": name}
    found = readings(FORMAT, bundle(an_indicator(1), an_indicator(2) | {"id": name}, *odd, related, {"type": name}))
    assert len(observations(found)) == 1
    assert all(isinstance(each, LeftOut) or each.place.line in (1, 2, 6) for each in found)


def test_objects_that_are_one_a_line_are_read_as_a_list() -> None:
    lines = "\n".join(json.dumps(an_indicator(number)) for number in (1, 2)) + "\n\n"
    assert [row.value for row in observations(readings(FORMAT, lines.encode()))] == ["c1.example.com", "c2.example.com"]


@pytest.mark.parametrize(
    "document",
    [
        json.dumps([json.loads(bundle(an_indicator(1))), json.loads(bundle(an_indicator(2)))]),
        "\n".join(bundle(an_indicator(number)).decode() for number in (1, 2)),
        bundle(json.loads(bundle(an_indicator(1), an_indicator(2)))).decode(),
    ],
)
def test_several_bundles_are_one_document(document: str) -> None:
    found = readings(FORMAT, document.encode())
    assert [(row.value, row.marking.tlp) for row in observations(found)] == [
        ("c1.example.com", "TLP:GREEN"),
        ("c2.example.com", "TLP:GREEN"),
    ]
    for place in ('"type": "bundle"', f'"id": "{ID}"'):
        restricted = document.replace(place, f'{place}, "x_tlp": "red"', 1)
        assert observations(readings(FORMAT, restricted.encode()))[0].marking.tlp == "TLP:RED"


def test_a_report_in_one_bundle_restricts_what_is_in_another() -> None:
    report = {"type": "report", "id": "report--1", "object_refs": [ID], "object_marking_refs": [RED]}
    found = readings(FORMAT, b"\n".join((bundle(report), bundle(an_indicator(1)))))
    assert [row.marking.tlp for row in observations(found)] == ["TLP:RED"]


def test_observed_data_of_stix_2_0_alone_is_read_and_is_no_bundle() -> None:
    alone = observed(OLD) | {"objects": {"0": DOMAIN}}
    found = readings(FORMAT, json.dumps(alone).encode(), include=frozenset({"observed-data"}))
    assert [row.value for row in observations(found)] == ["c1.example.com"]


@pytest.mark.parametrize("depth", range(1, 8))
def test_objects_in_lists_of_lists_are_read_or_refused_and_never_an_exception(depth: int) -> None:
    objects: Any = an_indicator(1, created_by_ref="identity--1")
    for _ in range(depth):
        objects = [objects]
    found = readings(FORMAT, bundle(objects))
    assert len(observations(found)) + len(refusals(found)) == 1
