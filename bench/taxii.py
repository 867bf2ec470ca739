"""(k) The TAXII server beside medallion, OASIS's own: the same objects, the same pages, read by the same client.

medallion 3.0.0 keeps its objects in memory, as it comes; ours reads them from a picture on disk and checks markings.
Each is one process, and answers one client that reads the whole collection, a hundred objects a page.
"""

import base64
import http.client
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bench import environments
from bench.picture import Records
from bench.role import Role, cpu_seconds, free_port, resident_bytes
from bench.stand import HOME, PARTNER
from consumers.picture.keep import Origin, take
from consumers.picture.tables import path_of
from consumers.taxii.clients import digest_of
from consumers.taxii.collections import alias_of, collections_of
from exchange.clock import now_ms
from exchange.errors import FatalError
from schemas.codec import Codec
from schemas.markings import Tlp
from schemas.topics import accepted

VERSION: Final = "3.0.0"
PINS: Final = Path(__file__).parent / "medallion_packages" / "requirements.txt"
PAGE: Final = 100  # medallion's own
NAME: Final = "bench"
OURS: Final = "kakehashi taxii serve"
_READY_S: Final = 120.0
_MOST: Final = 5_000
_SERVER: Final = """
import json, sys
from medallion import application_instance, register_blueprints, set_config
with open(sys.argv[1]) as file:
    given = json.load(file)
for name in ("users", "taxii", "backend"):
    set_config(application_instance, name, given)
register_blueprints(application_instance)
application_instance.run(host="127.0.0.1", port=int(sys.argv[2]))
"""


def measure(size: int, rival_size: int, seed: int) -> dict[str, Any]:
    """Ours with all objects, and both with as many as the rival can take. Raises NotFound if it cannot be installed."""
    environment = environments.installed("medallion", VERSION, PINS)
    runs = []
    for count in (rival_size, size):
        with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as name, ExitStack() as running:
            folder = Path(name)
            ours, found = _ours(folder, count, seed, running)
            runs.append(ours)
            if count == rival_size:
                runs.append(_rival(folder, environment, found, running))
    return {"runs": runs}


def _ours(folder: Path, size: int, seed: int, running: ExitStack) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    path, origin = path_of(folder, PARTNER), alias_of(HOME, Tlp.AMBER)
    keeper = take(path, PARTNER, now_ms)
    if keeper is None:
        raise RuntimeError("the picture is new")
    with keeper:
        topic = Origin(HOME, accepted(HOME), Records(size, seed, now_ms()).opened)
        keeper.catch_up({HOME: topic}, Codec())
    clients, port = folder / "clients.toml", free_port()
    limits = 'activity = "passive-local"\nrequests_a_minute = 1000000\n'
    clients.write_text(f'[[client]]\nname = "{NAME}"\nceiling = "TLP:AMBER"\ntokens = ["{digest_of(NAME)}"]\n{limits}')
    words = ["bench.taxii_server", str(path), PARTNER, HOME, str(clients), str(port)]
    role = running.enter_context(Role.start("taxii", words, {}, folder))
    collection = collections_of(PARTNER, (HOME,))[origin].id
    place = f"/{PARTNER.lower()}/collections/{collection}/objects/"
    return _read(OURS, role, port, place, size)


def _rival(folder: Path, environment: Path, objects: list[dict[str, Any]], running: ExitStack) -> dict[str, Any]:
    """medallion with the same objects: its data and configuration are JSON files."""
    port, added = free_port(), "2026-01-01T00:00:00.{:06}Z"
    kind = "application/stix+json;version=2.1"
    manifest = [
        {
            "id": each["id"],
            "date_added": added.format(place),
            "version": each.get("modified") or each["created"],
            "media_type": kind,
        }
        for place, each in enumerate(objects)
    ]
    collection = {
        "id": collections_of(PARTNER, (HOME,))[alias_of(HOME, Tlp.AMBER)].id,
        "title": "bench",
        "can_read": True,
        "can_write": False,
        "media_types": [kind],
        "objects": objects,
        "manifest": manifest,
    }
    versions = ["application/taxii+json;version=2.1"]
    information = {"title": "bench", "versions": versions, "max_content_length": 1 << 20}
    data = {
        "/discovery": {"title": "bench", "default": "/bench/", "api_roots": ["/bench/"]},
        "bench": {"information": information, "status": [], "collections": [collection]},
    }
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
    settings = {
        "backend": {**backend, "filename": str(folder / "data.json")},
        "users": {NAME: NAME},
        "taxii": {"max_page_size": _MOST},
    }
    (folder / "data.json").write_text(json.dumps(data))
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "server.py").write_text(_SERVER)
    command = [str(environment / "bin" / "python"), str(folder / "server.py"), str(folder / "settings.json"), str(port)]
    role = running.enter_context(Role.launch("medallion", command, {}, folder))
    place = f"/bench/collections/{collection['id']}/objects/"
    return _read(f"medallion {VERSION}", role, port, place, len(objects), indicators=False)[0]


def _read(
    what: str, role: Role, port: int, place: str, size: int, *, indicators: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All of a collection once, page by page."""
    connection = _connected(role, port)
    cpu, began, found, pages, position = cpu_seconds(role.pid), time.monotonic(), list[dict[str, Any]](), 0, ""
    while True:
        page = _page(connection, f"{place}?limit={PAGE}{position}")
        found += page.get("objects", [])
        pages += 1
        if not page.get("more"):
            break
        position = f"&next={quote(page['next'])}"
    seconds, used = time.monotonic() - began, cpu_seconds(role.pid) - cpu
    counted = [each for each in found if not indicators or each["type"] == "indicator"]
    distinct = len({each["id"] for each in counted})
    run = {
        "what": what,
        "objects": len(found),
        "pages": pages,
        "seconds": round(seconds, 2),
        "rate": round(len(found) / seconds),
        "cpu_us": round(used / len(found) * 1e6, 1),
        "resident_mib": round(resident_bytes(role.pid) / (1 << 20)),
        "void": "" if distinct == len(counted) == size else f"{distinct} objects of {size}, {len(counted)} in all",
    }
    return run, found


def _connected(role: Role, port: int) -> http.client.HTTPConnection:
    """A connection, as soon as the server answers. Raises FatalError if it does not."""
    until_s = time.monotonic() + _READY_S
    while time.monotonic() < until_s:
        role.check()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_S)
        try:
            _page(connection, "/taxii2/")
        except OSError:
            connection.close()
            time.sleep(0.1)
        else:
            return connection
    raise FatalError(f"{role.name} does not answer after {_READY_S:g} s: see {role.log}")


def _page(connection: http.client.HTTPConnection, path: str) -> dict[str, Any]:
    credentials = base64.b64encode(f"{NAME}:{NAME}".encode()).decode()
    headers = {"Accept": "application/taxii+json;version=2.1", "Authorization": f"Basic {credentials}"}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        raise FatalError(f"{path}: {answer.status}: {body[:200]!r}")
    found: dict[str, Any] = json.loads(body)
    return found
