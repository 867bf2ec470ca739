"""Takes the objects of a TAXII collection (OASIS, 2.1 or 2.0), each once, as documents for the STIX reader.

An address is ``taxii+https://…/collections/ID/``. A poll takes all pages since the last one (docs/adr/0057).

``added_after`` excludes its own moment, and servers round it: so a poll begins a little before the last one ended, and
leaves out objects that it has had. Marking definitions and what lists other objects (a report, a grouping) are kept and
are part of each later document: a page never has all statements about its objects.
"""

from collections.abc import Callable, Generator
from typing import Final

from exchange.errors import ConfigurationError
from producers.fetch import Declined
from producers.live import taxii_20, taxii_21
from producers.live.documents import Document, Documents, LiveInput
from producers.live.server import Server, authorization_of
from producers.live.taxii_found import collections_at
from producers.live.taxii_objects import OtherVersion, State, Taken, bundle

SCHEMES: Final = ("taxii+https://", "taxii+http://")
MOST_BYTES: Final = 32 << 20
"""Objects of one document; the rest goes into the next one."""
_Poll = Callable[[str, State, Server, int], tuple[Taken, State, bool]]
_VERSIONS: Final[dict[str, _Poll]] = {taxii_21.VERSION: taxii_21.poll, taxii_20.VERSION: taxii_20.poll}
_NO_COLLECTION: Final = frozenset({400, 404, 406, 415})
"""What servers answer if they do not have the collection, or not in this version."""


def polled(place: LiveInput, *, most_bytes: int = MOST_BYTES) -> Generator[Document, None, None]:
    """Documents with what was added since the last poll; the next one is made once the one before was read.

    The first is that of an earlier run, which may not have been read whole. Raises TransientError if the server does
    not answer, asks to come later or breaks off; ConfigurationError if it does not have the collection, or refuses it
    to us; Refused if a page is too large or is no TAXII.
    """
    kept = Documents(place.folder, place.address, State())
    server = Server(authorization_of(place.credentials), place.authorities)
    url = place.address.partition("+")[2].rstrip("/")
    yield from kept.unread()
    is_more = True
    while is_more:
        taken, behind, is_more = _poll(url, kept.state, server, most_bytes)
        if not taken.objects:
            return
        yield kept.put(bundle(kept.state, taken.objects), behind)


def _poll(url: str, state: State, server: Server, most_bytes: int) -> tuple[Taken, State, bool]:
    """By the version that the server has spoken before; otherwise by the newest one that it speaks."""
    refusals = list[str]()
    for version in sorted(_VERSIONS, key=lambda each: (each == state.version, each), reverse=True):
        try:
            return _VERSIONS[version](url, state, server, most_bytes)
        except OtherVersion as error:
            refusals.append(f"{error}")
        except Declined as error:
            if error.status not in _NO_COLLECTION:
                raise
            refusals.append(f"{error}")
    raise ConfigurationError(
        f"{url} is no collection of TAXII 2.1 or 2.0. {refusals[0]} {_others(url, server)}".strip()
    )


def _others(url: str, server: Server) -> str:
    found = collections_at(url, server)
    return f"Its server has these collections: {', '.join(found)}. Give the address of one" if found else ""
