"""A MISP server that is polled: what it asserts is asserted, and what it does not any more has ended."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pymisp import PyMISP

from exchange.errors import ConfigurationError, ExchangeError, Exit, Refused, TransientError
from producers.live import misp
from tests.kakehashi.command import kakehashi
from tests.link.certificates import Authority
from tests.producers.misp_server import Sensor, Server, serving, uuid_of
from tests.producers.producing import a_secret


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


@pytest.fixture
def sensor(tmp_path: Path) -> Sensor:
    return Sensor(tmp_path / "sensor")


def test_only_events_that_have_changed_are_asked_for(server: Server, sensor: Sensor) -> None:
    first = server.event(1, "a.example.com", "b.example.com")
    server.event(2, "c.example.com")
    sensor.poll(server.address)
    assert sensor.live == {"a.example.com", "b.example.com", "c.example.com"}
    sensor.poll(server.address)
    assert [path for path, _ in server.requests].count("/events/restSearch") == 1
    server.attribute(first, 9, "d.example.com")
    sensor.poll(server.address)
    assert server.requests[-1][1]["uuid"] == [uuid_of(1)]
    assert "d.example.com" in sensor.live


def test_of_an_event_that_has_changed_only_what_is_different_is_reported_again(server: Server, sensor: Sensor) -> None:
    event = server.event(1, "a.example.com", "b.example.com", "c.example.com")
    sensor.poll(server.address)
    server.attribute(event, 9, "d.example.com")
    server.edit(event, event["Attribute"][1], comment="seen at an ally's")
    sensor.poll(server.address)
    assert [row.value for row in sensor.rows[3:]] == ["b.example.com", "d.example.com"]
    server.clock += 1
    event["Attribute"][2]["Sighting"] = [{"date_sighting": str(server.clock), "type": "0"}]
    event["sighting_timestamp"] = str(server.clock)
    sensor.poll(server.address)
    [seen] = sensor.rows[5:]
    assert (seen.value, seen.last_seen_ms) == ("c.example.com", server.clock * 1000)
    server.edit(event, Tag=[{"name": "tlp:red"}])
    sensor.poll(server.address)
    assert [(row.value, row.marking.tlp) for row in sensor.rows[6:]] == [
        (f"{name}.example.com", "TLP:RED") for name in "abcd"
    ], "a marking of the event is one of each attribute"


def test_what_was_withdrawn_and_is_there_again_as_it_was_is_reported(server: Server, sensor: Sensor) -> None:
    event = server.event(1, "a.example.com", "b.example.com")
    sensor.poll(server.address)
    server.edit(event, event["Attribute"][0], to_ids=False)
    sensor.poll(server.address)
    server.edit(event, event["Attribute"][0], to_ids=True)
    sensor.poll(server.address)
    assert [(row.value, row.withdrawal is None) for row in sensor.rows[2:]] == [
        ("a.example.com", False),
        ("a.example.com", True),
    ]


def test_an_event_that_was_imported_with_an_old_time_is_read(server: Server, sensor: Sensor) -> None:
    server.event(1, "a.example.com")
    sensor.poll(server.address)
    server.event(2, "old.example.com", at=1_500_000_000)
    sensor.poll(server.address)
    assert sensor.live == {"a.example.com", "old.example.com"}


@pytest.mark.parametrize("change", ["deleted", "to_ids", "unpublished", "gone", "tagged", "value"])
def test_what_the_server_does_not_assert_any_more_ends(server: Server, sensor: Sensor, change: str) -> None:
    event = server.event(1, "a.example.com", "b.example.com")
    server.event(2, "kept.example.com")
    server.event(3, "other.example.com")
    sensor.poll(server.address)
    [first, _] = event["Attribute"]
    expected = {"b.example.com", "kept.example.com", "other.example.com"}
    match change:
        case "deleted":
            server.edit(event, first, deleted=True)
        case "to_ids":
            server.edit(event, first, to_ids=False)
        case "unpublished":
            server.edit(event, published=False)
            expected -= {"b.example.com"}
        case "gone":
            del server.events[event["uuid"]]
            expected -= {"b.example.com"}
        case "tagged":
            server.edit(event, first, Tag=[{"name": 'misp:ids="false"'}])
        case "value":
            server.edit(event, first, value="new.example.com")
            expected |= {"new.example.com"}
    sensor.poll(server.address)
    assert sensor.live == expected


def test_an_event_that_comes_back_as_it_was_counts_again(server: Server, sensor: Sensor) -> None:
    event = server.event(1, "a.example.com")
    server.event(2, "b.example.com")
    sensor.poll(server.address)
    del server.events[event["uuid"]]
    sensor.poll(server.address)
    assert sensor.live == {"b.example.com"}
    server.events[event["uuid"]] = event
    sensor.poll(server.address)
    assert sensor.live == {"a.example.com", "b.example.com"}


def test_if_most_events_are_gone_nothing_ends_without_agreement(server: Server, sensor: Sensor) -> None:
    for number in range(4):
        server.event(number + 1, f"c{number}.example.com")
    sensor.poll(server.address)
    everything = dict(server.events)
    server.events.clear()
    sensor.poll(server.address)
    [kept] = sensor.kept
    assert (kept.gone, kept.before) == (4, 4)
    assert len(sensor.live) == 4
    server.events.update(everything)
    sensor.poll(server.address)
    server.events.clear()
    sensor.poll(server.address, agreed=True)
    assert sensor.live == set()


def test_a_selection_of_events_ends_what_leaves_it(server: Server, sensor: Sensor) -> None:
    event = server.event(1, "a.example.com", Tag=[{"name": "tlp:green"}, {"name": "c2"}])
    server.event(2, "b.example.com", Tag=[{"name": "tlp:green"}, {"name": "c2"}])
    server.event(3, "other.example.com")
    selection = f"{server.address}?tag=c2"
    sensor.poll(selection)
    assert sensor.live == {"a.example.com", "b.example.com"}
    server.edit(event, Tag=[{"name": "tlp:green"}])
    sensor.poll(selection)
    assert sensor.live == {"b.example.com"}


@pytest.mark.parametrize(
    ("status", "headers", "content", "error", "expected_text"),
    [
        (403, {}, b"{}", ConfigurationError, "may you have it"),
        (404, {}, b"{}", ConfigurationError, "is the address right"),
        (429, {"Retry-After": "60"}, b"", TransientError, "after 60"),
        (500, {}, b"", TransientError, "Run it again later"),
        (302, {"Location": "http://192.0.2.1/"}, b"", ConfigurationError, "302"),
        (200, {}, b"<html>", Refused, "MISP"),
        (200, {}, b"{}", Refused, "MISP"),
        (200, {"Content-Length": "99"}, b"[]", TransientError, "broke off"),
    ],
)
@pytest.mark.parametrize("path", ["/events/index", "/events/restSearch"])
def test_an_answer_that_is_none_changes_nothing(
    server: Server,
    sensor: Sensor,
    path: str,
    status: int,
    headers: dict[str, str],
    content: bytes,
    error: type[ExchangeError],
    expected_text: str,
) -> None:
    server.event(1, "a.example.com")
    sensor.poll(server.address)
    server.event(2, "b.example.com")
    server.answer = lambda asked: (status, headers, content) if asked == path else None
    with pytest.raises(error, match=expected_text):
        sensor.poll(server.address)
    server.answer = lambda _: None
    sensor.poll(server.address)
    assert sorted(row.value for row in sensor.rows) == ["a.example.com", "b.example.com"]


def test_an_event_that_is_too_large_is_refused_alone(server: Server, sensor: Sensor) -> None:
    server.event(1, "a.example.com")
    server.event(2, *(f"{number}.large.example.com" for number in range(40)))
    server.event(3, "c.example.com")
    with patch.object(misp, "_MOST_ANSWER_BYTES", 5000):
        sensor.poll(server.address)
    assert sensor.live == {"a.example.com", "c.example.com"}
    with sensor.spool() as spool:
        assert [entry.kind for entry in spool.unsent(0, 9)].count("quarantined") == 1


def test_a_server_is_trusted_by_the_authorities_that_are_named(tmp_path: Path, sensor: Sensor) -> None:
    authority = Authority(tmp_path, "misp")
    issued = authority.issue("server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(issued.certificate, issued.key)
    with serving(tls) as server:
        server.event(1, "a.example.com")
        with pytest.raises(TransientError, match="certificate"):
            sensor.poll(server.address)
        sensor.poll(server.address, authorities=authority.file)
    assert sensor.live == {"a.example.com"}


def test_pymisp_reads_the_same_from_this_server(server: Server, sensor: Sensor) -> None:
    event = server.event(1, "a.example.com", "b.example.com")
    server.attribute(event, 7, "off.example.com", to_ids=False)
    server.event(2, "c.example.com")
    theirs = PyMISP(server.address.removeprefix("misp+"), server.key)
    index: Any = theirs.search_index(minimal=True)
    uuids: Any = [each["uuid"] for each in index]
    found: Any = theirs.search(uuid=uuids, deleted=[0, 1], pythonify=True)
    values = {each.value for event in found for each in event.attributes if each.to_ids}
    sensor.poll(server.address)
    assert sensor.live == values


def test_the_command_takes_a_server(server: Server, tmp_path: Path) -> None:
    server.event(1, "a.example.com", "b.example.com")
    a_secret(tmp_path / "secret", server.key)
    given = ("produce", "--nation", "GBR", "--sensor", "edge-1", "--dry-run", "--json")
    shown = kakehashi(*given, "--credentials", "secret", server.address, within=tmp_path)
    assert shown.returncode == Exit.OK, shown.stderr
    assert [json.loads(line)["value"] for line in shown.stdout.splitlines()] == ["a.example.com", "b.example.com"]
    refused = kakehashi(*given, "--snapshot", server.address, within=tmp_path)
    assert refused.returncode == Exit.USAGE
    assert "no snapshot" in refused.stderr
