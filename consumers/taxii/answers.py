"""The bodies and headers of answers: TAXII's resources (TAXII 2.1, 4 and 5)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from consumers.taxii.collections import Collection
from consumers.taxii.media import STIX, TAXII
from consumers.taxii.query import Query
from consumers.taxii.times import next_of, text_of
from consumers.taxii.view import Page

MOST_BYTES: Final = 65_536
_encode: Final = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    """A body, its headers, and how many objects it has."""

    body: bytes
    headers: Mapping[str, str] = {}
    objects: int = 0


def discovery(nation: str, root: str) -> Answer:
    """The server (4.1.1). The API root is relative, so that no request can change where it leads."""
    return _answer(
        {
            "title": f"Kakehashi of {nation}",
            "description": f"Threat indicators that {nation} sees: its own, and those that it accepted from partners.",
            "default": root,
            "api_roots": [root],
        }
    )


def api_root(nation: str) -> Answer:
    """The API root (4.2.1)."""
    return _answer({"title": f"Indicators of {nation}", "versions": [TAXII], "max_content_length": MOST_BYTES})


def collections(found: Iterable[Collection], nation: str) -> Answer:
    """All collections of a client (5.1.1)."""
    listed = [each.resource(nation) for each in found]
    return _answer({"collections": listed} if listed else {})


def collection(found: Collection, nation: str) -> Answer:
    """One collection (5.2.1)."""
    return _answer(found.resource(nation))


def envelope(page: Page, query: Query) -> Answer:
    """A page of objects (3.7)."""
    return _paged(page, query, "objects", [each.object for each in page.added])


def manifest(page: Page, query: Query) -> Answer:
    """A page of the manifest (5.3.1)."""
    return _paged(
        page,
        query,
        "objects",
        [
            {
                "id": each.object["id"],
                "date_added": text_of(each.at_us),
                "version": each.version,
                "media_type": STIX,
            }
            for each in page.added
        ],
    )


def versions(page: Page, query: Query) -> Answer:
    """The versions of one object (5.8.1)."""
    return _paged(page, query, "versions", [each.version for each in page.added])


def _paged(page: Page, query: Query, name: str, found: list[Any]) -> Answer:
    body: dict[str, Any] = {}
    if page.more:
        body = {"more": True, "next": next_of(page.position_us, query.question)}
    if found:
        body[name] = found
    first_and_last: dict[str, str] = {}
    if page.added:
        first_and_last = {
            "X-TAXII-Date-Added-First": text_of(page.added[0].at_us),
            "X-TAXII-Date-Added-Last": text_of(page.added[-1].at_us),
        }
    return Answer(_encode(body), first_and_last, len(found))


def _answer(body: dict[str, Any]) -> Answer:
    return Answer(_encode(body))
