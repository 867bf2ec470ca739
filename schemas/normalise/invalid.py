"""The answer to a value that is no indicator, and the limits on a value's length. Nothing else."""

from typing import Final

import msgspec

from schemas.vocabulary import IndicatorType, RejectReason

MAX_RAW_LENGTH: Final = 8192
"""Characters of a value as it arrives. Looked at before anything else is done with it."""
MAX_VALUE_LENGTH: Final = 2048
"""Characters of a canonical value."""


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """Why a value is refused, in words for whoever runs the sensor. Never contains the whole value."""

    reason: RejectReason
    detail: str


Canonical = tuple[IndicatorType, str]


def refused(detail: str) -> Invalid:
    """An impossible value."""
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
