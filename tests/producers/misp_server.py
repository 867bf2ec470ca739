"""A MISP server as its own code and PyMISP's describe it: the index, restSearch, and what PyMISP asks first."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from producers.live import misp
from producers.live.documents import LiveInput
from producers.spool.batch import Kept
from tests.producers.http_server import Answering, running
from tests.producers.producing import LiveSensor, a_secret, run


def uuid_of(number: int) -> str:
    """A made-up UUID."""
    return str(UUID(int=(0x4000 << 64) + number))


@dataclass
class Server:
    """The events of a MISP; ``clock`` is its time in seconds, which an edit moves on."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: int = 1_763_625_600
    key: str = "made-up-key"
    answer: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda _: None
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    address: str = ""

    def event(self, number: int, *values: str, at: int | None = None, **changes: Any) -> dict[str, Any]:
        """Add a published event with these domains, or with one that was imported as it was ``at`` an earlier time."""
        self.clock += 1
        when = self.clock if at is None else at
        event: dict[str, Any] = {
            **{"id": str(number), "uuid": uuid_of(number), "info": f"event {number}", "distribution": "3"},
            **{"published": True, "timestamp": str(when), "publish_timestamp": str(when), "sighting_timestamp": "0"},
            **{"Tag": [{"name": "tlp:green"}], "Attribute": [], "Object": [], "ShadowAttribute": []},
            **changes,
        }
        self.events[event["uuid"]] = event
        for at_number, value in enumerate(values, 1):
            self.attribute(event, 1000 * number + at_number, value)["timestamp"] = str(when)
        event["timestamp"] = str(when)
        return event

    def attribute(self, event: dict[str, Any], number: int, value: str, **changes: Any) -> dict[str, Any]:
        """Add an attribute."""
        attribute = {
            **{"uuid": uuid_of(number), "type": "domain", "category": "Network activity", "to_ids": True},
            **{"value": value, "comment": "", "distribution": "5", "deleted": False, "Tag": []},
            **changes,
        }
        event["Attribute"].append(attribute)
        self.edit(event, attribute)
        return attribute

    def edit(self, event: dict[str, Any], *attributes: dict[str, Any], **changes: Any) -> None:
        """Change an event or its attributes, and publish it again."""
        self.clock += 1
        for each in attributes:
            each.update(changes, timestamp=str(self.clock))
        if not attributes:
            event.update(changes)
        event["timestamp"] = str(self.clock)
        if event["published"]:
            event["publish_timestamp"] = str(self.clock)
        event["attribute_count"] = str(sum(not each["deleted"] for each in event["Attribute"]))

    def index(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """``POST /events/index`` with ``minimal``: MISP's EventsController::__indexRestResponse."""
        return [
            {name: event[name] for name in ("id", "timestamp", "sighting_timestamp", "published", "uuid")}
            | {"orgc_uuid": uuid_of(1)}
            for event in self.events.values()
            if asked.get("tag") in (None, *(tag["name"] for tag in event["Tag"]))
        ]

    def found(self, asked: dict[str, Any]) -> dict[str, Any]:
        """``POST /events/restSearch``: attributes that are deleted only if they are asked for."""
        uuids = asked.get("uuid", list(self.events))
        with_deleted = 1 in asked.get("deleted", [])
        return {
            "response": [
                {"Event": event | {"Attribute": [a for a in event["Attribute"] if with_deleted or not a["deleted"]]}}
                for event in (self.events[uuid] for uuid in uuids if uuid in self.events)
            ]
        }


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """The same on a real HTTP server."""
    found = Server()

    class Handler(Answering):
        def do_GET(self) -> None:
            if self.path == "/servers/getVersion":
                self._send(200, {}, b'{"version": "2.5.34", "perm_sync": false}')
            elif self.path == "/users/view/me":
                user = {"User": {"id": "1"}, "Role": {"id": "1"}, "UserSetting": []}
                self._send(200, {}, json.dumps(user).encode())
            elif self.path == "/attributes/describeTypes.json":
                types: dict[str, Any] = {
                    "sane_defaults": {},
                    "types": [],
                    "categories": [],
                    "category_type_mappings": {},
                }
                self._send(200, {}, json.dumps({"result": types}).encode())
            else:
                self._send(404, {}, b"{}")

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.requests.append((self.path, asked))
            answer = found.answer(self.path)
            if self.headers["Authorization"] != found.key:
                answer = 403, {}, b'{"message": "Authentication failed."}'
            if answer is None:
                content = found.index(asked) if self.path == "/events/index" else found.found(asked)
                answer = 200, {}, json.dumps(content).encode()
            self._send(*answer)

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.answer(status, {"Content-Type": "application/json", **headers}, content)

    with running(Handler, tls) as port:
        found.address = f"misp+http{'' if tls is None else 's'}://127.0.0.1:{port}/"
        yield found


class Sensor(LiveSensor):
    """A sensor that reads a MISP."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.secret = a_secret(folder / "secret", Server.key)
        self.kept: list[Kept] = []

    def poll(self, address: str, *, agreed: bool = False, authorities: Path | None = None, **options: Any) -> None:
        """Read what has changed."""
        place = LiveInput(address, self.folder / "fetched", self.secret, authorities, agreed=agreed)
        with self.spool() as spool:
            for found in misp.polled(place, **options):
                if isinstance(found, Kept):
                    self.kept.append(found)
                else:
                    run(spool, found.path, format="misp-event", is_document=True)

    @property
    def live(self) -> set[str]:
        """The values of which the last report was no withdrawal."""
        return {row.value for row in {row.value: row for row in self.rows}.values() if row.withdrawal is None}
