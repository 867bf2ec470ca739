"""Collections by TAXII: each object once, whatever pages, times and crashes do; from our own server and lesser ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import ConfigurationError, ExchangeError, Exit, Refused, TransientError
from producers.live import taxii_21
from producers.live.kinds import kind_of
from producers.live.server import authorization_of
from schemas.vocabulary import Withdrawal
from tests.builders import NOW_MS
from tests.consumers.picture.topics import World
from tests.consumers.taxii.serving import served
from tests.kakehashi.command import kakehashi
from tests.producers.killing import killed_after
from tests.producers.producing import a_secret
from tests.producers.taxii_collection import Collection, Sensor, an_indicator, serving


@pytest.fixture
def collection() -> Iterator[Collection]:
    with serving() as found:
        yield found


@pytest.fixture
def sensor(tmp_path: Path) -> Sensor:
    return Sensor(tmp_path / "spool")


@pytest.mark.parametrize("has_next", [True, False])
def test_all_pages_are_read_and_then_only_what_was_added(
    collection: Collection, sensor: Sensor, has_next: bool
) -> None:
    collection.has_next = has_next
    collection.add(1, *(an_indicator(number) for number in range(10)))
    sensor.poll(collection.address)
    assert sorted(sensor.values) == sorted(f"c{number}.example.com" for number in range(10))
    sensor.poll(collection.address)
    assert len(sensor.values) == 10
    collection.add(1, an_indicator(10))  # in the same second: added_after excludes it
    collection.add(2, an_indicator(11))
    sensor.poll(collection.address)
    assert sensor.values[10:] == ["c10.example.com", "c11.example.com"]
    paths = [path for path, _ in collection.requests]
    assert "added_after" not in paths[0]
    assert "added_after" in paths[-1]


def test_an_empty_page_with_more_behind_it_is_not_the_end(collection: Collection, sensor: Sensor) -> None:
    pages: list[dict[str, Any]] = [
        {"more": True, "next": "2", "objects": [an_indicator(1)]},
        {"more": True, "next": "3", "objects": []},
        {"more": False, "objects": [an_indicator(2)]},
    ]
    headers = {"Content-Type": taxii_21.MEDIA, "X-TAXII-Date-Added-Last": "2026-11-20T00:00:01.000000Z"}
    collection.answer = lambda: (200, headers, json.dumps(pages.pop(0) if pages else {"objects": []}).encode())
    sensor.poll(collection.address)
    assert sensor.values == ["c1.example.com", "c2.example.com"]


def test_a_version_that_is_revoked_later_withdraws(collection: Collection, sensor: Sensor) -> None:
    collection.add(1, an_indicator(1))
    sensor.poll(collection.address)
    collection.add(9, an_indicator(1, modified="2026-11-21T00:00:00Z", revoked=True))
    sensor.poll(collection.address)
    assert [row.withdrawal for row in sensor.rows] == [None, Withdrawal.REVOKED]


def test_what_earlier_pages_state_about_later_objects_counts(collection: Collection, sensor: Sensor) -> None:
    red = "marking-definition--00000000-0000-4000-8000-0000000000aa"
    definition = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": red,
        "created": "2026-11-20T00:00:00Z",
        "definition_type": "statement",
        "definition": {"statement": "TLP:RED"},
    }
    report = {
        "type": "report",
        "spec_version": "2.1",
        "id": "report--00000000-0000-4000-8000-0000000000bb",
        "created": "2026-11-20T00:00:00Z",
        "modified": "2026-11-20T00:00:00Z",
        "name": "a case",
        "published": "2026-11-20T00:00:00Z",
        "object_marking_refs": [red],
        "object_refs": [an_indicator(2)["id"]],
    }
    collection.most = 1
    collection.add(1, definition, report)
    sensor.poll(collection.address)
    collection.add(30, an_indicator(1, object_marking_refs=[red]), an_indicator(2), an_indicator(3))
    sensor.poll(collection.address)
    assert [(row.value, row.marking.tlp) for row in sensor.rows] == [
        ("c1.example.com", "TLP:RED"),
        ("c2.example.com", "TLP:RED"),
        ("c3.example.com", "TLP:GREEN"),
    ]


@settings(max_examples=40, deadline=None)
@given(
    added=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=5),
    kills=st.lists(st.integers(1, 12), max_size=4),
    has_next=st.booleans(),
    most=st.integers(1, 4),
    most_bytes=st.sampled_from([1, 900, 1 << 20]),
)
def test_each_object_is_taken_once_however_often_the_sensor_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
    added: list[tuple[int, int]],
    kills: list[int],
    has_next: bool,
    most: int,
    most_bytes: int,
) -> None:
    sensor = Sensor(tmp_path_factory.mktemp("sensor") / "spool")
    server = Collection(has_next=has_next, most=most)
    number, second = 0, 1

    def page(url: str, _server: Any) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        _, headers, content = server.page(query)
        envelope = msgspec.json.decode(content, type=taxii_21._Envelope)
        return taxii_21._Page(envelope, headers.get("X-TAXII-Date-Added-Last", ""))

    def poll() -> None:
        sensor.poll("taxii+http://192.0.2.1/c/", most_bytes=most_bytes)

    with patch.object(taxii_21, "_page", page), killed_after(kills) as to_its_end:
        for later, count in added:
            second += later
            server.add(second, *(an_indicator(number + each) for each in range(count)))
            number += count
            to_its_end(poll)
    assert sorted(sensor.values) == sorted(f"c{each}.example.com" for each in range(number))


def test_our_own_server_is_read_page_by_page_with_its_ends(tmp_path: Path, sensor: Sensor) -> None:
    world = World(tmp_path / "world")
    secret = a_secret(tmp_path / "secret", "soc")
    for number in range(7):
        world.gbr.release(f"c{number}.example.com")
    world.catch_up()
    with served(world) as server, patch.object(taxii_21, "PAGE", 3):
        address = f"taxii+http://127.0.0.1:{server.port}/jpn/collections/gbr-amber/"
        sensor.poll(address, credentials=secret)
        assert sorted(sensor.values) == [f"c{number}.example.com" for number in range(7)]
        world.gbr.release("c3.example.com", record="revoked", version=NOW_MS + 1)
        world.gbr.release("c8.example.com")
        world.catch_up()
        sensor.poll(address, credentials=secret)
        sensor.poll(address, credentials=secret)
    assert sorted(sensor.values[7:]) == ["c3.example.com", "c8.example.com"]
    assert [row.value for row in sensor.rows if row.withdrawal] == ["c3.example.com"]


@pytest.mark.parametrize(
    ("status", "headers", "content", "error", "expected_text"),
    [
        (401, {}, b"", ConfigurationError, "may you have it"),
        (404, {}, b"", ConfigurationError, "is the address right"),
        (429, {"Retry-After": "60"}, b"", TransientError, "after 60"),
        (503, {}, b"", TransientError, "Run it again later"),
        (302, {"Location": "http://192.0.2.1/"}, b"", ConfigurationError, "302"),
        (406, {}, b"", ConfigurationError, "no collection of TAXII 2.1 or 2.0"),
        (200, {"Content-Type": "text/html"}, b"<html>", Refused, "not with TAXII 2.1"),
        (200, {"Content-Type": taxii_21.MEDIA}, b"{", Refused, "is no envelope"),
        (200, {"Content-Type": taxii_21.MEDIA}, b'{"more":true,"objects":[{}]}', Refused, "neither `next`"),
        (200, {"Content-Type": taxii_21.MEDIA, "Content-Length": "99"}, b"{}", TransientError, "broke off"),
    ],
)
def test_an_answer_that_is_none_changes_nothing(
    collection: Collection,
    sensor: Sensor,
    status: int,
    headers: dict[str, str],
    content: bytes,
    error: type[ExchangeError],
    expected_text: str,
) -> None:
    collection.add(1, an_indicator(1))
    sensor.poll(collection.address)
    collection.answer = lambda: (status, headers, content)
    with pytest.raises(error, match=expected_text):
        sensor.poll(collection.address)
    collection.answer = None
    collection.add(5, an_indicator(2))
    sensor.poll(collection.address)
    assert sensor.values == ["c1.example.com", "c2.example.com"]


def test_credentials_are_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("soc:token\n")
    secret.chmod(0o604)
    with pytest.raises(ConfigurationError, match="chmod 0600"):
        authorization_of(secret)
    secret.chmod(0o600)
    assert authorization_of(secret) == "Basic c29jOnRva2Vu"
    secret.write_text("token")
    assert authorization_of(secret) == "Bearer token"
    secret.write_text("a\nb")
    with pytest.raises(ConfigurationError, match="one line"):
        authorization_of(secret)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        authorization_of(tmp_path / "none")


def test_a_state_that_is_damaged_is_stated_and_not_guessed(collection: Collection, sensor: Sensor) -> None:
    collection.add(1, an_indicator(1))
    sensor.poll(collection.address)
    [state] = sensor.folder.glob("fetched/*/state.json")
    state.write_text("{")
    with pytest.raises(ConfigurationError, match="is damaged"):
        sensor.poll(collection.address)


def test_the_command_takes_a_collection(collection: Collection, tmp_path: Path) -> None:
    a_secret(tmp_path / "secret", "soc:token")
    collection.add(1, *(an_indicator(number) for number in range(5)))
    shown = kakehashi(
        *("produce", "--nation", "GBR", "--sensor", "edge-1", "--dry-run", "--json"),
        *("--credentials", "secret", collection.address),
        within=tmp_path,
    )
    assert shown.returncode == Exit.OK, shown.stderr
    assert [json.loads(line)["value"] for line in shown.stdout.splitlines()] == [f"c{n}.example.com" for n in range(5)]
    assert {headers["Authorization"] for _, headers in collection.requests} == {"Basic c29jOnRva2Vu"}
    refused = kakehashi(
        *("produce", "--nation", "GBR", "--sensor", "edge-1", "--dry-run", "--snapshot", collection.address),
        within=tmp_path,
    )
    assert refused.returncode == Exit.USAGE
    assert kind_of(collection.address)
    assert not list(tmp_path.glob("**/state.json"))
