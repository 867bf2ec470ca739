"""Everything that is served is STIX 2.1, whatever an indicator is marked with and contains."""

import json
import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stix2 import parse  # type: ignore[import-untyped]
from stix2.v21.base import _STIXBase21  # type: ignore[import-untyped]

from consumers.stix.identifiers import indicator_object_id, indicators_of_object_id
from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS
from tests.consumers.picture.topics import World
from tests.consumers.stix.test_objects import assert_valid
from tests.consumers.taxii.serving import Served, served

VALUES = (
    ("domain-name", "c2.example.com"), ("ipv4-addr", "198.51.100.7"), ("ipv6-addr", "2001:db8::7"),
    ("ipv4-net", "198.51.100.0/24"), ("ipv6-net", "2001:db8::/32"), ("url", "https://c2.example.com/a'b?c=%27"),
    ("file-md5", "d41d8cd98f00b204e9800998ecf8427e"), ("file-sha256", "9f" * 32), ("email-addr", "a'b@example.com"),
    ("file-name", "back\\slash'\u202ename.exe"), ("autonomous-system", "AS64500"), ("ja3", "ab" * 16),
)  # fmt: skip


def every(server: Served) -> list[dict[str, Any]]:
    """All objects of the collection, page by page."""
    found, query = list[dict[str, Any]](), dict[str, Any]()
    while True:
        page = server.objects(limit=7, **query)
        found += page.objects
        if not page.json.get("more"):
            return found
        query = {"next": page.json["next"]}


def read_strictly(found: list[dict[str, Any]]) -> None:
    """By OASIS's library and validator, and each reference leads to an object that is there."""
    known = {each["id"] for each in found}
    for each in found:
        read = parse(json.dumps(each), allow_custom=False)
        assert_valid(each)
        assert isinstance(read, _STIXBase21)
        assert known.issuperset(each.get("object_marking_refs", ()))
        assert each.get("created_by_ref", each["id"]) in known


def test_every_type_label_and_end_is_read_strictly(world: World) -> None:
    for kind, value in VALUES:
        world.gbr.release(value, kind)
    for tlp in ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER"):
        for pap in ("", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"):
            name = f"{tlp}-{pap}.example".replace(":", "-").lower()
            world.gbr.release(name, content={"tlp": tlp, "pap": pap, "caveats": ["EMBARGO", "関係者限り"]})
    for state in ("expired", "revoked", "recalled"):
        world.gbr.release(f"{state}.example")
    world.catch_up()
    for state in ("expired", "revoked", "recalled"):
        world.gbr.release(f"{state}.example", record=state, version=NOW_MS + 1)
    world.catch_up()
    with served(world) as server:
        found = every(server)
    read_strictly(found)
    assert len([each for each in found if each["type"] == "indicator"]) == len(VALUES) + 15 + 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    label=st.text(max_size=60),
    tearline=st.text(max_size=200),
    caveat=st.text(min_size=1, max_size=30),
    confidence=st.integers(-1, 100),
    first=st.integers(0, 2**50),
    until=st.integers(0, 2**50),
)
def test_whatever_a_partner_writes_is_served_as_stix(
    world: World, label: str, tearline: str, caveat: str, confidence: int, first: int, until: int
) -> None:
    content = {
        "labels": [label], "tearline": tearline, "caveats": [caveat], "confidence": confidence, "first_seen_ms": first,
        "last_seen_ms": first, "valid_until_ms": until,
    }  # fmt: skip
    world.gbr.release(
        "any.example", content=content, version=NOW_MS + len(world.gbr.records[0]) + len(world.gbr.records[1])
    )
    world.catch_up()
    with served(world) as server:
        read_strictly(every(server))


@given(st.sampled_from(list(IndicatorType)), st.text(max_size=50), st.sampled_from(["GBR", "JPN", "USA"]))
def test_an_object_s_id_leads_back_to_its_indicator_and_differs_by_origin(
    kind: IndicatorType, value: str, origin: str
) -> None:
    indicator = indicator_id(indicator_key(kind, value))
    name = indicator_object_id(origin, indicator)
    assert indicators_of_object_id(origin, name) == [indicator]
    assert name != indicator
    assert (uuid.UUID(name[11:]).version, uuid.UUID(name[11:]).variant) == (5, uuid.RFC_4122)
    assert indicator_object_id("FRA", indicator) != name
