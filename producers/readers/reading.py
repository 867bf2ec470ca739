"""The result of reading one piece of an input: an observation, a refusal, or a piece left out by a named rule.

Nothing in an input is dropped without one of the three, and nothing in it makes a reader raise.
"""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from typing import Final

import msgspec

from producers.markings.marked import NOTHING, Marked
from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal

KEPT_BYTES: Final = 1 << 20
"""An original up to this size goes to quarantine whole; of a larger one its digest, size and excerpt are kept."""
EXCERPT_CHARACTERS: Final = 200


class Defaults(msgspec.Struct, frozen=True):
    """The operator's options for a sensor's inputs. They apply if the input itself states nothing.

    Markings are the exception: the stricter of the two applies (``producers.markings``).
    ``columns`` names the columns of a CSV list without a header; ``date_format`` is ``strptime``'s, for times
    that are not ISO 8601; ``home_networks`` are our own networks in addition to the private ones. ``include`` are rules
    of readers whose pieces are taken nevertheless (``Reader.on_request``); ``reviewed`` are the canonical values that a
    person has agreed to, of formats that need it.

    ``mapping`` names the field of columns of a CSV list whose header has other names (``csv_columns``);
    ``time_zone`` is that of times without one. ``types`` are those that are taken, all if it is empty;
    ``confidence_ceiling`` is the most that a source's confidence counts, and ``around`` is what the input's transport
    states about all of it (``limits``). ``parties`` are the nations of this exchange.
    """

    marking: SourceMarking = SourceMarking()
    confidence: int = -1
    labels: tuple[str, ...] = ()
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()
    date_format: str = ""
    home_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    include: frozenset[str] = frozenset()
    reviewed: frozenset[str] | None = None
    mapping: Mapping[str, str] = {}
    time_zone: tzinfo = UTC
    types: frozenset[IndicatorType] = frozenset()
    confidence_ceiling: int = 100
    around: Marked = NOTHING
    parties: frozenset[str] = frozenset()


class Group(msgspec.Struct, frozen=True, gc=False):
    """Objects that a source publishes as one, such as a MISP event.

    ``modified_ms`` is the source's own time of this version of it, milliseconds since 1970, UTC; 0 if it states none.
    """

    name: str
    modified_ms: int


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One observation and its position in the input."""

    place: SourcePlace
    observation: Observation
    marking_from: tuple[str, ...] = ()
    """The places in the source that its marking was read from, for people: ``event tag "tlp:red"``."""
    object_id: str = ""
    """The source's own id of the object (STIX id, MISP attribute UUID); empty if it has none."""
    modified_ms: int = 0
    """The source's own time of this version of the object, milliseconds since 1970, UTC; 0 if it states none."""
    group: Group | None = None
    """The group that the object is part of."""


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
    kind: str = ""
    """The kind of indicator that the exchange has no type for, if that is the reason (``not_carried``)."""


class LeftOut(msgspec.Struct, frozen=True, gc=False):
    """A piece of input that was understood and is not an indicator by a rule of its format.

    ``rule`` is one of the reader's ``leaves_out``; ``detail`` is for people and may be empty.
    """

    place: SourcePlace
    rule: str
    detail: str = ""


class Withdrawn(LeftOut, frozen=True, gc=False, kw_only=True):
    """A value that its source does not assert any more: nothing is asserted, and an earlier assertion ends.

    One reading for each value of the object, in the object's place. The assertion that ends is that of ``object_id``
    alone: another object of the same source may assert the same value still. ``modified_ms`` orders the versions of an
    object, in whatever order they arrive: a version that is older than the last one known changes nothing; of two of
    the same time the withdrawal holds. If the source states no time (0), the order of arrival decides.

    A ``valid_until`` that has passed is no ``Withdrawn``: readers have no clock. The observation carries its end.
    """

    kind: IndicatorType
    value: str
    withdrawal: Withdrawal
    object_id: str
    modified_ms: int
    implied: bool = False
    """The source does not take it back expressly: it ends only what the object is known to have asserted."""
    group: Group | None = None


class Aside(msgspec.Struct, frozen=True, gc=False):
    """An effect of the pieces before it on earlier assertions. It is no piece of the input itself."""

    place: SourcePlace


class Whole(Aside, frozen=True, gc=False):
    """The end of a group of which all objects were read: ``names`` are their ids.

    What an object of the group asserted that is not among them has been taken back.
    """

    group: Group
    names: frozenset[str]
    is_express: bool = False
    """The source states that the group has ended: it withdraws all of it, however much that is."""


class Emptied(Aside, frozen=True, gc=False):
    """A version of an object without a value that can be taken: what older versions of it asserted ends.

    The piece itself, which was refused or left out, is the reading before.
    """

    object_id: str
    modified_ms: int
    group: Group | None = None


Reading = Seen | Rejected | LeftOut | Whole | Emptied


def rejected(place: SourcePlace, reason: RejectReason, detail: str, original: bytes, kind: str = "") -> Rejected:
    """The refusal of a piece of input that is in memory."""
    digest = sha256(original).digest()
    if len(original) <= KEPT_BYTES:
        return Rejected(place, reason, detail, original, len(original), digest, "", kind)
    return Rejected(place, reason, detail, None, len(original), digest, excerpt_of(original), kind)


def excerpt_of(beginning: bytes) -> str:
    """The first characters of a piece that is too large to keep, in any encoding."""
    return beginning[: 4 * EXCERPT_CHARACTERS].decode("utf-8", "backslashreplace")[:EXCERPT_CHARACTERS]
