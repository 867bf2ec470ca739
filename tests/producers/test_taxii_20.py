"""Collections by TAXII 2.0: each version once, whatever moves between pages, and whatever a server does not state."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import ConfigurationError, Refused, TransientError
from producers.fetch import Declined
from producers.live import server as http
from producers.live.server import Answer
from tests.producers.killing import killed_after
from tests.producers.taxii_20_collection import Collection20, headers_of, serving_20
from tests.producers.taxii_collection import Sensor


@pytest.fixture
def collection() -> Iterator[Collection20]:
    with serving_20() as found:
        yield found


@pytest.fixture
def sensor(tmp_path: Path) -> Sensor:
    return Sensor(tmp_path / "spool")


def taken(sensor: Sensor) -> list[str]:
    """The values that were asserted, in order."""
    return [row.value for row in sensor.rows if row.withdrawal is None]


def test_a_server_of_2_0_is_found_out_and_read_page_by_page(collection: Collection20, sensor: Sensor) -> None:
    collection.add(10)
    sensor.poll(collection.address)
    assert sorted(taken(sensor)) == sorted(collection.values)
    before = len(collection.requests)
    collection.second = 60
    collection.add(1)
    sensor.poll(collection.address)
    assert taken(sensor)[10:] == ["c11-0.example.com"]
    first, *others = [headers["Range"] for _, headers in collection.requests if "Range" in headers]
    assert first.startswith("items=0-")
    assert others[0].startswith("items=2-"), "a page begins with the last object of the one before"
    later = collection.requests[before:]
    assert all(headers["Accept"].endswith("version=2.0") for _, headers in later), "the version is known by now"
    assert all("added_after=2026-11-1" in path for path, _ in later)


_OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["add", "update", "remove"]), st.integers(0, 9), st.sampled_from([0, 1, 9])), max_size=6
)


@settings(max_examples=20, deadline=None)
@given(
    turns=st.lists(st.tuples(_OPERATIONS, st.lists(_OPERATIONS, max_size=4)), min_size=1, max_size=4),
    kills=st.lists(st.integers(1, 12), max_size=4),
    in_place=st.booleans(),
    has_numbers=st.booleans(),
    has_times=st.booleans(),
    has_total=st.booleans(),
    most=st.integers(2, 5),
    most_bytes=st.sampled_from([1, 900, 1 << 20]),
)
def test_each_version_is_taken_once_whatever_moves_between_pages_and_however_often_the_sensor_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
    turns: list[tuple[list[tuple[str, int, int]], list[list[tuple[str, int, int]]]]],
    kills: list[int],
    most_bytes: int,
    **kind: Any,
) -> None:
    sensor, server = Sensor(tmp_path_factory.mktemp("sensor") / "spool"), Collection20(**kind)
    for _ in range(7):
        server.add()
        server.second += 5

    def asked(_self: object, url: str, headers: dict[str, str], **_: Any) -> Answer:
        status, stated, content = server.page(url, headers)
        if status >= 400:
            raise Declined(url, status)
        return Answer(headers_of(stated), content)

    def happen(operations: list[tuple[str, int, int]]) -> None:
        for operation, at, later in operations:
            server.second += later
            if operation == "add":
                server.add(1 + at % 2)
            elif operation == "update":
                server.update(at)
            else:
                server.remove(at)

    def poll() -> None:
        sensor.poll("taxii+http://192.0.2.1/c/", most_bytes=most_bytes)

    with patch.object(http.Server, "ask", asked), killed_after(kills) as to_its_end:
        for before, between in (*turns, ([], [])):
            happen(before)
            left = iter(between)
            server.meanwhile = lambda left=left: happen(next(left, []))  # type: ignore[misc]
            to_its_end(poll)
            server.second += 1
        server.meanwhile = lambda: None
        to_its_end(poll)
    found = taken(sensor)
    assert server.values <= set(found)
    assert len(found) == len(set(found))


def far_apart(collection: Collection20) -> None:
    """Objects that the next pass does not list again, because each was added long after the one before."""
    for _ in range(12):
        collection.second += 10
        collection.add()


def test_what_moves_to_an_earlier_page_while_pages_are_read_is_not_passed_over(
    collection: Collection20, sensor: Sensor
) -> None:
    far_apart(collection)
    removals = iter([3])

    def remove() -> None:
        for _ in range(next(removals, 0)):
            collection.remove(0)

    collection.meanwhile = remove
    sensor.poll(collection.address)
    assert collection.values <= set(taken(sensor))
    assert len(taken(sensor)) == 12, "the first three were listed before they left"
    collection.second += 10
    collection.add()
    sensor.poll(collection.address)
    assert len(taken(sensor)) == 13


def test_what_is_updated_in_its_place_while_later_pages_are_read_is_in_the_next_pass(
    collection: Collection20, sensor: Sensor
) -> None:
    collection.in_place = True
    far_apart(collection)
    updates = iter([0])

    def update() -> None:
        for at in updates:
            collection.second += 10
            collection.update(at)
            collection.second += 10
            collection.add()

    collection.meanwhile = update
    sensor.poll(collection.address)
    sensor.poll(collection.address)
    assert sorted(taken(sensor)) == sorted([*collection.values, "c1-0.example.com"])


def test_a_state_goes_on_within_a_pass_and_lists_nothing_again(collection: Collection20, sensor: Sensor) -> None:
    collection.add(9)
    sensor.poll(collection.address, most_bytes=1)
    places = [int(headers["Range"][6:].split("-")[0]) for _, headers in collection.requests if "Range" in headers]
    assert all(after > before for before, after in pairwise(places))
    assert sorted(taken(sensor)) == sorted(collection.values)
    assert len(list(sensor.folder.glob("fetched/*/*.json"))) == 2, "the state and the last of several documents"


def test_a_server_that_gives_one_object_a_page_is_asked_a_bounded_number_of_times(
    collection: Collection20, sensor: Sensor
) -> None:
    collection.most = 1
    collection.add(3)
    with pytest.raises(TransientError, match="less than two objects a page"):
        sensor.poll(collection.address)
    assert len(collection.requests) < 200


def test_an_address_that_is_no_collection_gets_those_of_its_server(collection: Collection20, sensor: Sensor) -> None:
    server = f"taxii+http://127.0.0.1:{collection.port}"
    for address in (f"{server}/", f"{server}/taxii/", f"{server}/api/", f"{server}/api/collections/3/"):
        with pytest.raises(ConfigurationError, match=r"/api/collections/1/ \(Malware\)") as raised:
            sensor.poll(address)
        assert "collections/2/" not in f"{raised.value}", "it may not be read"
    assert not any("192.0.2.1" in path for path, _ in collection.requests)


@pytest.mark.parametrize(
    ("headers", "content", "expected_text"),
    [
        ({"Content-Range": "items 0-0/5"}, b'{"objects":[]}', "none of its 5 objects"),
        ({"Content-Range": "bytes 0-0/5"}, b'{"objects":[]}', "not one as"),
        ({}, b"{", "no bundle"),
        ({"Content-Type": "text/html"}, b"<html>", "not with TAXII 2.0"),
    ],
)
def test_an_answer_of_2_0_that_is_none_changes_nothing(
    collection: Collection20, sensor: Sensor, headers: dict[str, str], content: bytes, expected_text: str
) -> None:
    collection.add(1)
    sensor.poll(collection.address)
    answer = {"Content-Type": "application/vnd.oasis.stix+json; version=2.0", **headers}
    with (
        patch.object(Collection20, "page", lambda *_: (200, answer, content)),
        pytest.raises(Refused, match=expected_text),
    ):
        sensor.poll(collection.address)
    collection.second = 9
    collection.add(1)
    sensor.poll(collection.address)
    assert taken(sensor) == ["c1-0.example.com", "c2-0.example.com"]
