"""The next document of a TAXII 2.1 collection (OASIS, 2021): pages by ``next``, or by the time of the last object."""

from typing import Final
from urllib.parse import urlencode

import msgspec

from exchange.errors import Refused
from producers.live.server import Server
from producers.live.taxii_objects import MOST_PAGE_BYTES, PAGE, OtherVersion, State, Taken, earlier, moment

VERSION: Final = "2.1"
MEDIA: Final = "application/taxii+json;version=2.1"


class _Envelope(msgspec.Struct):
    more: bool = False
    next: str = ""
    objects: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Page(msgspec.Struct):
    envelope: _Envelope
    last: str


def poll(url: str, state: State, server: Server, most_bytes: int) -> tuple[Taken, State, bool]:
    """The objects of the next document, the state behind it, and whether there is more.

    Raises OtherVersion, and what ``Server.ask`` raises; Refused if a page is too large or is no envelope.
    """
    taken, last = Taken(state), state.added_after
    recent: list[tuple[str, list[str]]] = []
    query = {"limit": str(PAGE), **({"added_after": earlier(state.added_after)} if state.added_after else {})}
    while True:
        page = _page(f"{url}/objects/?{urlencode(query)}", server)
        last = max(last, page.last, key=moment)
        recent.append((page.last, taken.take(page.envelope.objects)))
        is_empty = not page.envelope.objects
        if not page.envelope.more or (is_empty and page.envelope.next in ("", query.get("next"))):
            break  # a page that a server has filtered may be empty, and more come behind it
        if page.envelope.next and (is_empty or taken.size < most_bytes):
            query["next"] = page.envelope.next
            continue
        if not page.last or (page.last == query.get("added_after")):
            raise Refused(f"{url} has more objects, and states neither `next` nor when the last one was added")
        if taken.size >= most_bytes:
            break
        query = {"limit": str(PAGE), "added_after": page.last}
    is_more = page.envelope.more and not is_empty
    begin = earlier(last)
    kept = [digest for at, digests in recent if not at or moment(at) >= moment(begin) for digest in digests]
    kept += [digest for digest in state.had if not last or moment(state.added_after) >= moment(begin)]
    behind = State(added_after=last, had=list(dict.fromkeys(kept)), around=taken.around, version=VERSION)
    return taken, behind, is_more


def _page(url: str, server: Server) -> _Page:
    answer = server.ask(url, {"Accept": MEDIA}, most_bytes=MOST_PAGE_BYTES)
    media, last = answer.headers.get_content_type(), answer.headers["X-TAXII-Date-Added-Last"] or ""
    if media.startswith("application/vnd.oasis."):
        raise OtherVersion(f"{url} speaks TAXII 2.0")
    if media != "application/taxii+json":
        raise Refused(f"{url} answers with {media}, not with TAXII 2.1: is it a collection's address?")
    try:
        envelope = msgspec.json.decode(answer.content, type=_Envelope)
    except msgspec.DecodeError as error:
        raise Refused(f"{url} is no envelope of TAXII 2.1: {error}") from error
    return _Page(envelope, last)
