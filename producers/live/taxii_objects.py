"""What TAXII 2.0 and 2.1 have in common for a client: objects that count once, context that stays, and times."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from exchange.errors import ConfigurationError
from producers.live.documents import Position

PAGE: Final = 500
MOST_PAGE_BYTES: Final = 64 << 20
_OVERLAP: Final = timedelta(seconds=2)
_DIGEST_BYTES: Final = 16
_ABOUT_OTHERS: Final = frozenset({"marking-definition", "language-content"})


class OtherVersion(ConfigurationError):
    """The server does not speak this version of TAXII at this address."""


class State(Position):
    """The state behind a document.

    ``had`` are digests of objects that may be listed again, ``around`` is context. ``version`` is that of TAXII which
    the server speaks. Of 2.0, ``whole_at_s`` is when the last pass over all objects began. ``begin`` is the place of a
    pass that goes on, ``is_whole`` whether it lists all, ``since`` the server's time at its beginning, ``last`` the
    latest time seen in it, and ``listed`` are the digests of what it has listed.
    """

    added_after: str = ""
    had: list[str] = msgspec.field(default_factory=list)
    around: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)
    version: str = ""
    whole_at_s: float = 0
    begin: int = 0
    is_whole: bool = False
    since: str = ""
    last: str = ""
    listed: list[str] = msgspec.field(default_factory=list)


class Taken:
    """The objects of the next document: each that was not had before."""

    def __init__(self, state: State) -> None:
        self._had, self.around = {*state.had, *state.listed}, dict(state.around)
        self.objects, self.size = list[msgspec.Raw](), 0

    def take(self, objects: Iterable[msgspec.Raw]) -> list[str]:
        """Take new objects, and keep those about others for later documents, too. The digests of all of them."""
        digests = []
        for raw in objects:
            digests.append(digest(raw))
            if digests[-1] not in self._had:
                self._had.add(digests[-1])
                self.size += len(bytes(raw))
                self._put(raw, digests[-1])
        return digests

    def _put(self, raw: msgspec.Raw, own: str) -> None:
        try:
            kind = msgspec.json.decode(raw, type=_Kind)
        except msgspec.DecodeError:
            kind = _Kind()
        is_about_others = kind.type in _ABOUT_OTHERS or kind.relationship_type == "revoked-by"
        if kind.id and (is_about_others or isinstance(kind.object_refs, list)):
            self.around[kind.id + own] = raw.copy()
        self.objects.append(raw.copy())


class _Kind(msgspec.Struct):
    type: str = ""
    id: str = ""
    relationship_type: Any = None
    object_refs: Any = None


def bundle(state: State, objects: Iterable[msgspec.Raw]) -> Iterator[bytes]:
    """The bundle of a document, with the context that is known."""
    yield b'{"type":"bundle","objects":[\n'
    yield b",\n".join(bytes(each) for each in (*state.around.values(), *objects))
    yield b"\n]}\n"


def digest(raw: msgspec.Raw) -> str:
    """What distinguishes an object from all others, and from its own other versions."""
    return sha256(bytes(raw)).hexdigest()[: 2 * _DIGEST_BYTES]


def moment(text: str) -> datetime:
    """A time of RFC 3339; the earliest moment if it is invalid."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text.upper())
        if found.tzinfo is not None:
            return found
    return datetime.fromisoformat("0001-01-02T00:00:00+00:00")


def earlier(text: str) -> str:
    """A time a little before this one, as TAXII writes it."""
    if not text:
        return ""
    found = moment(text) - _OVERLAP
    return f"{found:%Y-%m-%dT%H:%M:%S.%f}Z" if found.year > 1 else text
