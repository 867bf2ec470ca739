"""Times as sources write them, in milliseconds since 1970, UTC."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAP_SECOND: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:59:)60(.*)", re.DOTALL)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(text: str, date_format: str = "", zone: tzinfo = UTC) -> int | None:
    """The moment that ``text`` names; ``None`` if it names none.

    ISO 8601 (RFC 3339 and its looser kin), or ``date_format`` in the words of ``strptime`` if one is given. A
    time without a zone is taken to be in ``zone``. Whether the moment is plausible is not judged here.
    """
    text = text.strip()
    leap = _LEAP_SECOND.match(text) if ":59:60" in text else None
    if leap is not None:  # RFC 3339, section 5.6; the calendar of Python has none
        before = milliseconds(f"{leap[1]}59{leap[2]}", date_format, zone)
        return None if before is None else before + 1000
    try:
        if date_format:
            moment = datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone is given below if it is missing
        else:
            moment = datetime.fromisoformat(text.removesuffix(" UTC").upper())  # RFC 3339 allows "t" and "z"
        return ((moment if moment.tzinfo else moment.replace(tzinfo=zone)) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None


def seconds(text: str) -> int | None:
    """Whole seconds since 1970, as MISP writes its timestamps, in milliseconds; ``None`` for anything else."""
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) <= 15 else None
