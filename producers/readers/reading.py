"""What a reader answers for each piece of its input: an observation, or why there is none.

A reader is a function from an open input and the sensor's defaults to an iterator of readings. It holds a bounded
amount of the input, and nothing in the input makes it raise.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from typing import Final

import msgspec

from producers.inputs import Input
from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import RejectReason

KEPT_BYTES: Final = 1 << 20
"""An original up to this size travels to quarantine whole; of a bigger one go digest, size and excerpt."""
EXCERPT_CHARACTERS: Final = 200


class Defaults(msgspec.Struct, frozen=True):
    """What the operator says about a sensor's inputs. It holds where the input itself says nothing.

    Markings are the exception: there the stricter of the two holds (``producers.readers.source_marking``).
    ``columns`` names the columns of a CSV list without a header; ``date_format`` is ``strptime``'s, for times
    that are not ISO 8601; ``home_networks`` are the addresses that are ours beside the private ones.
    """

    marking: SourceMarking = SourceMarking()
    confidence: int = -1
    labels: tuple[str, ...] = ()
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    date_format: str = ""
    home_networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One observation and where it stood."""

    place: SourcePlace
    observation: Observation


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A piece of input that is no observation, and why. A bad line never stops the rest.

    ``place.line`` is 0 where the whole input is meant. ``original`` is ``None`` where it is too big to keep;
    ``size``, ``digest`` (SHA-256) and ``excerpt`` then say what it was.
    """

    place: SourcePlace
    reason: RejectReason
    detail: str
    original: bytes | None
    size: int
    digest: bytes
    excerpt: str = ""


Reading = Seen | Rejected
Reader = Callable[[Input, Defaults], Iterator[Reading]]


def rejected(place: SourcePlace, reason: RejectReason, detail: str, original: bytes) -> Rejected:
    """The refusal of a piece of input that is at hand."""
    digest = sha256(original).digest()
    if len(original) <= KEPT_BYTES:
        return Rejected(place, reason, detail, original, len(original), digest)
    return Rejected(place, reason, detail, None, len(original), digest, excerpt_of(original))


def excerpt_of(beginning: bytes) -> str:
    """The first characters of something that is too big to keep, whatever its encoding."""
    return beginning[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "backslashreplace")[:EXCERPT_CHARACTERS]
