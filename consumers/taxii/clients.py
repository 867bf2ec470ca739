"""Who may read: the clients file, read again whenever it changes.

A token has 256 random bits, so its SHA-256 is all that the file needs: no one can guess the token from it.
"""

import hmac
import logging
import secrets
import threading
import tomllib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from consumers.subscription.changes import Use
from consumers.taxii.collections import Collection, alias_of
from exchange.errors import ConfigurationError
from schemas.markings import Activity, Pap, Tlp

_log = logging.getLogger(__name__)
RATE: Final = 600
_TOKEN_BYTES: Final = 32
_CEILINGS: Final = {tlp.label: tlp for tlp in Tlp if tlp is not Tlp.UNMARKED}
_ACTIVITIES: Final = {activity.label: activity for activity in Activity}
_PAPS: Final = {pap.label: pap for pap in Pap}
Value = TypeVar("Value")
_HEX: Final = frozenset("0123456789abcdef")


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A ``[[client]]`` as it is written."""

    name: str
    ceiling: str
    tokens: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    collections: tuple[str, ...] | None = None
    activity: str = Activity.ACTIVE.label
    unstated_pap: str = ""
    requests_a_minute: int = RATE


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    client: tuple[_Entry, ...] = ()


class Client(msgspec.Struct, frozen=True):
    """One client. ``use`` is what its tools do with indicators; it reads these collections and no others.

    ``ceiling`` is at least that of each of them. ``digests`` are the SHA-256 of its tokens, ``certificates`` those of
    its certificates in DER.
    """

    name: str
    ceiling: Tlp
    use: Use
    collections: tuple[Collection, ...]
    digests: frozenset[str] = frozenset()
    certificates: frozenset[str] = frozenset()
    requests_a_minute: int = RATE

    @property
    def origins(self) -> frozenset[str]:
        """The origins of its collections."""
        return frozenset(each.origin for each in self.collections)


def new_token() -> tuple[str, str]:
    """A new token, and its digest for the file."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """A token's digest, as the file has it."""
    return sha256(token.encode()).hexdigest()


def read_clients(path: Path, known: Mapping[str, Collection]) -> tuple[Client, ...]:
    """The clients of a file, for a server with these collections by alias.

    Raises ConfigurationError, with the entry and what to change.
    """
    try:
        entries = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).client
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    clients = tuple(_client(path, entry, known) for entry in entries)
    _refuse_repeats(path, "name", (each.name for each in clients))
    _refuse_repeats(path, "token", (digest for each in clients for digest in each.digests))
    _refuse_repeats(path, "certificate", (digest for each in clients for digest in each.certificates))
    return clients


def _client(path: Path, entry: _Entry, known: Mapping[str, Collection]) -> Client:
    place = f"{path}: client `{entry.name}`"
    if not entry.name.isascii() or not entry.name.isprintable() or not 0 < len(entry.name) <= 64 or ":" in entry.name:
        raise ConfigurationError(f"{place}: a name has 1 to 64 printable ASCII characters, and no colon")
    ceiling = _one_of(place, "ceiling", entry.ceiling, _CEILINGS)
    use = Use(
        _one_of(place, "activity", entry.activity, _ACTIVITIES),
        _one_of(place, "unstated_pap", entry.unstated_pap, _PAPS),
    )
    if not all(len(each) == 64 and _HEX.issuperset(each) for each in (*entry.tokens, *entry.certificates)):
        raise ConfigurationError(
            f"{place}: tokens and certificates are SHA-256 digests, 64 digits in lower case: `kakehashi taxii token`"
        )
    if not 1 <= entry.requests_a_minute <= 1_000_000:
        raise ConfigurationError(f"{place}: requests_a_minute: a whole number from 1 to 1,000,000")
    return Client(
        name=entry.name,
        ceiling=ceiling,
        use=use,
        collections=_collections(place, entry.collections, ceiling, known),
        digests=frozenset(entry.tokens),
        certificates=frozenset(entry.certificates),
        requests_a_minute=entry.requests_a_minute,
    )


def _collections(
    place: str, named: Iterable[str] | None, ceiling: Tlp, known: Mapping[str, Collection]
) -> tuple[Collection, ...]:
    """Those that are named; of every origin the one with the client's own ceiling if none are."""
    if named is None:
        return tuple(each for each in known.values() if each.alias == alias_of(each.origin, ceiling))
    found = tuple(_one_of(place, "collections", alias, known) for alias in dict.fromkeys(named))
    above = [each.alias for each in found if each.ceiling > ceiling]
    if above:
        raise ConfigurationError(f"{place}: {', '.join(above)}: above its ceiling {ceiling.label}")
    return found


def _one_of(place: str, name: str, text: str, values: Mapping[str, Value]) -> Value:
    if text not in values:
        raise ConfigurationError(f"{place}: {name} `{text}`: one of {', '.join(filter(None, values))}")
    return values[text]


def _refuse_repeats(path: Path, what: str, texts: Iterable[str]) -> None:
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise ConfigurationError(f"{path}: the {what} {text} is there twice: each client has its own")
        seen.add(text)


class Clients:
    """The clients of a file as it is now. Thread-safe.

    ``trouble`` is why the file cannot be used; empty if it can. Until it can, no client is known: one may be removed.
    """

    def __init__(self, path: Path, known: Mapping[str, Collection]) -> None:
        """Raises ConfigurationError if the file cannot be used."""
        self._path, self._known = path, known
        self._lock = threading.Lock()
        self.trouble = ""
        self._stamp = self._stamp_now()
        self._clients = read_clients(path, known)

    def by_token(self, token: str, name: str = "") -> Client | None:
        """The client with this token, and with this name if one is given."""
        digest = digest_of(token)
        for client in self._current():
            if any(hmac.compare_digest(digest, each) for each in client.digests):
                return client if name in ("", client.name) else None
        return None

    def by_certificate(self, der: bytes) -> Client | None:
        """The client with this certificate."""
        digest = sha256(der).hexdigest()
        return next((client for client in self._current() if digest in client.certificates), None)

    def _current(self) -> tuple[Client, ...]:
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._clients, self.trouble = read_clients(self._path, self._known), ""
                    _log.info("taxii.clients count=%d", len(self._clients))
                except ConfigurationError as error:
                    self._clients, self.trouble = (), str(error)
                    _log.error("taxii.clients no client is served: %s", error)
            return self._clients

    def _stamp_now(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
