"""The result for a value that is not an indicator, and the limits on a value's length."""

from typing import Final

import msgspec

from schemas.vocabulary import IndicatorType, RejectReason

MAX_RAW_LENGTH: Final = 8192
"""Characters of a value as it arrives. Checked before any other processing."""
MAX_VALUE_LENGTH: Final = 2048
"""Characters of a canonical value."""


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """Why a value is refused, as text for the sensor's operator. Never contains the whole value."""

    reason: RejectReason
    detail: str


Canonical = tuple[IndicatorType, str]


def refused(detail: str) -> Invalid:
    """An invalid value."""
    return Invalid(RejectReason.INVALID_VALUE, detail)


EMPTY: Final = refused("the value is empty, or nothing but spaces, quotes and punctuation")
TOO_LONG_RAW: Final = Invalid(
    RejectReason.VALUE_TOO_LONG,
    f"the value is longer than {MAX_RAW_LENGTH} characters: is one value per field or line being sent?",
)
TOO_LONG: Final = Invalid(
    RejectReason.VALUE_TOO_LONG, f"the canonical value is longer than {MAX_VALUE_LENGTH} characters"
)
NOT_UNICODE: Final = refused(
    "the value holds half a character (a lone surrogate): the file was read in the wrong encoding"
)
CONTROL_CHARACTER: Final = refused(
    "the value has a control character inside it (a line break, tab or NUL): are two values run together?"
)
