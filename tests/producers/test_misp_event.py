"""MISP events in their wrappings."""

import json
from typing import Any

import pytest

from producers.readers.reading import Withdrawn
from schemas.markings import Marking, SourceMarking, Tlp, understand
from schemas.vocabulary import IndicatorType, RejectReason
from tests.producers.reading_feeds import document_of, left_out, observations, readings, recorded, refusals

FORMAT = "misp-event"

FEED = ("misp/tweetfeed-600940a0.json.gz", "misp/tweetfeed-4a9d0b3b.json.gz", "misp/tweetfeed-371658dc.json.gz")


def an_attribute(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "type": "domain",
        "category": "Network activity",
        "to_ids": True,
        "value": "bad.example.com",
        "timestamp": "1763625600",
    } | changes


def an_event(*attributes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"Event": {"uuid": "e", "info": "made up", "distribution": "3", "Attribute": list(attributes)} | changes}


def read(document: Any, **defaults: Any) -> list[Any]:
    return readings(FORMAT, json.dumps(document).encode(), **defaults)


def attributes_of(file: str) -> list[dict[str, Any]]:
    """All attributes, those of objects too, by a plain walk."""
    document = document_of(file)
    if "response" in document:
        document = document["response"][0]
    event = document.get("Event", document)
    return [*event.get("Attribute", []), *(a for group in event.get("Object", []) for a in group["Attribute"])]


@pytest.mark.parametrize("file", FEED)
def test_every_attribute_of_a_recorded_feed_is_read_with_its_events_marking(file: str) -> None:
    attributes = attributes_of(file)
    found = recorded(file, FORMAT)
    seen = observations(found)
    assert refusals(found) == []
    assert [row.value for row in seen] == [attribute["value"] for attribute in attributes]
    assert [row.first_seen_ms for row in seen] == [int(attribute["timestamp"]) * 1000 for attribute in attributes]
    assert {row.marking for row in seen} == {SourceMarking(tlp="TLP:CLEAR")}
    assert [row.description for row in seen] == [attribute["comment"] for attribute in attributes]
    tags = [[tag["name"] for tag in attribute.get("Tag", [])] for attribute in attributes]
    assert all(set(row.labels) >= set(names) for row, names in zip(seen, tags, strict=True))


@pytest.mark.parametrize("file", ["misp/long-event.json.gz", "misp/existing-event.json.gz", "misp/mozi.json.gz"])
def test_what_is_to_ids_is_read_or_refused_and_nothing_else(file: str) -> None:
    actionable = [attribute for attribute in attributes_of(file) if attribute["to_ids"]]
    found = recorded(file, FORMAT)
    parts = [piece for piece in left_out(found) if piece.rule == "part-of-object"]
    assert len(found) - len(left_out(found)) == len(actionable) - len(parts)
    assert {piece.kind for piece in parts if isinstance(piece, Withdrawn)} <= {IndicatorType.FILE_NAME}
    assert len(found) == len(attributes_of(file))
    values = [row.value for row in observations(found)]
    expected = [attribute["value"].split("|")[-1] for attribute in actionable]
    assert [value for value in expected if value in set(values)] == values


def test_the_strictest_of_several_tlp_tags_holds() -> None:
    [seen] = observations(recorded("misp/tlp2-tags.json", FORMAT))
    assert understand(seen.marking) == Marking(tlp=Tlp.AMBER_STRICT)


def test_nothing_that_is_not_to_ids_is_read() -> None:
    for file in ("misp/japanese-test.json", "misp/turla-crutch.json"):
        found = recorded(file, FORMAT)
        assert {piece.rule for piece in left_out(found)} <= {"not-to-ids", "deleted"}
        assert len(left_out(found)) == len(found)


def test_a_proposal_is_not_an_attribute() -> None:
    values = [row.value for row in observations(recorded("misp/shadow.json", FORMAT))]
    assert "blah.exe.jpg" not in values
    assert len(values) == 1


@pytest.mark.parametrize("file", ["misp/events-collection.json", "misp/attributes-collection.json"])
def test_collections_of_events_and_of_attributes_are_read(file: str) -> None:
    [seen] = observations(recorded(file, FORMAT))
    assert (seen.value, seen.description) == ("circl.lu", "Domain test attribute")


def test_events_are_found_in_every_wrapping() -> None:
    event = an_event(an_attribute())
    for wrapped in (event, event["Event"], [event], {"response": [event]}, {"response": event}, [event["Event"]]):
        assert [row.value for row in observations(read(wrapped))] == ["bad.example.com"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ip-dst|port", "198.51.100.7|443", [(IndicatorType.IPV4_ADDR, "198.51.100.7")]),
        (
            "domain|ip",
            "a.example|2001:db8::1",
            [(IndicatorType.DOMAIN_NAME, "a.example"), (IndicatorType.IPV4_ADDR, "2001:db8::1")],
        ),
        ("filename|sha1", "a|b.exe|" + "0" * 40, [(IndicatorType.FILE_SHA1, "0" * 40)]),
        ("filename|md5", "b.exe|" + "0" * 32, [(IndicatorType.FILE_MD5, "0" * 32)]),
        ("url", "http://a.example/?x|y", [(IndicatorType.URL, "http://a.example/?x|y")]),
        ("AS", "AS64500", [(IndicatorType.AUTONOMOUS_SYSTEM, "AS64500")]),
        ("ja3-fingerprint-md5", "0" * 32, [(IndicatorType.JA3, "0" * 32)]),
    ],
)
def test_a_type_states_what_the_parts_of_its_value_are(
    kind: str, value: str, expected: list[tuple[IndicatorType, str]]
) -> None:
    seen = observations(read(an_event(an_attribute(type=kind, value=value))))
    assert [(row.kind, row.value) for row in seen] == expected


def test_a_hash_keeps_the_files_name_as_context() -> None:
    [seen] = observations(read(an_event(an_attribute(type="filename|md5", value="b.exe|" + "0" * 32))))
    assert dict(seen.context)["file-name"] == "b.exe"


def test_times_and_tags_of_event_object_and_attribute_join() -> None:
    group = {"name": "file", "Attribute": [an_attribute(Tag=[{"name": "tlp:amber"}, {"name": "c2"}])]}
    event = an_event(Object=[group], Tag=[{"name": "tlp:green"}, {"name": "PAP:RED"}, {"name": "campaign"}])
    timed = an_attribute(first_seen="2026-11-01T00:00:00.000000+00:00", last_seen="2026-11-02T00:00:00+00:00")
    [seen, other] = observations(read(event | {"Event": event["Event"] | {"Attribute": [timed]}}))
    assert seen.last_seen_ms - seen.first_seen_ms == 86_400_000
    assert other.marking == SourceMarking(tlp="TLP:AMBER", pap="PAP:RED")
    assert set(other.labels) == {"c2", "campaign"}
    assert dict(other.context)["object"] == "file"


def test_a_time_that_is_missing_never_makes_the_end_come_before_the_beginning() -> None:
    [seen] = observations(read(an_event(an_attribute(last_seen="2020-01-01T00:00:00Z"))))
    assert seen.first_seen_ms == seen.last_seen_ms == 1_577_836_800_000
    [seen] = observations(read(an_event(an_attribute(first_seen="2020-01-01T00:00:00Z"))))
    assert seen.first_seen_ms == seen.last_seen_ms == 1_577_836_800_000


@pytest.mark.parametrize(("level", "named"), [("0", ()), ("1", ()), ("4", ()), ("2", None), ("3", None), (3, None)])
def test_a_narrow_distribution_names_no_one_abroad(level: Any, named: tuple[str, ...] | None) -> None:
    [seen] = observations(read(an_event(an_attribute(), distribution=level)))
    assert seen.marking.releasable_to == named
    [inherits] = observations(read(an_event(an_attribute(distribution="5"), distribution="3")))
    assert inherits.marking.releasable_to is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "yara"}, RejectReason.UNKNOWN_TYPE),
        ({"timestamp": "soon"}, RejectReason.TIME_OUT_OF_RANGE),
        ({"first_seen": "2026-99-01"}, RejectReason.TIME_OUT_OF_RANGE),
        ({"type": None}, RejectReason.UNDECODABLE),
    ],
)
def test_a_bad_attribute_is_refused_alone(change: dict[str, Any], reason: RejectReason) -> None:
    found = read(an_event(an_attribute(**change), an_attribute()))
    [refused] = refusals(found)
    assert (refused.reason, refused.place.line) == (reason, 1)
    assert json.loads(refused.original or b"") == an_attribute(**change)
    assert len(observations(found)) == 1


def test_deleted_attributes_and_objects_are_passed_over() -> None:
    gone = {"name": "file", "deleted": True, "Attribute": [an_attribute()]}
    found = read(an_event(an_attribute(deleted=True), Object=[gone]))
    assert {piece.rule for piece in left_out(found)} == {"deleted"}
    assert len(left_out(found)) == len(found)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"Event": 7}', b'{"response": {"response": 7}}', b"{", b"7"])
def test_no_document_makes_the_reader_raise(content: bytes) -> None:
    assert observations(readings(FORMAT, content)) == []
    assert refusals(readings(FORMAT, content))


def test_what_is_not_for_detection_is_taken_on_request_without_a_confidence_if_its_type_is_carried() -> None:
    attributes = document_of("misp/turla-crutch.json")["response"][0]["Event"]["Attribute"]
    off = [each for each in attributes if not each["to_ids"]]
    kept = recorded("misp/turla-crutch.json", FORMAT, confidence=60)
    asked = recorded("misp/turla-crutch.json", FORMAT, confidence=60, include=frozenset({"not-to-ids"}))
    assert len([piece for piece in left_out(kept) if piece.rule == "not-to-ids"]) == len(off) == len(attributes)
    taken = [each["value"] for each in off if each["type"] in ("sha1", "filename", "domain", "url")]
    assert [row.value for row in observations(asked)] == taken
    assert {row.confidence for row in observations(asked)} == {-1}
    assert len(left_out(asked)) == len(off) - len(taken)
