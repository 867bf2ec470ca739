"""One canonical value per indicator; defanged input is accepted. Pure: no network, no clock, no state.

Whether a value is benign, private or reserved is not decided here: such values are valid.
"""

from schemas.normalise.canonical import canonical, normalise
from schemas.normalise.detect import detect
from schemas.normalise.invalid import MAX_RAW_LENGTH, MAX_VALUE_LENGTH, Canonical, Invalid

__all__ = ["MAX_RAW_LENGTH", "MAX_VALUE_LENGTH", "Canonical", "Invalid", "canonical", "detect", "normalise"]
