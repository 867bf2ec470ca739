"""Whatever a record in a tool's log holds, it becomes sightings, refusals or pieces left out, and nothing is raised."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.suricata_rules import signatures
from kakehashi.hits import FORMATS, reader_of
from producers.readers.reading import Defaults, LeftOut, Rejected, Seen
from tests.consumers.picture.topics import NATION, World
from tests.producers.reading_feeds import an_input

TEXTS: Final = st.text(max_size=40) | st.sampled_from(
    ["198.51.100.7", "c2.example.com", "kakehashi-GBR", "Intel::ADDR"]
)
ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["hash", "rrname", "ja3"]), inner),
    max_leaves=6,
)
PARTS: Final = st.fixed_dictionaries(  # as Suricata has them, down to the field that is compared
    {},
    optional={
        "tls": st.fixed_dictionaries({}, optional={"sni": TEXTS, "ja3": st.fixed_dictionaries({"hash": ANYTHING})}),
        "dns": st.fixed_dictionaries({}, optional={"rrname": ANYTHING, "queries": st.lists(ANYTHING, max_size=2)}),
        "http": st.fixed_dictionaries({}, optional={"hostname": TEXTS}),
        "files": st.lists(st.fixed_dictionaries({}, optional={"md5": TEXTS, "sha256": TEXTS}), max_size=3),
        "src_ip": TEXTS,
        "dest_ip": TEXTS,
    },
)
BUFFERS: Final = sorted({buffer: sid for sid, (buffer, _) in signatures().items()}.values())
EVE: Final = (
    "timestamp",
    "src_ip",
    "dest_ip",
    "http",
    "tls",
    "quic",
    "dns",
    "files",
    "fileinfo",
    "event_type",
    "alert",
)
ZEEK: Final = (
    "ts",
    "_path",
    "note",
    "sub",
    "sources",
    "matched",
    "seen.indicator",
    "seen.indicator_type",
    "seen",
    "id",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A picture with one indicator."""
    found = World(tmp_path_factory.mktemp("world"))
    found.gbr.release("198.51.100.7", "ipv4-addr", content={"release_expires_ms": 0})
    found.catch_up()
    return found


def read(world: World, name: str, records: list[dict[str, Any]]) -> None:
    """Read them between two lines that are none."""
    content = b"x\n" + b"".join(json.dumps(each).encode() + b"\n" for each in records) + b"{\n"
    path: Path = world.path
    reader = reader_of(name, path, NATION, "GBR", "TLP:GREEN", world.clock_ms)
    found = list(reader.read(an_input(content), Defaults()))
    assert found
    assert all(isinstance(each, Seen | LeftOut | Rejected) for each in found)


@given(PARTS | st.dictionaries(st.sampled_from(EVE), ANYTHING))
@settings(max_examples=150, deadline=None)
def test_a_record_of_suricata_raises_nothing(world: World, fields: dict[str, Any]) -> None:
    records = [
        {"timestamp": "2026-11-20T08:00:00+0000", "event_type": "alert", "alert": {"signature_id": sid}} | fields
        for sid in BUFFERS
    ]
    read(world, "suricata-eve", records)


@given(st.sampled_from(sorted(set(FORMATS) - {"suricata-eve"})), st.dictionaries(st.sampled_from(ZEEK), ANYTHING))
@settings(max_examples=150, deadline=None)
def test_a_record_of_zeek_raises_nothing(world: World, name: str, fields: dict[str, Any]) -> None:
    log = name.removeprefix("zeek-")
    record = {"_path": log, "ts": 1795161600.25, "note": "Intel::Notice", "sources": ["kakehashi-GBR"]}
    read(world, name, [record | fields])
