"""Which values a sensor's source asserts now, object by object, so that an end is published when the last one ends.

A source asserts a value by its objects: a STIX indicator, a MISP attribute, a line of a list that is a snapshot.
Each object has a version, the source's own time of change. A version that is older than the one known changes nothing,
in whatever order files arrive. A value has ended if no object of the source asserts it any more; an input without
objects (a log, an excerpt) is not kept here and ends nothing.

Objects may be published as one group, such as a MISP event. A group that was read whole has a version too: of an older
version of it nothing counts, and what a newer one does not name has ended.

Changes are kept in memory until the spool commits them together with the report that they led to.
"""

import enum
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Final

import msgspec

from producers.readers.reading import Group
from schemas.identity import indicator_key
from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType

TABLES_SINCE_4: Final = (
    # The newest version of each group that was read whole.
    "CREATE TABLE whole (scope BLOB PRIMARY KEY, modified_ms INTEGER NOT NULL) WITHOUT ROWID",
)
TABLES_SINCE_6: Final = (
    # The digest of what the object's last version stated about the value; empty if it is not known.
    "ALTER TABLE assertion ADD COLUMN content BLOB NOT NULL DEFAULT x''",
)
TABLES: Final = (
    # `object` and `scope` are digests. `generation` is of the last complete reading of the scope that named the object.
    """CREATE TABLE assertion (
        object BLOB NOT NULL, key BLOB NOT NULL, scope BLOB NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL,
        modified_ms INTEGER NOT NULL, live INTEGER NOT NULL, generation INTEGER NOT NULL,
        PRIMARY KEY (object, key)) WITHOUT ROWID""",
    "CREATE INDEX assertion_by_key ON assertion (key) WHERE live",
    "CREATE INDEX assertion_by_scope ON assertion (scope, generation) WHERE live",
    *TABLES_SINCE_4,
    *TABLES_SINCE_6,
)
_COLUMNS: Final = "object, key, scope, kind, value, modified_ms, live, generation, content"
_DIGEST_BYTES: Final = 16
NO_SCOPE: Final = b""
_NO_KEY: Final = b""


class Held(msgspec.Struct, frozen=True, gc=False):
    """One object's assertion of one value. ``live`` is False after the object has withdrawn it."""

    object: bytes
    key: bytes
    scope: bytes
    kind: int
    value: str
    modified_ms: int
    live: bool
    generation: int
    content: bytes = b""


class LiveAssertion(msgspec.Struct, frozen=True, gc=False):
    """A live assertion; ``durable`` if the report with it is in the spool, too: until then it cannot be withdrawn."""

    held: Held
    durable: bool


class Named(msgspec.Struct, frozen=True, gc=False):
    """A value as one object of a source names it. A line of a snapshot has no ``object_id``: its value names it.

    ``content`` is a digest of what the object states about the value; empty if it does not matter.
    """

    kind: IndicatorType
    value: str
    object_id: str
    modified_ms: int
    scope: bytes = NO_SCOPE
    generation: int = 0
    content: bytes = b""


class Known(enum.Enum):
    """What was known of a value that an object asserts."""

    NOT_ASSERTED = enum.auto()
    ASSERTED = enum.auto()
    UNCHANGED = enum.auto()  # asserted, and with the same content
    NEWER = enum.auto()  # a newer version of the object, or a withdrawal of the same time: it changes nothing


class Assertions:
    """The assertions of one sensor. Not thread-safe."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._changed: dict[tuple[bytes, bytes], Held] = {}
        self._wholes: dict[bytes, int] = {}

    def reported(self, named: Named) -> Known:
        """An object asserts a value: what was known of that before."""
        key = _key_of(named)
        if key is None:
            return Known.ASSERTED  # invalid by the contract: the exchange refuses it
        known = self._of(_object_of(named, key))
        if any(named.modified_ms < held.modified_ms for held in known):
            return Known.NEWER
        mine = next((held for held in known if held.key == key), None)
        if mine is not None and not mine.live and named.modified_ms == mine.modified_ms and named.modified_ms:
            return Known.NEWER
        self._put(_held(named, key, live=True))
        if mine is None or not mine.live:
            return Known.NOT_ASSERTED
        return Known.UNCHANGED if named.content and named.content == mine.content else Known.ASSERTED

    def asserts(self, named: Named) -> bool:
        """Whether this object is known to assert the value."""
        key = _key_of(named)
        return key is not None and any(held.live and held.key == key for held in self._of(_object_of(named, key)))

    def withdrawn(self, named: Named) -> bool | None:
        """An object withdraws a value. True if no object asserts it any more, False if another one still does.

        None if a newer version of the object is known: nothing changes.
        """
        key = _key_of(named)
        if key is None:
            return None
        if any(named.modified_ms < held.modified_ms for held in self._of(_object_of(named, key))):
            return None
        self._put(_held(named, key, live=False))
        return not self._is_asserted(key)

    def superseded(self, object_id: str, modified_ms: int) -> list[Held]:
        """The live assertions that the version of ``modified_ms`` of this object, now read whole, does not have."""
        if not modified_ms:
            return []
        return [held for held in self._of(object_named(object_id)) if held.live and held.modified_ms < modified_ms]

    def emptied(self, object_id: str, modified_ms: int) -> None:
        """Note that this version of an object has no value: older ones that come late change nothing."""
        object_ = object_named(object_id)
        if modified_ms and all(held.modified_ms < modified_ms for held in self._of(object_)):
            self._put(Held(object_, _NO_KEY, NO_SCOPE, 0, "", modified_ms, live=False, generation=0))

    def whole_ms(self, scope: bytes) -> int:
        """The newest version of a group that was read whole; 0 if there was none, or if it states no time."""
        if scope not in self._wholes:
            query = "SELECT modified_ms FROM whole WHERE scope = ?"
            (self._wholes[scope],) = self._database.execute(query, (scope,)).fetchone() or (0,)
        return self._wholes[scope]

    def read_whole(self, scope: bytes, modified_ms: int) -> None:
        """Note that this version of a group was read whole."""
        self._wholes[scope] = max(self.whole_ms(scope), modified_ms)

    def unnamed(self, scope: bytes, names: Iterable[str]) -> tuple[list[Held], int]:
        """The live assertions of a group's objects that are not among ``names``, and how many are."""
        objects = set(map(object_named, names))
        live = [held for held in self._in(scope) if held.live]
        gone = [held for held in live if held.object not in objects]
        return gone, len(live) - len(gone)

    def in_scope(self, scope: bytes) -> list["LiveAssertion"]:
        """The live assertions in a scope."""
        return [self._standing(held) for held in self._in(scope) if held.live]

    def of_keys(self, scope: bytes, keys: Iterable[bytes]) -> list["LiveAssertion"]:
        """The live assertions in a scope of these values."""
        return [self._standing(held) for key in keys for held in self._live_of(key) if held.scope == scope]

    def _standing(self, held: Held) -> "LiveAssertion":
        return LiveAssertion(held, (held.object, held.key) not in self._changed)

    def next_generation(self) -> int:
        """A number for a complete reading that no earlier one had."""
        (last,) = self._database.execute("SELECT COALESCE(MAX(generation), 0) FROM assertion").fetchone()
        return int(last) + 1

    def left(self, scope: bytes, generation: int) -> tuple[list[Held], int]:
        """The live assertions in ``scope`` that the reading ``generation`` has not named, and how many it has."""
        live = [held for held in self._in(scope) if held.live]
        gone = [held for held in live if held.generation != generation]
        return gone, len(live) - len(gone)

    def spare(self, scope: bytes, generation: int, keys: Iterable[bytes]) -> bool:
        """Note the live assertions of these values as named, without asserting them. False if there are none."""
        live = [held for key in dict.fromkeys(keys) for held in self._live_of(key) if held.scope == scope]
        for held in live:
            self._put(msgspec.structs.replace(held, generation=generation))
        return bool(live)

    def end(self, held: Held) -> bool:
        """End one assertion, at its time of change. True if no other object asserts its value."""
        self._put(msgspec.structs.replace(held, live=False))
        return not self._is_asserted(held.key)

    def write(self) -> None:
        """Write the changes, in the transaction that the caller has begun; ``committed`` forgets them here."""
        self._database.executemany(_INSERT, [msgspec.structs.astuple(held) for held in self._changed.values()])
        stated = [(scope, modified_ms) for scope, modified_ms in self._wholes.items() if modified_ms]
        self._database.executemany("INSERT OR REPLACE INTO whole VALUES (?, ?)", stated)

    def committed(self) -> None:
        """The changes are in the database."""
        self._changed.clear()
        self._wholes.clear()

    def _put(self, held: Held) -> None:
        self._changed[held.object, held.key] = held

    def _of(self, object_: bytes) -> list[Held]:
        return list(self._merged("object = ?", object_, lambda held: held.object == object_))

    def _in(self, scope: bytes) -> Iterator[Held]:
        return self._merged("live AND scope = ?", scope, lambda held: held.scope == scope)

    def _is_asserted(self, key: bytes) -> bool:
        return bool(self._live_of(key))

    def _live_of(self, key: bytes) -> list[Held]:
        return [held for held in self._merged("live AND key = ?", key, lambda held: held.key == key) if held.live]

    def _merged(self, where: str, value: bytes, matches: Callable[[Held], bool]) -> Iterator[Held]:
        """The rows of the database with the uncommitted changes."""
        query = f"SELECT {_COLUMNS} FROM assertion WHERE {where}"  # noqa: S608 - all of it is ours
        for row in self._database.execute(query, (value,)):
            if (row[0], row[1]) not in self._changed:
                yield Held(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6]), row[7], row[8])
        yield from [held for held in self._changed.values() if matches(held)]


_INSERT: Final = f"INSERT OR REPLACE INTO assertion ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - all of it is ours


def scope_of(group: Group) -> bytes:
    """The scope of what the objects of a group assert."""
    return digest(f"group {group.name.lower()}")


def digest(text: str) -> bytes:
    """A short name for an object or a scope."""
    return sha256(text.encode()).digest()[:_DIGEST_BYTES]


def object_named(object_id: str) -> bytes:
    """The digest of an object's id. A UUID is the same in either case (RFC 9562, section 4)."""
    return digest(object_id.lower())


def _held(named: Named, key: bytes, *, live: bool) -> Held:
    object_ = _object_of(named, key)
    kind, content = int(named.kind), named.content if live else b""
    return Held(object_, key, named.scope, kind, named.value, named.modified_ms, live, named.generation, content)


def _object_of(named: Named, key: bytes) -> bytes:
    return object_named(named.object_id) if named.object_id else sha256(named.scope + key).digest()[:_DIGEST_BYTES]


def _key_of(named: Named) -> bytes | None:
    found = canonical(named.kind, named.value)
    return None if isinstance(found, Invalid) else indicator_key(*found)
