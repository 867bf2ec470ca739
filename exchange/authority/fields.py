"""Fields of a roster's entries: public keys, and the times at which something begins or ends."""

import base64
import binascii
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from schemas.signing import KEY_BYTES

PREFIX: Final = "ed25519:"


def key_text(key: bytes) -> str:
    """A public key as the roster spells it: ``ed25519:`` and base64."""
    return PREFIX + base64.b64encode(key).decode("ascii")


def key_of(text: object) -> bytes | None:
    """The public key in this text of a roster; None if it is invalid."""
    if not isinstance(text, str) or not text.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def begin_of(value: object) -> int | None:
    """When a day begins, or a time itself, in milliseconds since 1970 UTC; None if it is neither a date nor a date-time
    with an offset of TOML 1.0."""
    if isinstance(value, datetime):
        return None if value.tzinfo is None else int(value.timestamp() * 1000)
    if not isinstance(value, date):
        return None
    return int(datetime.combine(value, time(), UTC).timestamp() * 1000)


def end_of(value: object) -> int | None:
    """When a day has ended, or a time itself; None as ``begin_of``."""
    begin = begin_of(value)
    if begin is None or isinstance(value, datetime):
        return begin
    return begin + int(timedelta(days=1).total_seconds() * 1000)


def time_text(at_ms: int) -> str:
    """A time as the roster spells it: a date-time of TOML in UTC, exact to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
