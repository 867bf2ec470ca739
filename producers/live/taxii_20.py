"""The next document of a TAXII 2.0 collection (OASIS, 2017): pages by number, of what was added since the last pass.

Numbers move while they are read: an object that is updated or removed moves all behind it one place towards the
beginning. So each page begins with an object that this pass has listed; otherwise it steps back until one does. What
stays keeps its order, so all before such an object was listed. Servers do not always list in the order of the times
that they state, and update objects in their places: so a pass moves the position in time once it is at its end, and
then not beyond its own beginning.

A manifest of TAXII 2.0 has one time for all versions of an object (section 5.6.1), so ``added_after`` need not list a
later version, such as a revocation. A pass over all objects finds it, once an hour.
"""

import re
import time
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from exchange.errors import Refused, TransientError
from producers.fetch import Declined
from producers.live.server import Server
from producers.live.taxii_objects import MOST_PAGE_BYTES, PAGE, OtherVersion, State, Taken, digest, earlier, moment

VERSION: Final = "2.0"
MEDIA: Final = "application/vnd.oasis.stix+json; version=2.0"
WHOLE_EVERY_S: Final = 3600.0
_RANGE: Final = re.compile(r"items (\d{1,15})-\d{1,15}/(\d{1,15}|\*)")
_STEP: Final = 32
_MOST_STEPS: Final = 50
_OUT_OF_RANGE: Final = 416


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Page(NamedTuple):
    """Objects from the place ``begin`` on, of ``total`` if that is known.

    ``last`` is the time at which the last one was added, ``at`` that of the answer.
    """

    objects: list[msgspec.Raw]
    begin: int = 0
    total: int | None = 0
    last: str = ""
    at: str = ""

    @property
    def end(self) -> int:
        """The place behind them."""
        return self.begin + len(self.objects)


def poll(url: str, state: State, server: Server, most_bytes: int) -> tuple[Taken, State, bool]:
    """The objects of the next document, the state behind it, and whether there is more.

    Raises OtherVersion, and what ``Server.ask`` raises; Refused if a page is too large or is no bundle; TransientError
    if the collection changes faster than it can be read.
    """
    taken, last, since = Taken(state), state.last or state.added_after, state.since
    listed = dict.fromkeys(state.listed)
    whole_at_s, is_whole = state.whole_at_s, state.is_whole
    if not state.begin and not 0 <= time.time() - whole_at_s < WHOLE_EVERY_S:
        whole_at_s, is_whole = time.time(), True
    after = "" if is_whole or not state.added_after else f"?{urlencode({'added_after': earlier(state.added_after)})}"
    begin, furthest, steps = state.begin, state.begin, 0
    while True:
        page = _page(f"{url}/objects/{after}", begin, server)
        since = since or page.at
        if page.begin and not (page.objects and digest(page.objects[0]) in listed):
            steps += 1
            if steps > _MOST_STEPS:
                raise TransientError(
                    f"{url} changes faster than it can be read, or gives less than two objects a page: run it again"
                )
            begin = max(0, begin - _STEP * 2 ** (steps - 1))
            continue
        last = max(last, page.last, key=moment)
        listed |= dict.fromkeys(taken.take(page.objects))
        is_more = len(page.objects) > 1 if page.total is None else page.end < page.total
        begin = max(page.end - 1, page.begin + 1)
        if page.end > furthest:
            furthest, steps = page.end, 0
        if not is_more or taken.size >= most_bytes:
            break
    behind = State(around=taken.around, version=VERSION, whole_at_s=whole_at_s)
    if is_more:
        behind.added_after, behind.had, behind.listed = state.added_after, state.had, [*listed]
        behind.begin, behind.is_whole, behind.since, behind.last = begin, is_whole, since, last
    else:
        behind.had = [*listed] if is_whole else [*{**dict.fromkeys(state.had), **listed}]
        behind.added_after = max(state.added_after, min(last, since or last, key=moment), key=moment)
    return taken, behind, is_more


def _page(url: str, begin: int, server: Server) -> _Page:
    """What the server lists from a place on; it may be another place if the server does not number."""
    headers = {"Accept": MEDIA, "Range": f"items={begin}-{begin + PAGE - 1}"}
    try:
        answer = server.ask(url, headers, most_bytes=MOST_PAGE_BYTES)
    except Declined as error:
        if error.status == _OUT_OF_RANGE:
            return _Page([], begin)
        raise
    media, times = answer.headers.get_content_type(), _times(answer.headers)
    if media == "application/taxii+json":
        raise OtherVersion(f"{url} speaks TAXII 2.1")
    if not media.startswith("application/vnd.oasis."):
        raise Refused(f"{url} answers with {media}, not with TAXII 2.0: is it a collection's address?")
    try:
        objects = msgspec.json.decode(answer.content, type=_Bundle).objects
    except msgspec.DecodeError as error:
        raise Refused(f"{url} is no bundle of TAXII 2.0: {error}") from error
    stated = answer.headers["Content-Range"]
    if stated is None:  # all there is
        return _Page(objects, 0, len(objects), *times)
    found = _RANGE.fullmatch(stated.strip())
    if found is None:
        raise Refused(f"{url} states the range {stated[:40]!r}, not one as `items 0-99/250`")
    total = None if found[2] == "*" else int(found[2])
    if not objects and total and begin < total:
        raise Refused(f"{url} lists none of its {total} objects from number {begin} on")
    return _Page(objects, int(found[1]), total, *times)


def _times(headers: Message) -> tuple[str, str]:
    """When the last object was added, and when the server answered; each empty if it does not state it."""
    last, date = headers["X-TAXII-Date-Added-Last"] or "", headers["Date"]
    try:
        return last, "" if date is None else parsedate_to_datetime(date).isoformat()
    except ValueError:
        return last, ""
