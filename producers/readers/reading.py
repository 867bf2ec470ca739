"""The result of reading one piece of an input: an observation, a refusal, or a piece left out by a named rule.

Nothing in an input is dropped without one of the three, and nothing in it makes a reader raise.
"""

from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from typing import Final

import msgspec

from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import RejectReason

KEPT_BYTES: Final = 1 << 20
"""An original up to this size goes to quarantine whole; of a larger one its digest, size and excerpt are kept."""
EXCERPT_CHARACTERS: Final = 200


class Defaults(msgspec.Struct, frozen=True):
    """The operator's options for a sensor's inputs. They apply if the input itself states nothing.

    Markings are the exception: the stricter of the two applies (``producers.readers.source_marking``).
    ``columns`` names the columns of a CSV list without a header; ``date_format`` is ``strptime``'s, for times
    that are not ISO 8601; ``home_networks`` are our own networks in addition to the private ones.
    """

    marking: SourceMarking = SourceMarking()
    confidence: int = -1
    labels: tuple[str, ...] = ()
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    date_format: str = ""
    home_networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One observation and its position in the input."""

    place: SourcePlace
    observation: Observation


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A piece of input that cannot be read, and the reason. A bad line never stops the rest.

    ``place.line`` is 0 if the whole input is meant. ``original`` is ``None`` if it is too large to keep; then
    ``size``, ``digest`` (SHA-256) and ``excerpt`` describe it.
    """

    place: SourcePlace
    reason: RejectReason
    detail: str
    original: bytes | None
    size: int
    digest: bytes
    excerpt: str = ""


class LeftOut(msgspec.Struct, frozen=True, gc=False):
    """A piece of input that was understood and is not an indicator by a rule of its format.

    ``rule`` is one of the reader's ``leaves_out``; ``detail`` is for people and may be empty.
    """

    place: SourcePlace
    rule: str
    detail: str = ""


Reading = Seen | Rejected | LeftOut


def rejected(place: SourcePlace, reason: RejectReason, detail: str, original: bytes) -> Rejected:
    """The refusal of a piece of input that is in memory."""
    digest = sha256(original).digest()
    if len(original) <= KEPT_BYTES:
        return Rejected(place, reason, detail, original, len(original), digest)
    return Rejected(place, reason, detail, None, len(original), digest, excerpt_of(original))


def excerpt_of(beginning: bytes) -> str:
    """The first characters of a piece that is too large to keep, in any encoding."""
    return beginning[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "backslashreplace")[:EXCERPT_CHARACTERS]
