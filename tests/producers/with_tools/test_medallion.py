"""A TAXII 2.0 collection of medallion, OASIS's own server: found by discovery, read page by page, each object once."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from taxii2client.v20 import Collection  # type: ignore[import-untyped]

from bench import environments
from exchange.errors import ConfigurationError, NotFound
from producers.live import taxii_20
from schemas.vocabulary import Withdrawal
from tests.consumers.with_tools.daemons import daemon, free_port
from tests.producers.producing import a_secret
from tests.producers.taxii_20_collection import Added
from tests.producers.taxii_collection import Sensor

pytestmark = pytest.mark.tools

_VERSION = "1.1.0"
_PINS = Path(__file__).parent / "medallion_packages" / "requirements.txt"
_COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
_SERVER = """
import sys
from medallion import create_app
create_app(sys.argv[1]).run(host="127.0.0.1", port=int(sys.argv[2]))
"""
_MEDIA = "application/vnd.oasis.stix+json; version=2.0"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A medallion with a collection of 250 objects, of which it lists less than 100 at once."""
    try:
        environment = environments.installed("medallion", _VERSION, _PINS)
    except NotFound as error:
        pytest.skip(f"{error}")
    added = [Added(number, number, 0) for number in range(250)]
    manifest = [
        {
            "id": each.content["id"],
            "date_added": f"2026-11-20T00:{each.second // 60:02d}:{each.second % 60:02d}.000000Z",
            "versions": [each.content["modified"]],
            "media_types": [_MEDIA],
        }
        for each in added
    ]
    one = {
        "id": _COLLECTION,
        "title": "Malware",
        "can_read": True,
        "can_write": True,
        "media_types": [_MEDIA],
        "objects": [each.content for each in added],
        "manifest": manifest,
    }
    information = {"title": "a root", "versions": ["taxii-2.0"], "max_content_length": 1 << 20}
    data = {
        "/discovery": {"title": "a server", "default": "/api1/", "api_roots": ["/api1/"]},
        "api1": {"information": information, "status": [], "collections": [one]},
    }
    settings = {
        "backend": {
            "module": "medallion.backends.taxii.memory_backend",
            "module_class": "MemoryBackend",
            "filename": str(tmp_path / "data.json"),
        },
        "taxii": {"max_page_size": 100},
    }
    (tmp_path / "data.json").write_text(json.dumps(data))
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    (tmp_path / "server.py").write_text(_SERVER)
    port = free_port()
    command = [f"{environment}/bin/python", f"{tmp_path}/server.py", f"{tmp_path}/settings.json", f"{port}"]
    with daemon(command, tmp_path / "medallion.log", lambda: _answers(port)):
        yield port


def test_each_object_of_medallion_is_taken_once_and_so_is_each_later_version(port: int, tmp_path: Path) -> None:
    sensor, secret = Sensor(tmp_path / "spool"), a_secret(tmp_path / "secret", "admin:Password0")
    server = f"127.0.0.1:{port}/"
    with pytest.raises(ConfigurationError, match=rf"api1/collections/{_COLLECTION}/ \(Malware\)"):
        sensor.poll(f"taxii+http://{server}taxii/", credentials=secret)
    address = f"{server}api1/collections/{_COLLECTION}/"
    for _ in range(2):
        sensor.poll(f"taxii+http://{address}", credentials=secret, most_bytes=40_000)
        assert sorted(sensor.values) == sorted(f"c{number}-0.example.com" for number in range(250))
    client = Collection(f"http://{address}", user="admin", password="Password0")  # noqa: S106 - medallion's own
    new = [Added(0, 7, 1).content, Added(0, 300, 0).content]
    client.add_objects({"type": "bundle", "spec_version": "2.0", "id": "bundle--1", "objects": new})
    for _ in range(2):
        sensor.poll(f"taxii+http://{address}", credentials=secret)
        assert sensor.values[250:] == ["c300-0.example.com"], "medallion does not list a version by added_after"
    for _ in range(2):
        with patch.object(taxii_20, "WHOLE_EVERY_S", 0.0):
            sensor.poll(f"taxii+http://{address}", credentials=secret)
        assert [(row.value, row.withdrawal) for row in sensor.rows[251:]] == [
            ("c7-1.example.com", None),
            ("c7-0.example.com", Withdrawal.REMOVED),
        ]
