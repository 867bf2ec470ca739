"""A TAXII 2.0 server as there are many: pages by number, in one of two orders, and all that such servers leave out."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from producers.live import taxii_20
from tests.producers.http_server import Answering, running
from tests.producers.taxii_collection import an_indicator

OF_SERVER = "application/vnd.oasis.taxii+json; version=2.0"
_BEGIN = datetime(2026, 11, 20, tzinfo=UTC)


class Added(NamedTuple):
    """A version of an object, and the second at which it was added."""

    second: int
    number: int
    version: int

    @property
    def value(self) -> str:
        """What the version accuses."""
        return f"c{self.number}-{self.version}.example.com"

    @property
    def content(self) -> dict[str, Any]:
        """As STIX 2.0."""
        modified = f"2026-11-20T{self.version // 60:02d}:{self.version % 60:02d}:00Z"
        found = an_indicator(self.number, self.value, modified=modified, labels=["malicious-activity"])
        return {name: each for name, each in found.items() if name not in ("spec_version", "pattern_type")}


@dataclass
class Collection20:
    """``in_place`` updates an object where it is; otherwise its new version is the last one, as the standard has it."""

    in_place: bool = False
    has_numbers: bool = True
    has_times: bool = True
    has_total: bool = True
    most: int = 3
    second: int = 0
    objects: list[Added] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    made: int = 0
    port: int = 0

    @property
    def address(self) -> str:
        """As a sensor names it."""
        return f"taxii+http://127.0.0.1:{self.port}/api/collections/1/"

    @property
    def values(self) -> set[str]:
        """Those of all that it has."""
        return {each.value for each in self.objects}

    def add(self, count: int = 1) -> None:
        """Add objects now."""
        for _ in range(count):
            self.made += 1
            self.objects.append(Added(self.second, self.made, 0))

    def update(self, at: int) -> None:
        """Give an object another version now."""
        if self.objects:
            at %= len(self.objects)
            new = self.objects[at]._replace(second=self.second, version=self.objects[at].version + 1)
            self.objects[at : at + 1] = [new] if self.in_place else []
            self.objects += [] if self.in_place else [new]

    def remove(self, at: int) -> None:
        """Remove an object."""
        if self.objects:
            del self.objects[at % len(self.objects)]

    def page(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """The answer for a client: status, headers, body."""
        if headers.get("Accept") != taxii_20.MEDIA:
            return 406, {"Content-Type": OF_SERVER}, b"{}"
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        left = [each for each in self.objects if _time(each.second) > query.get("added_after", "")]
        begin, _, last = headers["Range"].removeprefix("items=").partition("-")
        answer = {"Content-Type": taxii_20.MEDIA, "Date": format_datetime(_moment(self.second), usegmt=True)}
        if not self.has_numbers:
            found = left
        elif int(begin) >= len(left) > 0:
            return 416, answer | {"Content-Range": f"items */{len(left)}"}, b"{}"
        else:
            found = left[int(begin) : min(int(last) + 1, int(begin) + self.most)]
            total = len(left) if self.has_total else "*"
            answer["Content-Range"] = f"items {begin}-{max(int(begin), int(begin) + len(found) - 1)}/{total}"
        if found and self.has_times:
            answer["X-TAXII-Date-Added-Last"] = max(_time(each.second) for each in found)
        self.meanwhile()
        content = {"type": "bundle", "spec_version": "2.0", "id": "bundle--1", "objects": [e.content for e in found]}
        return 206 if self.has_numbers else 200, answer, json.dumps(content).encode()


def _moment(second: int) -> datetime:
    return _BEGIN + timedelta(seconds=second)


def _time(second: int) -> str:
    return f"{_moment(second):%Y-%m-%dT%H:%M:%S.%fZ}"


def headers_of(given: dict[str, str]) -> Message:
    """As a client has them."""
    message = Message()
    for name, value in given.items():
        message[name] = value
    return message


@contextmanager
def serving_20() -> Iterator[Collection20]:
    """A collection on a real server, with its discovery, API root and list of collections."""
    found = Collection20()

    class Handler(Answering):
        def do_GET(self) -> None:
            found.requests.append((self.path, dict(self.headers)))
            if self.path.startswith("/api/collections/1/objects/"):
                self.answer(*found.page(self.path, dict(self.headers)))
            elif self.headers["Accept"] != OF_SERVER:
                self.answer(406, {"Content-Type": OF_SERVER}, b"{}")
            else:
                self._describe()

        def _describe(self) -> None:
            one = {"id": "1", "title": "Malware", "can_read": True, "can_write": False}
            resources: dict[str, dict[str, Any]] = {
                "/taxii/": {"title": "a server", "api_roots": ["/api/", "http://192.0.2.1/other/"]},
                "/api/": {"title": "a root", "versions": ["taxii-2.0"], "max_content_length": 1},
                "/api/collections/": {"collections": [one, {**one, "id": "2", "can_read": False}]},
            }
            resource = resources.get(self.path)
            self.answer(404 if resource is None else 200, {"Content-Type": OF_SERVER}, json.dumps(resource).encode())

    with running(Handler) as found.port:
        yield found
