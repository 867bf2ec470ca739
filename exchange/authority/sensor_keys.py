"""The keys by which a nation's sensors are known: whose signature on a report counts, and from when on each must have
one (docs/adr/0043, docs/adr/0064)."""

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from exchange.authority.fields import PREFIX, begin_of, end_of, key_of, key_text, time_text
from exchange.errors import ConfigurationError
from schemas.signing import KEY_BYTES, key_id

_FIELDS: Final = frozenset({"sensor", "key", "from", "until", "revoked"})


class KeyState(enum.StrEnum):
    """Whether a key's signatures count at a time."""

    VALID = "valid"
    NOT_YET = "not-yet"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class SensorKey:
    """One key of one sensor. It is valid from ``from_ms`` on, and before ``until_ms`` and ``revoked_ms``; 0: neither.

    ``revoked_ms`` is the time since which someone else may have signed with it.
    """

    sensor: str
    key: bytes
    from_ms: int = 0
    until_ms: int = 0
    revoked_ms: int = 0

    @property
    def key_id(self) -> str:
        """The key's name in a signature."""
        return key_id(self.key)

    @property
    def revoked_since(self) -> str:
        """The time of its revocation as the roster spells it."""
        return time_text(self.revoked_ms)

    def standing(self, at_ms: int) -> KeyState:
        """Whether its signatures count at this time; a revocation is stated before an end."""
        if self.revoked_ms and at_ms >= self.revoked_ms:
            return KeyState.REVOKED
        if at_ms < self.from_ms:
            return KeyState.NOT_YET
        return KeyState.ENDED if self.until_ms and at_ms >= self.until_ms else KeyState.VALID


@dataclass(frozen=True, slots=True)
class SensorKeys:
    """The keys of a nation's sensors by name. From ``required_from_ms`` on every report must be signed; 0 never."""

    by_sensor: Mapping[str, tuple[SensorKey, ...]] = field(default_factory=dict)
    required_from_ms: int = 0

    @classmethod
    def of(cls, keys: Iterable[SensorKey], required_from_ms: int = 0) -> "SensorKeys":
        """These keys. Raises ConfigurationError if a key is there twice: one sensor could report as the other, or an
        entry without a revocation could hide one that has it."""
        by_sensor: dict[str, tuple[SensorKey, ...]] = {}
        owners: dict[bytes, str] = {}
        for each in keys:
            owner = owners.setdefault(each.key, each.sensor)
            if owner != each.sensor:
                raise ConfigurationError(f"the sensors {owner} and {each.sensor} have the same key: make one for each")
            if any(other.key == each.key for other in by_sensor.get(each.sensor, ())):
                raise ConfigurationError(f"the key {each.key_id} of {each.sensor} has two entries: keep one of them")
            by_sensor[each.sensor] = (*by_sensor.get(each.sensor, ()), each)
        return cls(by_sensor, required_from_ms)

    def find(self, sensor: str, key: str) -> SensorKey | None:
        """The key of this sensor with this name; None if it has no such key."""
        return next((each for each in self.by_sensor.get(sensor, ()) if each.key_id == key), None)

    def must_sign(self, sensor: str, at_ms: int) -> bool:
        """Whether a report of this sensor must be signed at this time: it has had a key, or all must be signed.

        A key that has ended or is revoked still obliges: otherwise its end would let anyone report as the sensor.
        """
        if self.required_from_ms and at_ms >= self.required_from_ms:
            return True
        return any(each.from_ms <= at_ms for each in self.by_sensor.get(sensor, ()))


def sensor_entry(key: SensorKey) -> str:
    """The roster's entry of a sensor's key, as ``read_sensor`` reads it. A time that is 0 is left out."""
    lines = [f"sensor = {json.dumps(key.sensor, ensure_ascii=False)}", f'key = "{key_text(key.key)}"']
    times = (("from", key.from_ms), ("until", key.until_ms), ("revoked", key.revoked_ms))
    return "\n".join(["[[sensor]]", *lines, *(f"{name} = {time_text(at_ms)}" for name, at_ms in times if at_ms)]) + "\n"


def read_sensor(path: Path, number: int, entry: object) -> SensorKey:
    """An entry of the roster in ``path``. Raises ConfigurationError naming it, and what to change."""

    def refuse(what: str) -> NoReturn:
        raise ConfigurationError(f"{path}: sensor {number}: {what}")

    if not isinstance(entry, dict) or set(entry) - _FIELDS:
        refuse(f"has other fields than {', '.join(sorted(_FIELDS))}")
    sensor, key = entry.get("sensor"), key_of(entry.get("key"))
    if not isinstance(sensor, str) or not sensor:
        refuse('sensor is its name, for example "edge-1"')
    if key is None:
        refuse(
            f"key is {PREFIX} and the base64 of {KEY_BYTES} bytes: `kakehashi sensor keygen --sensor SENSOR "
            "--out FILE` prints an entry"
        )
    begin = begin_of(entry["from"]) if "from" in entry else 0
    end = end_of(entry["until"]) if "until" in entry else 0
    revoked = begin_of(entry["revoked"]) if "revoked" in entry else 0
    if begin is None or end is None or revoked is None:
        refuse(
            "from, until and revoked are days or times, for example 2027-12-31 or 2027-12-31T08:30:00Z, without quotes"
        )
    if end and end <= begin:
        refuse("its key ends before it begins: correct from or until")
    return SensorKey(sensor, key, begin, end, revoked)
