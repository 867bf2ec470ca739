"""The roster: which people may decide what for a nation, and the public keys by which they are known.

One file for each nation, ``<NATION>.toml``, written by the nation itself. Without a file no one is known, and no one
may decide anything. Private keys are never here: each officer keeps their own.
"""

import base64
import binascii
import enum
import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, NoReturn

from exchange.errors import ConfigurationError
from schemas.signing import KEY_BYTES, key_id

_PREFIX: Final = "ed25519:"
_FIELDS: Final = frozenset({"person", "name", "key", "roles", "sensors", "until"})


class Role(enum.StrEnum):
    """What an officer on the roster may decide."""

    REVIEW = "review"  # approve or refuse what is held
    RECALL = "recall"  # recall, revoke, and lift such a veto
    REISSUE = "reissue"  # reissue the last release: for a reconciliation
    POLICY = "policy"  # approve a policy set and its activation
    BORDER = "border"  # close and open the border
    AUDIT = "audit"  # sign the heads of the audit's chains


@dataclass(frozen=True, slots=True)
class Officer:
    """One key of one person. Two keys of one ``person`` are one voice. ``until_ms`` 0: the key does not end.

    ``sensors`` are those that this person runs: what they report, the person cannot approve.
    """

    person: str
    name: str
    key: bytes
    roles: frozenset[Role]
    sensors: frozenset[str] = frozenset()
    until_ms: int = 0

    @property
    def key_id(self) -> str:
        """The key's name in signed records."""
        return key_id(self.key)

    def may(self, role: Role, at_ms: int) -> bool:
        """Whether this key may decide so at this time."""
        return role in self.roles and (self.until_ms == 0 or at_ms < self.until_ms)


@dataclass(frozen=True, slots=True)
class Roster:
    """The officers of one nation by key id."""

    nation: str
    officers: Mapping[str, Officer] = field(default_factory=dict)

    @classmethod
    def of(cls, nation: str, officers: Iterable[Officer]) -> "Roster":
        """A roster of these officers. Raises ConfigurationError if a key is there twice.

        Who runs a sensor runs it with every key: a second key is no second person.
        """
        by_key: dict[str, Officer] = {}
        officers = tuple(officers)
        sensors = {one.person: frozenset[str]() for one in officers}
        for one in officers:
            sensors[one.person] |= one.sensors
        for officer in officers:
            if officer.key_id in by_key:
                raise ConfigurationError(
                    f"the roster of {nation}: {officer.person} and {by_key[officer.key_id].person} have the same key"
                )
            by_key[officer.key_id] = replace(officer, sensors=sensors[officer.person])
        return cls(nation, by_key)

    def find(self, key: str) -> Officer | None:
        """The officer with this key; None if no one has it."""
        return self.officers.get(key)

    def running(self, sensors: Collection[str]) -> frozenset[str]:
        """The people who run any of these sensors."""
        return frozenset(each.person for each in self.officers.values() if not each.sensors.isdisjoint(sensors))


def load_roster(nation: str, folder: Path) -> Roster:
    """Read ``<folder>/<nation>.toml``; an empty roster if there is none.

    Raises ConfigurationError for a file that cannot be read as one, naming the entry and what to change.
    """
    path = folder / f"{nation}.toml"
    if not path.exists():
        return Roster(nation)
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    officers = entries.pop("officer", [])
    if entries or not isinstance(officers, list):
        raise ConfigurationError(
            f"{path}: has [[officer]] entries and nothing else, not {', '.join(entries) or 'that'}"
        )
    return Roster.of(nation, (_officer(path, number, entry) for number, entry in enumerate(officers, 1)))


def entry_text(officer: Officer) -> str:
    """The roster's entry of an officer, as ``load_roster`` reads it. TOML's strings and lists are JSON's."""
    fields = {
        "person": officer.person,
        "name": officer.name,
        "key": key_text(officer.key),
        "roles": sorted(officer.roles),
        "sensors": sorted(officer.sensors),
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    return "\n".join(["[[officer]]", *lines]) + "\n"


def key_text(key: bytes) -> str:
    """A public key as the roster spells it: ``ed25519:`` and base64."""
    return _PREFIX + base64.b64encode(key).decode("ascii")


def _officer(path: Path, number: int, entry: object) -> Officer:
    def refuse(what: str) -> NoReturn:
        raise ConfigurationError(f"{path}: officer {number}: {what}")

    if not isinstance(entry, dict) or set(entry) - _FIELDS:
        refuse(f"has other fields than {', '.join(sorted(_FIELDS))}")
    person, name, roles = (entry.get(field) for field in ("person", "name", "roles"))
    if not (isinstance(person, str) and person and isinstance(name, str) and name):
        refuse("needs person and name: `kakehashi officer keygen` prints an entry")
    found = _key(entry.get("key"))
    if found is None:
        refuse(f"key is {_PREFIX} and the base64 of {KEY_BYTES} bytes: `kakehashi officer keygen` prints an entry")
    if not isinstance(roles, list) or not roles or not set(roles) <= set(Role):
        refuse(f"roles is a list of {', '.join(Role)}, at least one")
    sensors = entry.get("sensors", [])
    if not isinstance(sensors, list) or not all(isinstance(sensor, str) for sensor in sensors):
        refuse('sensors is a list of names, for example ["edge-1"]')
    until_ms = 0
    if "until" in entry:
        until = entry["until"]
        if not isinstance(until, date) or isinstance(until, datetime):
            refuse("until is the last day of the key, for example 2027-12-31, without quotes")
        until_ms = int((datetime.combine(until, time(), UTC) + timedelta(days=1)).timestamp() * 1000)
    return Officer(person, name, found, frozenset(Role(role) for role in roles), frozenset(sensors), until_ms)


def _key(text: object) -> bytes | None:
    if not isinstance(text, str) or not text.startswith(_PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None
