"""Which collections a TAXII server has, if another address of it was given (TAXII 2.1 and 2.0, sections 4 and 5).

Credentials are for one server: an API root that is at another one is not asked.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec

from exchange.errors import ExchangeError
from producers.live.server import Server

_MEDIA: Final = ("application/taxii+json;version=2.1", "application/vnd.oasis.taxii+json; version=2.0")
_WELL_KNOWN: Final = ("/taxii2/", "/taxii/")
_MOST_BYTES: Final = 4 << 20
_MOST_ROOTS: Final = 20
_MOST_COLLECTIONS: Final = 100


class _Collection(msgspec.Struct):
    id: str
    title: str = ""
    can_read: bool = False


class _Resource(msgspec.Struct):
    """A discovery resource, an API root or its collections, by what it has."""

    api_roots: list[str] = msgspec.field(default_factory=list)
    collections: list[_Collection] = msgspec.field(default_factory=list)


def collections_at(url: str, server: Server) -> list[str]:
    """Addresses of collections that we may read, with their titles, by discovery from this address or its server's."""
    for start in dict.fromkeys((f"{url.rstrip('/')}/", *(urljoin(url, path) for path in _WELL_KNOWN))):
        named = (urljoin(start, each) for each in _got(start, server).api_roots[:_MOST_ROOTS])
        roots = [each for each in named if urlsplit(each)[:2] == urlsplit(url)[:2]]
        if found := [each for root in roots or [start] for each in _of_root(root, server)]:
            return found[:_MOST_COLLECTIONS]
    return []


def _of_root(root: str, server: Server) -> Iterator[str]:
    place = f"{root.rstrip('/')}/collections/"
    for each in _got(place, server).collections:
        if each.can_read:
            yield f"taxii+{place}{each.id}/ ({each.title})"


def _got(url: str, server: Server) -> _Resource:
    """What the server has there, in either version; an empty resource if there is none."""
    for media in _MEDIA:
        try:
            return msgspec.json.decode(
                server.ask(url, {"Accept": media}, most_bytes=_MOST_BYTES).content, type=_Resource
            )
        except (ExchangeError, msgspec.DecodeError):
            continue
    return _Resource()
