"""A TAXII server on this machine, over a picture of topics in memory, and plain requests to it."""

import base64
import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from consumers.taxii.clients import Clients, digest_of
from consumers.taxii.collections import collections_of
from consumers.taxii.door import Counted, Door
from consumers.taxii.endpoints import Endpoints
from consumers.taxii.limits import Limits
from consumers.taxii.listening import ListenAddress, Listening
from consumers.taxii.readers import Readers
from tests.consumers.picture.topics import NATION, World

TAXII: Final = "application/taxii+json;version=2.1"
LOCAL: Final = ListenAddress("127.0.0.1", 0)
COLLECTIONS: Final = collections_of(NATION, (NATION, "GBR"))
ROOT: Final = f"/{NATION.lower()}/"


def client(
    name: str, ceiling: str = "TLP:AMBER", *, known_by: str = "", activity: str = "passive-local", **more: Any
) -> str:
    """An entry of a clients file. Its token is its name if none is given."""
    fields = {"name": name, "ceiling": ceiling, "activity": activity, "tokens": [digest_of(known_by or name)], **more}
    return "\n".join(["[[client]]", *(f"{key} = {json.dumps(value)}" for key, value in fields.items()), ""])


@dataclass(frozen=True)
class Answered:
    """What came back. ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body, which has to be JSON."""
        return json.loads(self.body)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The objects of an envelope or a manifest."""
        found: list[dict[str, Any]] = self.json.get("objects", [])
        return found

    @property
    def values(self) -> list[str]:
        """The names of its indicators."""
        return [each["name"] for each in self.objects if each["type"] == "indicator"]


@dataclass
class Served:
    """A server, its picture and its clients file."""

    world: World
    file: Path
    port: int = 0
    tls: ssl.SSLContext | None = None
    counted: list[tuple[str, int, int, float]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of discovery."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/taxii2/"

    def ask(
        self,
        path: str,
        as_: str | None = "soc",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        **query: Any,
    ) -> Answered:
        """A request; ``query`` names have ``match_id`` for ``match[id]``. ``as_`` is a token; with None it has none."""
        given = {"Accept": TAXII} | ({} if as_ is None else {"Authorization": f"Bearer {as_}"}) | dict(headers or {})
        pairs = {
            name.replace("match_", "match[") + ("]" if name.startswith("match_") else ""): value
            for name, value in query.items()
        }
        connection = (
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            if self.tls is None
            else http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.tls)
        )
        try:
            connection.request(method, f"{path}?{urlencode(pairs)}" if pairs else path, body=body, headers=given)
            answer = connection.getresponse()
            return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def objects(self, alias: str = "gbr-amber", as_: str = "soc", **query: Any) -> Answered:
        """The objects of a collection, which have to be answered."""
        found = self.ask(f"{ROOT}collections/{alias}/objects/", as_, **query)
        assert found.status == 200, found.body
        return found


@contextmanager
def served(
    world: World,
    *entries: str,
    place: ListenAddress = LOCAL,
    tls: ssl.SSLContext | None = None,
    clock_s: Callable[[], float] = time.monotonic,
) -> Iterator[Served]:
    """A server over a picture for these clients: one, ``soc``, if none are given. It fails if the server does."""
    file = world.path.with_suffix(".clients.toml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(entries or (client("soc"),)))
    found, failed = Served(world, file, tls=tls), list[Exception]()
    readers = Readers(world.path, NATION, world.clock_ms)
    counted: Counted = lambda *each: found.counted.append(each)  # noqa: E731
    door = Door(
        Endpoints(NATION, COLLECTIONS, readers).application, Clients(file, COLLECTIONS), Limits(clock_s), counted
    )
    listening = Listening(door, place, failed.append).start()
    found.port = listening.port
    try:
        yield found
    finally:
        listening.stop()
        readers.close()
    assert not failed


def basic(name: str, token: str) -> dict[str, str]:
    """HTTP Basic."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{token}'.encode()).decode()}"}
