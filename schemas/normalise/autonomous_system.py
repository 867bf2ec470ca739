"""Autonomous system numbers, written ``AS64500`` (asplain, RFC 5396), 32 bits wide (RFC 6793).

Zero is refused: it stands for "no AS" (RFC 7607), in data as on the wire. Private and reserved numbers are
valid, as private addresses are.
"""

from typing import Final

from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.tidy import tidied_ascii
from schemas.vocabulary import IndicatorType

_MAX_DIGITS: Final = 10
_NOT_A_NUMBER: Final = refused("not an AS number: it looks like AS64500, 64500 or 1.10")
_OUT_OF_RANGE: Final = refused("an AS number is from 1 to 4294967295; in the form 1.10 both parts are up to 65535")


def canonical_as_number(value: str) -> Canonical | Invalid:
    """The number in decimal after ``AS``, from asplain, asdot or asdot+."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return text
    text = text.upper().removeprefix("AS").removeprefix("N").lstrip(" #:")
    high, dot, low = text.partition(".")
    if not (_is_decimal(high) and (not dot or _is_decimal(low))):
        return _NOT_A_NUMBER
    number = int(high)
    if dot:
        if number > 0xFFFF or int(low) > 0xFFFF:
            return _OUT_OF_RANGE
        number = number << 16 | int(low)
    if not 0 < number <= 0xFFFFFFFF:
        return _OUT_OF_RANGE
    return IndicatorType.AUTONOMOUS_SYSTEM, f"AS{number}"


def _is_decimal(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
