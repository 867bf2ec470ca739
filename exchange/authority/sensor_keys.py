"""The keys by which a nation's sensors are known: whose signature on a report counts, and from when on each must have
one (docs/adr/0043)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, NoReturn

from exchange.authority.fields import PREFIX, begin_of, end_of, key_of, key_text
from exchange.errors import ConfigurationError
from schemas.signing import KEY_BYTES, key_id

_FIELDS: Final = frozenset({"sensor", "key", "from", "until"})


@dataclass(frozen=True, slots=True)
class SensorKey:
    """One key of one sensor. It counts from ``from_ms`` on, and before ``until_ms``; 0: it does not end."""

    sensor: str
    key: bytes
    from_ms: int = 0
    until_ms: int = 0

    @property
    def key_id(self) -> str:
        """The key's name in a signature."""
        return key_id(self.key)

    def counts(self, at_ms: int) -> bool:
        """Whether its signatures count at this time."""
        return self.from_ms <= at_ms and (self.until_ms == 0 or at_ms < self.until_ms)


@dataclass(frozen=True, slots=True)
class SensorKeys:
    """The keys of a nation's sensors by name. From ``required_from_ms`` on every report must be signed; 0 never."""

    by_sensor: Mapping[str, tuple[SensorKey, ...]] = field(default_factory=dict)
    required_from_ms: int = 0

    @classmethod
    def of(cls, keys: Iterable[SensorKey], required_from_ms: int = 0) -> "SensorKeys":
        """These keys. Raises ConfigurationError if two sensors have the same key: one could report as the other."""
        by_sensor: dict[str, tuple[SensorKey, ...]] = {}
        owners: dict[bytes, str] = {}
        for each in keys:
            if owners.setdefault(each.key, each.sensor) != each.sensor:
                raise ConfigurationError(
                    f"the sensors {owners[each.key]} and {each.sensor} have the same key: make one for each"
                )
            by_sensor[each.sensor] = (*by_sensor.get(each.sensor, ()), each)
        return cls(by_sensor, required_from_ms)

    def find(self, sensor: str, key: str) -> SensorKey | None:
        """The key of this sensor with this name; None if it has no such key."""
        return next((each for each in self.by_sensor.get(sensor, ()) if each.key_id == key), None)

    def must_sign(self, sensor: str, at_ms: int) -> bool:
        """Whether a report of this sensor must be signed at this time: it has had a key, or all must be signed.

        A key that has ended still obliges: otherwise its end would let anyone report as the sensor.
        """
        if self.required_from_ms and at_ms >= self.required_from_ms:
            return True
        return any(each.from_ms <= at_ms for each in self.by_sensor.get(sensor, ()))


def sensor_entry(sensor: str, key: bytes, since: date | None = None) -> str:
    """The roster's entry of a sensor's key, as ``read_sensor`` reads it. Without ``since`` it counts at any time."""
    lines = ["[[sensor]]", f"sensor = {json.dumps(sensor, ensure_ascii=False)}", f'key = "{key_text(key)}"']
    return "\n".join([*lines, *([] if since is None else [f"from = {since.isoformat()}"])]) + "\n"


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
        refuse(f"key is {PREFIX} and the base64 of {KEY_BYTES} bytes: `kakehashi sensor keygen` prints an entry")
    begin = begin_of(entry["from"]) if "from" in entry else 0
    end = end_of(entry["until"]) if "until" in entry else 0
    if begin is None or end is None:
        refuse("from and until are the first and the last day of the key, for example 2027-12-31, without quotes")
    if end and end <= begin:
        refuse("its key ends before it begins: correct from or until")
    return SensorKey(sensor, key, begin, end)
