"""Takes the events of a MISP server, each version once, as documents for the MISP reader.

An address is ``misp+https://…/``. A time is no cursor there: a server that synchronises imports events and attributes
that are older than the last poll, and what was deleted has no time at all. So each poll asks for the server's own index
(uuid, timestamp, publication and last sighting of every event, as MISP's synchronisation does), and compares it with
what is known: events that differ are asked for with ``restSearch``. Events missing twice are gone: their assertions
end.

Keys of the address's query go to the index: ``?tag=c2`` takes only events with that tag.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from exchange.errors import Refused
from producers.live.documents import Document, Documents, LiveInput, Position
from producers.live.server import Server, TooLarge, secret_in
from producers.spool.batch import Kept
from producers.spool.removals import kept

SCHEMES: Final = ("misp+https://", "misp+http://")
MOST_BYTES: Final = 32 << 20
"""Events of one document; the rest goes into the next one."""
_MOST_ANSWER_BYTES: Final = 64 << 20
_MOST_INDEX_BYTES: Final = 256 << 20
_AT_ONCE: Final = 50
_TIMEOUT_S: Final = 300.0  # of an answer that a server computes from many events
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/json"}
_ASKED: Final[dict[str, Any]] = {
    "returnFormat": "json",
    "deleted": [0, 1],
    "includeWarninglistHits": 1,
    "includeDecayScore": 1,
    "withAttachments": 0,
}


class _State(Position):
    """``known`` is the version of each event that was taken, by its uuid."""

    known: dict[str, str] = msgspec.field(default_factory=dict)


class _Listed(msgspec.Struct):
    uuid: str
    timestamp: Any = None
    sighting_timestamp: Any = None
    published: Any = None

    @property
    def version(self) -> str:
        """A version, which differs if anything about the event has changed."""
        return f"{self.timestamp}/{self.sighting_timestamp}/{str(self.published).lower()}"


class _Wrapped(msgspec.Struct):
    Event: msgspec.Raw


class _Found(msgspec.Struct):
    response: list[_Wrapped]


class _Named(msgspec.Struct):
    uuid: str


def polled(place: LiveInput, *, most_bytes: int = MOST_BYTES) -> Generator[Document | Kept, None, None]:
    """Documents with what has changed since the last poll; the next one is made once the one before was read.

    If more than half of the events are gone, none of them ends without agreement. Raises TransientError if the server
    does not answer, asks to come later or breaks off; ConfigurationError if it refuses; Refused if it is no MISP.
    """
    documents = Documents(place.folder, place.address, _State())
    server = Server("" if place.credentials is None else secret_in(place.credentials), place.authorities)
    yield from documents.unread()
    url, query = _split(place.address)
    known = documents.state.known
    index = _index(server, url, query)
    missing = [uuid for uuid in known if uuid not in index]
    if missing:  # the server pages through its own table meanwhile: what is gone is missing twice
        index = _index(server, url, query) | index
    gone = [uuid for uuid in missing if uuid not in index]
    if problem := kept(len(gone), len(known) - len(gone), agreed=place.agreed):
        yield problem
        gone = []
    changed = [uuid for uuid, version in index.items() if known.get(uuid) != version]
    for events in _packed(chain(_ended(gone), _events(server, url, changed)), most_bytes):
        after = {uuid: version for uuid, version in documents.state.known.items() if uuid not in events}
        after |= {uuid: index[uuid] for uuid in events if uuid in index}
        behind = msgspec.structs.replace(documents.state, known=after)
        yield documents.put([b'{"response":[\n', b",\n".join(events.values()), b"\n]}\n"], behind)


def _split(address: str) -> tuple[str, dict[str, str]]:
    """The server's address, and what selects events of its index."""
    parts = urlsplit(address.partition("+")[2])
    query = {name: "|".join(values) for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", query


def _index(server: Server, url: str, query: dict[str, str]) -> dict[str, str]:
    """The version of each event that we may see."""
    body = msgspec.json.encode({**query, "minimal": 1})
    answer = server.ask(f"{url}/events/index", _HEADERS, most_bytes=_MOST_INDEX_BYTES, body=body, timeout_s=_TIMEOUT_S)
    try:
        listed = msgspec.json.decode(answer.content, type=list[_Listed])
    except msgspec.DecodeError as error:
        raise Refused(f"{url}/events/index is no index of MISP's events: {error}. Is it a MISP's address?") from error
    return {each.uuid: each.version for each in listed}


def _events(server: Server, url: str, uuids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The events with these uuids, as far as the server still has them."""
    for begin in range(0, len(uuids), _AT_ONCE):
        yield from _searched(server, f"{url}/events/restSearch", uuids[begin : begin + _AT_ONCE])


def _searched(server: Server, url: str, uuids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    body = msgspec.json.encode({**_ASKED, "uuid": uuids})
    try:
        answer = server.ask(url, _HEADERS, most_bytes=_MOST_ANSWER_BYTES, body=body, timeout_s=_TIMEOUT_S)
    except TooLarge as error:
        if len(uuids) == 1:  # the reader refuses it, and the others are read
            yield uuids[0], msgspec.json.encode({"Event": f"{uuids[0]}: {error}"})
            return
        middle = len(uuids) // 2
        yield from _searched(server, url, uuids[:middle])
        yield from _searched(server, url, uuids[middle:])
        return
    try:
        found = msgspec.json.decode(answer.content, type=_Found).response
        named = [(msgspec.json.decode(each.Event, type=_Named).uuid, each.Event) for each in found]
    except msgspec.DecodeError as error:
        raise Refused(f"{url} is no answer of MISP's restSearch: {error}") from error
    yield from ((uuid, b'{"Event":' + bytes(event) + b"}") for uuid, event in named if uuid in uuids)


def _ended(uuids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Events that the server does not have any more. Without a time: if one is there again, it counts again."""
    for uuid in uuids:
        yield uuid, msgspec.json.encode({"Event": {"uuid": uuid, "deleted": True, "attribute_count": 0}})


def _packed(events: Iterable[tuple[str, bytes]], most_bytes: int) -> Iterator[dict[str, bytes]]:
    """Events of one document each."""
    packed, size = dict[str, bytes](), 0
    for uuid, content in events:
        packed[uuid] = content
        size += len(content)
        if size >= most_bytes:
            yield packed
            packed, size = {}, 0
    if packed:
        yield packed
