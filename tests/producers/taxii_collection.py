"""A TAXII 2.1 server as there are many, and a sensor that reads it into its spool."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from producers.live import taxii, taxii_21
from producers.live.documents import LiveInput
from tests.producers.http_server import Answering, running
from tests.producers.producing import LiveSensor, run

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"


def an_indicator(number: int, value: str = "", **more: Any) -> dict[str, Any]:
    """An indicator of STIX 2.1 that may be given to the community."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-11-20T00:00:00Z",
        "modified": "2026-11-20T00:00:00Z",
        "pattern_type": "stix",
        "pattern": f"[domain-name:value = '{value or f'c{number}.example.com'}']",
        "valid_from": "2026-11-20T00:00:00Z",
        "object_marking_refs": [GREEN],
        **more,
    }


@dataclass
class Collection:
    """A server as there are many: added times in whole seconds, pages with ``next`` or without."""

    objects: list[tuple[int, dict[str, Any]]] = field(default_factory=list)  # with the second at which each was added
    has_next: bool = True
    most: int = 3
    answer: Callable[[], tuple[int, dict[str, str], bytes]] | None = None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        """As a sensor names it."""
        return f"taxii+http://127.0.0.1:{self.port}/api/collections/1/"

    def add(self, second: int, *objects: dict[str, Any]) -> None:
        """Add objects at this second."""
        self.objects += [(second, each) for each in objects]

    def page(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """The answer to a query: status, headers, body."""
        after = query.get("added_after", "")
        left = [(at, each) for at, each in self.objects if _time(at) > after]
        begin = int(query.get("next", "0"))
        limit = min(self.most, int(query["limit"]))
        if not self.has_next:  # then no page ends within a second
            while limit < len(left) and left[limit][0] == left[limit - 1][0]:
                limit += 1
        taken = left[begin : begin + limit]
        more = begin + limit < len(left)
        envelope: dict[str, Any] = {"more": more, "objects": [each for _, each in taken]}
        if more and self.has_next:
            envelope["next"] = str(begin + limit)
        headers = {"Content-Type": taxii_21.MEDIA}
        if taken:
            headers["X-TAXII-Date-Added-Last"] = _time(taken[-1][0])
        return 200, headers, json.dumps(envelope).encode()


def _time(second: int) -> str:
    return f"2026-11-20T00:{second // 60:02d}:{second % 60:02d}.000000Z"


@contextmanager
def serving() -> Iterator[Collection]:
    """A collection on a real server."""
    found = Collection()

    class Handler(Answering):
        def do_GET(self) -> None:
            found.requests.append((self.path, dict(self.headers)))
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            self.answer(*(found.page(query) if found.answer is None else found.answer()))

    with running(Handler) as found.port:
        yield found


class Sensor(LiveSensor):
    """A sensor that reads a collection."""

    def poll(self, address: str, credentials: Path | None = None, **options: Any) -> None:
        """Read what was added."""
        with self.spool() as spool:
            for document in taxii.polled(LiveInput(address, self.folder / "fetched", credentials), **options):
                run(spool, document.path, format="stix-bundle")

    @property
    def values(self) -> list[str]:
        """Their values."""
        return [row.value for row in self.rows]
