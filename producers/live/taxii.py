"""Takes the objects of a TAXII 2.1 collection (OASIS, 2021), each once, as documents for the STIX reader.

An address is ``taxii+https://…/collections/ID/``. A poll takes all pages since the last one (docs/adr/0057).

``added_after`` excludes its own moment, and servers round it: so a poll begins a little before the last one ended, and
leaves out objects that it has had. Marking definitions and what lists other objects (a report, a grouping) are kept and
are part of each later document: a page never has all that is said about its objects.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from exchange.errors import Refused
from producers.live.documents import Document, Documents, Place, Position
from producers.live.server import Server, authorization_of

SCHEMES: Final = ("taxii+https://", "taxii+http://")
MEDIA: Final = "application/taxii+json;version=2.1"
MOST_BYTES: Final = 32 << 20
"""Objects of one document; what is more is the next one."""
_PAGE: Final = 500
_MOST_PAGE_BYTES: Final = 64 << 20
_OVERLAP: Final = timedelta(seconds=2)
_DIGEST_BYTES: Final = 16
_ABOUT_OTHERS: Final = frozenset({"marking-definition", "language-content"})


class _State(Position):
    """What is known behind a document. ``had`` are digests of the objects of the last pages, ``around`` is context."""

    added_after: str = ""
    had: list[str] = msgspec.field(default_factory=list)
    around: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)


class _Envelope(msgspec.Struct):
    more: bool = False
    next: str = ""
    objects: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Page(msgspec.Struct):
    envelope: _Envelope
    last: str


class _Kind(msgspec.Struct):
    type: str = ""
    id: str = ""
    relationship_type: Any = None
    object_refs: Any = None


def polled(place: Place, *, most_bytes: int = MOST_BYTES) -> Iterator[Document]:
    """Documents with what was added since the last poll; the next one is made once the one before was read.

    The first is that of an earlier run, which may not have been read whole. Raises TransientError if the server does
    not answer, asks to come later or breaks off; ConfigurationError if it does not have the collection, or refuses it
    to us; Refused if a page is too large or is no envelope.
    """
    kept = Documents(place.folder, place.address, _State())
    server = Server(authorization_of(place.credentials), place.authorities)
    yield from kept.unread()
    is_more = True
    while is_more:
        state = kept.state
        found, is_more = _poll(place.address.partition("+")[2], state, server, most_bytes)
        if found is None:
            return
        objects, behind = found
        lines = [bytes(each) for each in (*state.around.values(), *objects)]
        yield kept.put([b'{"type":"bundle","objects":[\n', b",\n".join(lines), b"\n]}\n"], behind)


def _poll(
    url: str, state: _State, server: Server, most_bytes: int
) -> tuple[tuple[list[msgspec.Raw], _State] | None, bool]:
    """The objects of the next document with the state behind it, None if nothing is new; and whether there is more."""
    had, objects, size = set(state.had), list[msgspec.Raw](), 0
    around = dict(state.around)
    recent: list[tuple[str, list[str]]] = []
    query = {"limit": str(_PAGE), **({"added_after": _earlier(state.added_after)} if state.added_after else {})}
    last = state.added_after
    while True:
        page = _page(f"{url.rstrip('/')}/objects/?{urlencode(query)}", server)
        digests = [_digest(each) for each in page.envelope.objects]
        last = max(last, page.last, key=_moment)
        recent.append((page.last, digests))
        for digest, raw in zip(digests, page.envelope.objects, strict=True):
            if digest not in had:
                had.add(digest)
                size += len(bytes(raw))
                _put(raw, objects, around)
        if not page.envelope.more or not page.envelope.objects:
            break
        if page.envelope.next and size < most_bytes:
            query["next"] = page.envelope.next
            continue
        if not page.last or (page.last == query.get("added_after")):
            raise Refused(f"{url} has more objects, and states neither `next` nor when the last one was added")
        if size >= most_bytes:
            break
        query = {"limit": str(_PAGE), "added_after": page.last}
    is_more = page.envelope.more and bool(page.envelope.objects)
    begin = _earlier(last)
    kept = [digest for at, digests in recent if not at or _moment(at) >= _moment(begin) for digest in digests]
    kept += [digest for digest in state.had if not last or _moment(state.added_after) >= _moment(begin)]
    behind = _State(added_after=last, had=list(dict.fromkeys(kept)), around=around)
    return ((objects, behind), is_more) if objects else (None, False)


def _put(raw: msgspec.Raw, objects: list[msgspec.Raw], around: dict[str, msgspec.Raw]) -> None:
    """Take an object; what speaks about others is kept for later documents, too."""
    try:
        kind = msgspec.json.decode(raw, type=_Kind)
    except msgspec.DecodeError:
        kind = _Kind()
    is_about_others = kind.type in _ABOUT_OTHERS or kind.relationship_type == "revoked-by"
    if kind.id and (is_about_others or isinstance(kind.object_refs, list)):
        around[kind.id + _digest(raw)] = raw.copy()
    objects.append(raw.copy())


def _page(url: str, server: Server) -> _Page:
    answer = server.ask(url, {"Accept": MEDIA}, most_bytes=_MOST_PAGE_BYTES)
    media, last = answer.headers.get_content_type(), answer.headers["X-TAXII-Date-Added-Last"] or ""
    if media.startswith("application/vnd.oasis."):
        raise Refused(
            f"{url} speaks TAXII 2.0, which is not read: ask for its address of TAXII 2.1, or fetch its bundles with "
            "OASIS's taxii2-client and give them as files"
        )
    if media != "application/taxii+json":
        raise Refused(f"{url} answers with {media}, not with TAXII 2.1: is it a collection's address?")
    try:
        envelope = msgspec.json.decode(answer.content, type=_Envelope)
    except msgspec.DecodeError as error:
        raise Refused(f"{url} is no envelope of TAXII 2.1: {error}") from error
    return _Page(envelope, last)


def _digest(raw: msgspec.Raw) -> str:
    return sha256(bytes(raw)).hexdigest()[: 2 * _DIGEST_BYTES]


def _moment(text: str) -> datetime:
    """A time of RFC 3339; the first moment of all if it is none."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is not None:
            return moment
    return datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def _earlier(text: str) -> str:
    """A time a little before this one, as TAXII writes it."""
    if not text:
        return ""
    moment = _moment(text) - _OVERLAP
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z" if moment.year > 1 else text
