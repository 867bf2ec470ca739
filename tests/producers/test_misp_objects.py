"""MISP objects that describe one thing by several attributes, and sightings."""

import json
from typing import Any

import pytest

from schemas.vocabulary import Withdrawal
from tests.producers.reading_feeds import left_out, observations, readings
from tests.producers.test_misp_event import an_attribute, an_event

SHA256 = "ab" * 32
MD5 = "cd" * 16


def an_object(name: str, *attributes: tuple[str, str, str], **changes: Any) -> dict[str, Any]:
    """An object of attributes: relation, type and value."""
    listed = [
        an_attribute(uuid=f"00000000-0000-4000-8000-{number:012d}", object_relation=relation, type=kind, value=value)
        for number, (relation, kind, value) in enumerate(attributes)
    ]
    return {"name": name, "uuid": "00000000-0000-4000-8000-0000000000ff", "Attribute": listed, **changes}


def read(*objects: dict[str, Any], **defaults: Any) -> list[Any]:
    return readings("misp-event", json.dumps(an_event(Object=list(objects))).encode(), **defaults)


def taken(*objects: dict[str, Any], **defaults: Any) -> list[str]:
    return [row.value for row in observations(read(*objects, **defaults))]


@pytest.mark.parametrize(
    ("found", "values"),
    [
        (an_object("file", ("filename", "filename", "svchost.exe"), ("sha256", "sha256", SHA256)), [SHA256]),
        (
            an_object("file", ("sha256", "sha256", SHA256), ("md5", "md5", MD5), ("filename", "filename", "a.exe")),
            [SHA256, MD5],
        ),
        (an_object("file", ("filename", "filename", "evil.exe")), ["evil.exe"]),
        (
            an_object("domain-ip", ("domain", "domain", "bad.example.com"), ("ip", "ip-dst", "198.51.100.7")),
            ["bad.example.com", "198.51.100.7"],
        ),
        (
            an_object("domain-ip", ("domain", "domain", "a.example.com"), ("domain", "domain", "b.example.com")),
            ["a.example.com", "b.example.com"],
        ),
        (an_object("ip-port", ("ip", "ip-dst", "198.51.100.7"), ("dst-port", "port", "443")), ["198.51.100.7"]),
        (an_object("ip-port", ("ip", "ip-dst", "198.51.100.0/24"), ("dst-port", "port", "443")), []),
        (
            an_object("url", ("url", "url", "http://bad.example.com/a"), ("domain", "domain", "bad.example.com")),
            ["http://bad.example.com/a"],
        ),
        (an_object("http-request", ("host", "hostname", "shared.example.com"), ("uri", "uri", "/a.php")), []),
        (
            an_object("malware-config", ("c2", "domain", "a.example.com"), ("ip", "ip-dst", "198.51.100.7")),
            ["a.example.com", "198.51.100.7"],
        ),
    ],
)
def test_of_an_object_that_describes_one_thing_only_what_is_specific_is_taken(
    found: dict[str, Any], values: list[str]
) -> None:
    assert taken(found) == values
    carried = [each for each in found["Attribute"] if each["type"] not in ("port", "uri")]
    parts = [piece for piece in left_out(read(found)) if piece.rule == "part-of-object"]
    assert len(parts) == len(carried) - len(values)


def test_what_is_not_for_detection_narrows_nothing() -> None:
    found = an_object("domain-ip", ("domain", "domain", "cdn.example.com"), ("ip", "ip-dst", "198.51.100.7"))
    found["Attribute"][0]["to_ids"] = False
    assert taken(found) == ["198.51.100.7"]
    assert taken(found, include=frozenset({"not-to-ids"})) == ["cdn.example.com", "198.51.100.7"]


def test_an_attribute_that_cannot_be_read_makes_no_other_one_stand() -> None:
    found = an_object("file", ("filename", "filename", "svchost.exe"), ("sha256", "sha256", SHA256), ("x", "md5", MD5))
    found["Attribute"][2]["type"] = None
    assert taken(found) == [SHA256]


def test_a_part_that_was_taken_before_is_withdrawn_if_the_object_describes_more_now() -> None:
    found = an_object("file", ("filename", "filename", "a.exe"), ("sha256", "sha256", SHA256))
    ends = [piece for piece in read(found) if getattr(piece, "withdrawal", None) is Withdrawal.REVOKED]
    assert [(piece.value, piece.implied) for piece in ends] == [("a.exe", True)]


def test_sightings_state_when_it_was_seen_and_are_left_out_of_the_count() -> None:
    sightings = [
        {"type": "0", "date_sighting": "1763700000", "source": "made up"},
        {"type": 0, "date_sighting": 1763800000},
        {"type": "0", "date_sighting": "soon"},
    ]
    found = readings("misp-event", json.dumps(an_event(an_attribute(Sighting=sightings))).encode())
    [seen] = observations(found)
    assert (seen.first_seen_ms, seen.last_seen_ms, seen.count) == (1763625600000, 1763800000000, 1)
    assert [piece.rule for piece in left_out(found)] == ["sighting"] * 3
