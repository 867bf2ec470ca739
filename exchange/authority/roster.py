"""The roster: which people may decide what for a nation, and the public keys by which they and its sensors are known.

One file for each nation, ``<NATION>.toml``, written by the nation itself. Without a file no one is known, and no one
may decide anything. Private keys are never here: each officer keeps their own.
"""

import enum
import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NoReturn

from exchange.authority.fields import PREFIX, begin_of, end_of, key_of, key_text
from exchange.authority.sensor_keys import SensorKeys, read_sensor
from exchange.errors import ConfigurationError
from schemas.signing import KEY_BYTES, key_id

REQUIRED_FROM: Final = "signatures_required_from"
_MAKE_ONE: Final = "`kakehashi officer keygen --person PERSON --role ROLE --out FILE` prints an entry"
_FIELDS: Final = frozenset({"person", "name", "key", "roles", "sensors", "until"})


class Role(enum.StrEnum):
    """What an officer on the roster may decide."""

    REVIEW = "review"  # approve or refuse held releases
    RECALL = "recall"  # recall, revoke, and lift such a veto
    REISSUE = "reissue"  # reissue the last release: for a reconciliation
    POLICY = "policy"  # approve a policy set and its activation
    BORDER = "border"  # close and open the border
    AUDIT = "audit"  # sign the heads of the audit's chains
    REDRIVE = "redrive"  # send refused input again


@dataclass(frozen=True, slots=True)
class Officer:
    """One key of one person. Two keys of one ``person`` are one voice. ``until_ms`` 0: the key does not end.

    ``sensors`` are those that this person runs: the person cannot approve their reports.
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
    """The officers of one nation by key id, and the keys of its sensors."""

    nation: str
    officers: Mapping[str, Officer] = field(default_factory=dict)
    sensors: SensorKeys = field(default_factory=SensorKeys)

    @classmethod
    def of(cls, nation: str, officers: Iterable[Officer], sensors: SensorKeys | None = None) -> "Roster":
        """A roster of these officers. Raises ConfigurationError if a key is there twice.

        A person who runs a sensor runs it with every key: a second key is not a second person.
        """
        by_key: dict[str, Officer] = {}
        officers = tuple(officers)
        run = {one.person: frozenset[str]() for one in officers}
        for one in officers:
            run[one.person] |= one.sensors
        for officer in officers:
            if officer.key_id in by_key:
                raise ConfigurationError(
                    f"the roster of {nation}: {officer.person} and {by_key[officer.key_id].person} have the same key"
                )
            by_key[officer.key_id] = replace(officer, sensors=run[officer.person])
        return cls(nation, by_key, sensors or SensorKeys())

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
    officers, sensors = entries.pop("officer", []), entries.pop("sensor", [])
    required_from_ms = begin_of(entries.pop(REQUIRED_FROM)) if REQUIRED_FROM in entries else 0
    if required_from_ms is None:
        raise ConfigurationError(f"{path}: {REQUIRED_FROM} is a day or a time, for example 2027-04-01, without quotes")
    if entries or not isinstance(officers, list) or not isinstance(sensors, list):
        raise ConfigurationError(
            f"{path}: has [[officer]] and [[sensor]] entries and {REQUIRED_FROM} above them, not "
            f"{', '.join(entries) or 'that'}"
        )
    keys = SensorKeys.of(
        (read_sensor(path, number, entry) for number, entry in enumerate(sensors, 1)), required_from_ms
    )
    return Roster.of(nation, (_officer(path, number, entry) for number, entry in enumerate(officers, 1)), keys)


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


def _officer(path: Path, number: int, entry: object) -> Officer:
    def refuse(what: str) -> NoReturn:
        raise ConfigurationError(f"{path}: officer {number}: {what}")

    if not isinstance(entry, dict) or set(entry) - _FIELDS:
        refuse(f"has other fields than {', '.join(sorted(_FIELDS))}")
    person, name, roles = (entry.get(field) for field in ("person", "name", "roles"))
    if not (isinstance(person, str) and person and isinstance(name, str) and name):
        refuse(f"needs person and name: {_MAKE_ONE}")
    found = key_of(entry.get("key"))
    if found is None:
        refuse(f"key is {PREFIX} and the base64 of {KEY_BYTES} bytes: {_MAKE_ONE}")
    if not isinstance(roles, list) or not roles or not set(roles) <= set(Role):
        refuse(f"roles is a list of {', '.join(Role)}, at least one")
    sensors = entry.get("sensors", [])
    if not isinstance(sensors, list) or not all(isinstance(sensor, str) for sensor in sensors):
        refuse('sensors is a list of names, for example ["edge-1"]')
    until_ms = 0
    if "until" in entry:
        until = end_of(entry["until"])
        if until is None:
            refuse("until is the last day of the key, or a time, for example 2027-12-31, without quotes")
        until_ms = until
    return Officer(person, name, found, frozenset(Role(role) for role in roles), frozenset(sensors), until_ms)
