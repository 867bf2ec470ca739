"""What the builders share: a time, two nations, an indicator, and how a valid record is changed by name."""

from typing import Any, Final, TypeVar, cast

from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import IndicatorType

NOW_MS: Final = 1_795_392_000_000  # 2026-11-23T00:00:00Z
HOUR_MS: Final = 60 * 60 * 1000
DAY_MS: Final = 24 * HOUR_MS
HOME: Final = "GBR"
PARTNER: Final = "JPN"
DOMAIN: Final = "c2.example.com"

_Record = TypeVar("_Record")


def changed(record: _Record, changes: dict[str, Any], optional: str = "") -> _Record:
    """The record with these fields changed. TypeError for a field that it does not have, unless it is ``optional``."""
    fields = cast("dict[str, Any]", record)
    unknown = changes.keys() - fields.keys() - {optional}
    if unknown:
        raise TypeError(f"no such field: {', '.join(sorted(unknown))}")
    return cast("_Record", fields | changes)


def an_id(kind: IndicatorType = IndicatorType.DOMAIN_NAME, value: str = DOMAIN) -> str:
    """The id of a canonical value."""
    return indicator_id(indicator_key(kind, value))
