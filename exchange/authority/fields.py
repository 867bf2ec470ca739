"""Fields of a roster's entries: public keys, and days on which something begins or ends."""

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
    """The public key that a roster spells so; None if it is none."""
    if not isinstance(text, str) or not text.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def begin_of(day: object) -> int | None:
    """When a day begins, in milliseconds since 1970 UTC; None if it is not a date of TOML."""
    if not isinstance(day, date) or isinstance(day, datetime):
        return None
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)


def end_of(day: object) -> int | None:
    """When a day has ended; None if it is not a date of TOML."""
    begin = begin_of(day)
    return None if begin is None else begin + int(timedelta(days=1).total_seconds() * 1000)
