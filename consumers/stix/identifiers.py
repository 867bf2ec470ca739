"""Ids and times of STIX objects. They follow from the content alone, so that every copy of a picture makes the same.

An object of STIX has one creator, and only it may make new versions (STIX 2.1, section 3.6.2). So the same value has an
object for each nation that reports it. Its id is not the exchange's id of the indicator, which all nations share and
which is among the object's external references.
"""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:kakehashi:stix:v1")
CREATED_MS: Final = 1_767_225_600_000
"""2026-01-01: `created` of every object. It must never change (STIX 2.1, section 3.2), and what is known of an
indicator's beginning does, when an older sighting is reported."""
LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999: RFC 3339 has no later one."""
_DAY_MS: Final = 86_400_000
_KIND_BITS: Final = (0xF << 76) | (0b11 << 62)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def identifier(kind: str, *parts: str) -> str:
    """``kind--UUID``, a UUIDv5 of these parts."""
    return f"{kind}--{uuid.uuid5(NAMESPACE, '|'.join((kind, *parts)))}"


@lru_cache(maxsize=256)
def _mask(*parts: str) -> int:
    """The bits in which ids of objects differ from the exchange's: all but those that make a UUID a UUIDv5."""
    return uuid.uuid5(NAMESPACE, "|".join(parts)).int & ~_KIND_BITS


def _masked(number: str, *parts: str) -> uuid.UUID:
    return uuid.UUID(int=uuid.UUID(number).int ^ _mask(*parts))


def indicator_object_id(origin: str, indicator: str) -> str:
    """The id of a nation's STIX object; ``indicator`` is the exchange's id, which is the same for all nations."""
    return f"indicator--{_masked(indicator.removeprefix('indicator--'), 'indicator', origin)}"


def sighting_object_id(origin: str, indicator: str, nation: str = "") -> str:
    """The id of the sighting of it: by its origin, or that of a nation which has searched for it and not seen it."""
    return f"sighting--{_masked(indicator.removeprefix('indicator--'), 'sighting', origin, nation)}"


def indicators_of_object_id(origin: str, object_id: str, nations: Iterable[str] = ()) -> list[str]:
    """The exchange's ids of the indicators of which this may be a nation's object: itself, or a sighting of it by its
    origin or by one of these nations. Empty if it has no such form."""
    kind, _, number = object_id.partition("--")
    masks: dict[str, list[tuple[str, ...]]] = {
        "indicator": [("indicator", origin)],
        "sighting": [("sighting", origin, nation) for nation in ("", *nations)],
    }
    try:
        return [f"indicator--{_masked(number, *mask)}" for mask in masks.get(kind, [])]
    except ValueError:
        return []


@cache
def identity_id(nation: str) -> str:
    """The id of a nation's identity."""
    return identifier("identity", nation)


def timestamp(at_ms: int) -> str:
    """RFC 3339 with milliseconds, within the years that it has. Dates are remembered: an object has five times."""
    day, rest = divmod(min(max(at_ms, 0), LAST_MS), _DAY_MS)
    seconds, ms = divmod(rest, 1_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date(day)}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def modified_ms(version: int) -> int:
    """`modified` of an indicator's version: versions are times and grow, so it does."""
    return max(version, CREATED_MS)


def milliseconds(text: str) -> int:
    """The time of ``timestamp``. Raises ValueError if it is invalid."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
