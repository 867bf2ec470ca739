"""Obligations: changes to the content before it may be released, as values and pure functions.

Context, description and the source's name need no obligation: the released type has no field for them.
A rule names its obligations in the annotation ``@obligations("coarsen-time:hour, expire-after-days:90")``.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final

import msgspec

from schemas.markings import Pap
from schemas.records import Content

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_UNITS: Final = {"hour": _HOUR_MS, "day": _DAY_MS}
_FLOORS: Final = {pap.name: pap for pap in Pap if pap is not Pap.UNSTATED}
_PAP_BY_LABEL: Final = {pap.label: pap for pap in Pap}


class CoarsenTime(msgspec.Struct, frozen=True, tag=True):
    """First and last seen are rounded down to the hour or day, and the end of validity up: the minute could identify
    the sensor, and the end is the time of its report plus a known lifetime."""

    unit: str

    def __str__(self) -> str:
        return f"coarsen-time:{self.unit}"


class ExpireAfterDays(msgspec.Struct, frozen=True, tag=True):
    """The release ends this many days after it is made, rounded up to a whole day (UTC)."""

    days: int

    def __str__(self) -> str:
        return f"expire-after-days:{self.days}"


class PapAtLeast(msgspec.Struct, frozen=True, tag=True):
    """PAP is raised to this label if it is unstated or more open."""

    floor: Pap

    def __str__(self) -> str:
        return f"pap-at-least:{self.floor.name}"


class NameOnlyPartner(msgspec.Struct, frozen=True, tag=True):
    """The partner is named as the only recipient, even if the source named others."""

    def __str__(self) -> str:
        return "name-only-partner"


class DropTearline(msgspec.Struct, frozen=True, tag=True):
    """The tearline is removed."""

    def __str__(self) -> str:
        return "drop-tearline"


Obligation = CoarsenTime | ExpireAfterDays | PapAtLeast | NameOnlyPartner | DropTearline


def parse(text: str) -> tuple[Obligation, ...]:
    """Read an ``@obligations`` annotation: names separated by commas.

    Raises ``ValueError`` for an unknown obligation, a value out of range, and two that contradict each other.
    """
    found: dict[type[Obligation], Obligation] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        obligation = _parse_one(word)
        other = found.setdefault(type(obligation), obligation)
        if other != obligation:
            raise ValueError(f"obligations contradict each other: {other} and {obligation}")
    return tuple(sorted(found.values(), key=str))


@cache
def _parse_one(word: str) -> Obligation:
    name, _, value = word.partition(":")
    if name == "coarsen-time" and value in _UNITS:
        return CoarsenTime(value)
    if name == "expire-after-days" and value.isascii() and value.isdigit() and 1 <= int(value) <= 3650:
        return ExpireAfterDays(int(value))
    if name == "pap-at-least" and value in _FLOORS:
        return PapAtLeast(_FLOORS[value])
    if word == "name-only-partner":
        return NameOnlyPartner()
    if word == "drop-tearline":
        return DropTearline()
    raise ValueError(
        f"unknown obligation {word!r}; known are coarsen-time:hour|day, expire-after-days:1..3650, "
        f"pap-at-least:{'|'.join(_FLOORS)}, name-only-partner, drop-tearline"
    )


def strictest(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """One obligation of each kind, the strictest of several, so that all rules are satisfied."""
    kept: dict[type[Obligation], Obligation] = {}
    for obligation in obligations:
        other = kept.get(type(obligation))
        if other is None or _strictness(obligation) > _strictness(other):
            kept[type(obligation)] = obligation
    return tuple(sorted(kept.values(), key=str))


def at_least(owed: Obligation, wanted: Obligation) -> bool:
    """Whether ``owed`` is of the same kind as ``wanted``, and as strict or stricter."""
    return type(owed) is type(wanted) and _strictness(owed) >= _strictness(wanted)


class Owed(msgspec.Struct, frozen=True):
    """The strictest obligation of each kind: what is owed, by kind."""

    step_ms: int = 0
    days: int = 0
    floor: Pap = Pap.UNSTATED
    only_partner: bool = False
    no_tearline: bool = False

    def coarsened(self, first_seen_ms: int, last_seen_ms: int, valid_until_ms: int) -> tuple[int, int, int]:
        """These times as they may be released."""
        step = self.step_ms
        if not step:
            return first_seen_ms, last_seen_ms, valid_until_ms
        return (
            first_seen_ms - first_seen_ms % step,
            last_seen_ms - last_seen_ms % step,
            valid_until_ms + -valid_until_ms % step,
        )


@lru_cache(maxsize=1024)
def owed_by(words: tuple[str, ...]) -> Owed:
    """What these obligations of a decision demand. They are few and repeat with each release, so they are read once.

    Raises ``ValueError`` for an unknown obligation: it cannot be carried out, so nothing is released.
    """
    owed: dict[str, Any] = {}
    for obligation in strictest(_parse_one(word) for word in words):
        match obligation:
            case CoarsenTime(unit):
                owed["step_ms"] = _UNITS[unit]
            case ExpireAfterDays(days):
                owed["days"] = days
            case PapAtLeast(floor):
                owed["floor"] = floor
            case NameOnlyPartner():
                owed["only_partner"] = True
            case DropTearline():
                owed["no_tearline"] = True
    return Owed(**owed)


def _strictness(obligation: Obligation) -> int:
    match obligation:
        case CoarsenTime(unit):
            return _UNITS[unit]
        case ExpireAfterDays(days):
            return -days
        case PapAtLeast(floor):
            return floor
        case NameOnlyPartner() | DropTearline():
            return 0


def whole_day(at_ms: int) -> int:
    """The end of the day (UTC), or the time itself if it is one."""
    return -(-at_ms // _DAY_MS) * _DAY_MS


def carry_out(content: Content, obligations: Iterable[str], *, partner: str, released_at_ms: int) -> Content:
    """The content as it may be released, all ``obligations`` of the decision carried out. Order does not matter.

    ``released_at_ms`` is the shard time of the release in milliseconds since 1970 UTC: expiry counts from it. A
    caller that keeps a released version because nothing else in it changed keeps its expiry with it.
    Raises ``ValueError`` for an unknown obligation: it cannot be carried out, so nothing is released.
    """
    result, owed = content.copy(), owed_by(tuple(obligations))
    times = result["first_seen_ms"], result["last_seen_ms"], result["valid_until_ms"]
    result["first_seen_ms"], result["last_seen_ms"], result["valid_until_ms"] = owed.coarsened(*times)
    if owed.days:
        ends = whole_day(released_at_ms) + owed.days * _DAY_MS
        earlier = result["release_expires_ms"]
        result["release_expires_ms"] = min(earlier, ends) if earlier else ends
    if owed.floor:
        result["pap"] = max(_PAP_BY_LABEL[result["pap"]], owed.floor).label
    if owed.only_partner:
        result["releasable_to"] = [partner]
    if owed.no_tearline:
        result.pop("tearline", None)
    return result
