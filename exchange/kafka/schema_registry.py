"""The schema ids of a cluster that has a registry with Confluent's REST interface; without one, the bundled table's.

Subjects are the records' full names (Confluent's RecordNameStrategy): one schema serves many topics. Roles only look
up; ``kakehashi topics`` registers. Ids are asked for once, at start, and kept in a file: a registry that is away stops
neither a worker that knows them nor a sensor whose link is down.
"""

import base64
import http.client
import json
import logging
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from exchange.errors import ConfigurationError, NotFound, Refused, RegistryUnavailable
from schemas.codec import Codec, bundled_ids, source

_log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
COMPATIBILITY: Final = "FULL_TRANSITIVE"
MEDIA_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_MAX_ANSWER: Final = 1 << 20
_MAX_ID: Final = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Registry:
    """Where a nation's registry is. ``user_info`` is ``user:password``, never printed; ``kept`` is the file of ids."""

    nation: str
    url: str
    user_info: str = field(default="", repr=False)
    ca_location: str = ""
    kept: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(
                f"{self._variable}: http:// or https://, a host, and the path of the Confluent interface, if any"
            )
        if "@" in parts.netloc:
            raise ConfigurationError(f"{self._variable}: user and password go into {self._variable[:-3]}USER_INFO")

    @property
    def _variable(self) -> str:
        return f"KAKEHASHI_{self.nation}_SCHEMA_REGISTRY_URL"


@cache
def codec_of(registry: Registry | None, names: tuple[str, ...] = (), newer: tuple[str, ...] = ()) -> Codec:
    """A codec with the registry's ids of these schemas, or of all; with the bundled ids if there is no registry.

    Raises RegistryUnavailable if it does not answer and its ids were never kept, NotFound if it has not all of
    them. Missing ones of ``newer`` are logged and left out: a nation that has not upgraded must not stop the other.
    """
    if registry is None:
        return Codec()
    wanted = names or tuple(bundled_ids().values())
    try:
        return Codec(_known_ids(registry, (*wanted, *newer)))
    except (NotFound, RegistryUnavailable) as error:
        if not newer:
            raise
        known = _known_ids(registry, wanted)
        _log.warning("registry.older nation=%s: %s; going on without", registry.nation, error)
        return Codec(known)


def _known_ids(registry: Registry, names: Sequence[str]) -> Mapping[int, str]:
    try:
        with _connected(registry) as client:
            found = {client.lookup(name): name for name in names}
    except RegistryUnavailable as error:
        kept = _kept(registry)
        if not set(names) <= set(kept.values()):
            raise
        _log.warning("registry.away nation=%s: %s; going on with the ids that were kept", registry.nation, error)
        return {number: name for number, name in kept.items() if name in names}
    if len(found) != len(names):
        raise Refused(f"{registry.nation}'s schema registry gives one id to several schemas: its ids cannot be used")
    _keep(registry, found)
    return found


def register(registry: Registry) -> int:
    """Register every schema that is not there yet; how many there are. An id that exists stays as it is.

    Raises Refused if the registry does not take one, RegistryUnavailable if it does not answer.
    """
    names = sorted(bundled_ids().values())
    with _connected(registry) as client:
        for name in names:
            client.register(name)
    return len(names)


class _Client:
    """One connection. Raises RegistryUnavailable for any fault of the world, Refused for an answer of no."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        parts = urlsplit(registry.url)
        self._path = parts.path.rstrip("/")
        self._headers = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        if registry.user_info:
            token = base64.b64encode(registry.user_info.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=registry.ca_location or None)
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT_S, context=context
            )
        else:
            self.connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)

    def lookup(self, name: str) -> int:
        """The id of a schema that is registered. Raises NotFound if it is not."""
        status, answer = self._ask("POST", f"/subjects/{_subject(name)}", {"schema": source(name)})
        if status == http.client.NOT_FOUND:
            raise NotFound(
                f"{self._registry.nation}'s schema registry at {self._registry.url} does not know {name}: "
                f"`kakehashi topics --nation {self._registry.nation}` registers it"
            )
        return self._id_in(name, status, answer)

    def register(self, name: str) -> int:
        """The id of a schema, registered by this call or before."""
        subject = _subject(name)
        status, _ = self._ask("PUT", f"/config/{subject}", {"compatibility": COMPATIBILITY})
        if status != http.client.OK:
            _log.warning("registry.compatibility subject=%s status=%d: left as it is there", subject, status)
        return self._id_in(name, *self._ask("POST", f"/subjects/{subject}/versions", {"schema": source(name)}))

    def _id_in(self, name: str, status: int, answer: Any) -> int:
        number = answer.get("id") if isinstance(answer, dict) else None
        if status != http.client.OK or not isinstance(number, int) or not 0 <= number <= _MAX_ID:
            why = answer.get("message", "") if isinstance(answer, dict) else ""
            raise Refused(
                f"{self._registry.nation}'s schema registry at {self._registry.url} answers {status} about {name}"
                f"{f': {str(why)[:200]}' if why else ', and no id'}"
            )
        return number

    def _ask(self, method: str, path: str, body: Mapping[str, str]) -> tuple[int, Any]:
        try:
            self.connection.request(method, self._path + path, json.dumps(body), self._headers)
            response = self.connection.getresponse()
            text = response.read(_MAX_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise RegistryUnavailable(
                f"no answer from {self._registry.nation}'s schema registry at {self._registry.url}: {error}"
            ) from error
        if response.status >= http.client.INTERNAL_SERVER_ERROR:
            raise RegistryUnavailable(
                f"{self._registry.nation}'s schema registry at {self._registry.url} answers {response.status}"
            )
        try:
            return response.status, json.loads(text or b"null")
        except ValueError:
            return response.status, None


@contextmanager
def _connected(registry: Registry) -> Iterator[_Client]:
    try:
        client = _Client(registry)
    except OSError as error:  # the CA file
        raise ConfigurationError(f"{registry.ca_location}: {error}") from error
    try:
        yield client
    finally:
        client.connection.close()


def _subject(name: str) -> str:
    schema = json.loads(source(name))
    return quote(f"{schema['namespace']}.{schema['name']}", safe="")


def _keep(registry: Registry, ids: Mapping[int, str]) -> None:
    """Ids never change, so stored ones stay true. A failure to store them is no reason to stop."""
    if registry.kept is None:
        return
    every = {str(number): name for number, name in (_kept(registry) | dict(ids)).items()}
    scratch = registry.kept.with_suffix(".new")
    try:
        registry.kept.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps({"url": registry.url, "ids": every}) + "\n", encoding="utf-8")
        scratch.replace(registry.kept)
    except OSError as error:
        _log.warning("registry.unkept file=%s error=%s", registry.kept, error)


def _kept(registry: Registry) -> dict[int, str]:
    """The stored ids of this registry; nothing if they are of another, or damaged."""
    try:
        found = json.loads((registry.kept or Path("/dev/null")).read_text(encoding="utf-8"))
        return {int(number): name for number, name in found["ids"].items()} if found["url"] == registry.url else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
