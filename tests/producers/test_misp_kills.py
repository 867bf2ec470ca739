"""A MISP server that changes, and a sensor that is killed anywhere: in the end both assert the same."""

import json
from email.message import Message
from errno import ENOSPC
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import TransientError
from producers.live import server as http
from producers.live.server import Answer
from tests.producers.killing import killed_after
from tests.producers.misp_server import Sensor, Server, serving

_OPERATIONS = st.sampled_from(["add", "import", "edit", "delete", "detach", "unpublish", "publish", "remove"])


@settings(max_examples=12, deadline=None)
@given(
    turns=st.lists(st.lists(st.tuples(_OPERATIONS, st.integers(0, 9)), max_size=4), min_size=1, max_size=4),
    kills=st.lists(st.integers(1, 10), min_size=1, max_size=3),
    most_bytes=st.sampled_from([1, 1 << 20]),
)
def test_whatever_happens_on_the_server_and_to_us_the_same_is_asserted_in_the_end(
    tmp_path_factory: pytest.TempPathFactory,
    turns: list[list[tuple[str, int]]],
    kills: list[int],
    most_bytes: int,
) -> None:
    sensor, server = Sensor(tmp_path_factory.mktemp("sensor") / "sensor"), Server()
    _read_all(sensor, server, turns, kills, most_bytes)
    assert sensor.live == {
        attribute["value"]
        for event in server.events.values()
        for attribute in event["Attribute"]
        if event["published"] and attribute["to_ids"] and not attribute["deleted"]
    }
    unkilled = Sensor(tmp_path_factory.mktemp("sensor") / "sensor")
    _read_all(unkilled, Server(), turns, [], most_bytes)
    assert [(row.value, row.withdrawal) for row in sensor.rows] == [
        (row.value, row.withdrawal) for row in unkilled.rows
    ]


def _read_all(
    sensor: Sensor, server: Server, turns: list[list[tuple[str, int]]], kills: list[int], most_bytes: int
) -> None:
    """What happens on the server, with a poll behind each turn that is killed at these steps."""

    def asked(_self: object, url: str, *_: Any, body: bytes, **__: Any) -> Answer:
        wanted = json.loads(body)
        content = server.index(wanted) if url.endswith("index") else server.found(wanted)
        return Answer(Message(), json.dumps(content).encode())

    def poll() -> None:
        sensor.poll("misp+http://192.0.2.1/", agreed=True, most_bytes=most_bytes)

    number = 0
    with patch.object(http.Server, "ask", asked), killed_after(kills) as to_its_end:
        for turn in turns:
            for operation, at in turn:
                number += 1
                _happens(server, operation, at, number)
            to_its_end(poll)


def _happens(server: Server, operation: str, at: int, number: int) -> None:
    events = list(server.events.values())
    event = events[at % len(events)] if events else None
    if operation == "add" or event is None:
        server.event(number, f"c{number}.example.com", f"d{number}.example.com")
    elif operation == "import":
        server.event(number, f"c{number}.example.com", at=1_400_000_000 + number)
    elif operation in ("edit", "delete", "detach"):
        attribute = event["Attribute"][at % len(event["Attribute"])]
        changes: dict[str, dict[str, Any]] = {
            "edit": {"value": f"e{number}.example.com"},
            "delete": {"deleted": True},
            "detach": {"to_ids": False},
        }
        server.edit(event, attribute, **changes[operation])
    elif operation in ("unpublish", "publish"):
        server.edit(event, published=operation == "publish")
    else:
        del server.events[event["uuid"]]


def test_a_full_disk_under_a_document_loses_nothing(tmp_path: Path) -> None:
    sensor, full = Sensor(tmp_path / "sensor"), OSError(ENOSPC, "No space left on device")
    with serving() as server:
        sensor.poll(server.address)
        server.event(1, "a.example.com")
        broken = patch("producers.disk.os.fsync", side_effect=full)
        with broken, pytest.raises(TransientError, match="Free space"):
            sensor.poll(server.address)
        sensor.poll(server.address)
    assert [row.value for row in sensor.rows] == ["a.example.com"]
