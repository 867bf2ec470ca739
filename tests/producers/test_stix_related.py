"""STIX sightings and relationships: how often an indicator was seen, and what it indicates."""

import json
from typing import Any

import pytest

from producers.readers.reading import Emptied, LeftOut
from producers.readers.stix_related import techniques_of
from tests.producers.reading_feeds import left_out, observations, readings, refusals
from tests.producers.taxii_collection import GREEN, an_indicator

FORMAT = "stix-bundle"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
ID = an_indicator(1)["id"]


def bundle(*objects: dict[str, Any]) -> bytes:
    return json.dumps({"type": "bundle", "objects": list(objects)}).encode()


def thing(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--00000000-0000-4000-8000-000000000009"} | more


def sighting(**more: Any) -> dict[str, Any]:
    return thing("sighting", sighting_of_ref=ID, **more)


def indicates(target: dict[str, Any], **more: Any) -> dict[str, Any]:
    stated = {"relationship_type": "indicates", "source_ref": ID, "target_ref": target["id"]}
    return thing("relationship", **(stated | more))


TECHNIQUE = thing(
    "attack-pattern",
    name="PowerShell",
    external_references=[
        {"source_name": "mitre-attack", "external_id": "T1059.001"},
        {"source_name": "capec", "external_id": "CAPEC-1"},
    ],
)
MALWARE = thing("malware", name="Emotet", is_family=True, malware_types=["trojan", "downloader"])


def test_an_indicator_counts_as_often_as_it_was_sighted_and_from_when_until_when() -> None:
    seen = sighting(count=50, first_seen="2026-11-21T00:00:00Z", last_seen="2026-11-22T00:00:00Z")
    other = sighting(first_seen="2026-11-23T00:00:00Z", id="sighting--00000000-0000-4000-8000-000000000007")
    found = readings(FORMAT, bundle(seen, an_indicator(1), other))
    [row] = observations(found)
    assert row.count == 51
    assert (row.first_seen_ms, row.last_seen_ms) == (1795219200000, 1795392000000)
    assert row.marking.tlp == "TLP:GREEN"
    assert [(each.place.line, each.rule) for each in left_out(found)] == [(1, "sighting"), (3, "sighting")]


def test_a_sighting_that_is_marked_more_strictly_is_left_out_and_holds_nothing_back() -> None:
    found = readings(FORMAT, bundle(sighting(count=9, object_marking_refs=[AMBER]), an_indicator(1)))
    assert [(row.marking.tlp, row.count) for row in observations(found)] == [("TLP:GREEN", 1)]
    assert [each.rule for each in left_out(found)] == ["sighting-of-other"]


@pytest.mark.parametrize("more", [{"count": 0}, {"revoked": True}])
def test_what_was_searched_and_not_seen_is_counted_and_is_no_observation(more: dict[str, Any]) -> None:
    found = readings(FORMAT, bundle(an_indicator(1), sighting(**more)))
    assert len(observations(found)) == 1
    assert [each.rule for each in left_out(found)] == ["not-seen"]


@pytest.mark.parametrize(
    "objects",
    [
        [sighting()],
        [an_indicator(2), sighting()],
        [an_indicator(1, revoked=True), sighting()],
        [an_indicator(1, pattern="[file:size = 3]"), sighting()],
        [an_indicator(1, pattern_type="yara", pattern="rule x {}"), sighting()],
    ],
)
def test_a_sighting_of_what_is_not_asserted_is_left_out(objects: list[dict[str, Any]]) -> None:
    found = [each for each in readings(FORMAT, bundle(*objects)) if not isinstance(each, Emptied)]
    assert isinstance(found[-1], LeftOut)
    assert found[-1].rule == "sighting-of-other"


@pytest.mark.parametrize("more", [{"count": -1}, {"count": "many"}, {"count": 1e99}, {"first_seen": "yesterday"}])
def test_a_sighting_that_cannot_be_read_is_refused_alone(more: dict[str, Any]) -> None:
    found = readings(FORMAT, bundle(an_indicator(1), sighting(**more)))
    assert len(observations(found)) == 1
    assert len(refusals(found)) == 1


def test_what_an_indicator_indicates_gives_labels() -> None:
    technique = indicates(TECHNIQUE)
    malware = indicates(MALWARE, id="relationship--00000000-0000-4000-8000-000000000008")
    [row] = observations(readings(FORMAT, bundle(an_indicator(1), technique, malware, TECHNIQUE, MALWARE)))
    assert row.labels == ("T1059.001", "Emotet", "trojan", "downloader")


def test_an_indicators_own_references_are_techniques() -> None:
    references = TECHNIQUE["external_references"]
    [row] = observations(readings(FORMAT, bundle(an_indicator(1, external_references=references))))
    assert row.labels == ("T1059.001",)
    assert (
        list(techniques_of({"external_references": [None, {"source_name": "mitre-attack", "external_id": "x"}]})) == []
    )


@pytest.mark.parametrize(
    "objects",
    [
        [indicates(MALWARE), MALWARE | {"object_marking_refs": [AMBER]}],
        [indicates(MALWARE, object_marking_refs=[AMBER]), MALWARE],
        [indicates(MALWARE), MALWARE | {"description": "TLP:RED"}],
        [indicates(MALWARE), MALWARE | {"x_handling": "ask us"}],
        [indicates(MALWARE, revoked=True), MALWARE],
        [indicates(MALWARE, relationship_type="related-to"), MALWARE],
        [indicates(MALWARE)],
        [indicates(MALWARE), MALWARE | {"name": None, "malware_types": None}],
    ],
)
def test_what_is_marked_more_strictly_or_does_not_indicate_gives_none_and_holds_nothing_back(
    objects: list[dict[str, Any]],
) -> None:
    [row] = observations(readings(FORMAT, bundle(an_indicator(1), *objects)))
    assert row.labels == ()
    assert row.marking.tlp == "TLP:GREEN"


def test_an_indicator_that_is_as_strict_gets_the_labels_of_what_it_indicates() -> None:
    strict = an_indicator(1, object_marking_refs=[AMBER])
    target = MALWARE | {"object_marking_refs": [GREEN]}
    [row] = observations(readings(FORMAT, bundle(strict, indicates(MALWARE), target)))
    assert row.labels == ("Emotet", "trojan", "downloader")
