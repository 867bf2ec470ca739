"""Added times as text and back, and the position after a page.

An added time is ``added_us`` of the picture: unique in it, and later for every change. The text has all of its six
digits, so that what a client sends back is exactly what it was given.
"""

import base64
import binascii
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.taxii.refusal import bad_request

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_POSITION: Final = struct.Struct(">Q8s")


def text_of(at_us: int) -> str:
    """``2026-11-30T06:40:29.123456Z``."""
    return f"{_BEGIN + at_us * _US:%Y-%m-%dT%H:%M:%S.%f}Z"


def moment_of(text: str, name: str) -> int:
    """Microseconds since 1970 UTC of an RFC 3339 time. Digits after the sixth are cut.

    Raises a Refusal that names the parameter.
    """
    found = _RFC_3339.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        digits = (found[2] or ".0")[1:7].ljust(6, "0")
        at = datetime.fromisoformat(f"{found[1].upper()}.{digits}{found[3].upper().replace('Z', '+00:00')}")
        return (at - _BEGIN) // _US
    except (ValueError, OverflowError) as error:
        raise bad_request(f"{name}: a time by RFC 3339, for example 2026-11-30T06:40:29.123456Z") from error


def next_of(at_us: int, question: bytes) -> str:
    """The opaque ``next``: a position, and 8 bytes that name the question, without its limit."""
    return base64.urlsafe_b64encode(_POSITION.pack(at_us, question)).rstrip(b"=").decode()


def position_of(text: str, question: bytes) -> int:
    """The position of a ``next``. Raises a Refusal if it is invalid, or of another question."""
    try:
        at_us, of = _POSITION.unpack(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, struct.error) as error:
        raise bad_request("next: send it back as it was given, or leave it out") from error
    if of != question or next_of(at_us, of) != text:
        raise bad_request("next: belongs to another question: repeat the other parameters as they were")
    return int(at_us)
