"""Facts read from a feed, as values: the input of the standard's checks.

``kakehashi.conformance`` makes them from inputs, with the readers and intake's laws, and from a sensor's published
reports.
"""

import enum

import msgspec

from producers.conformance.profile import Bounds
from schemas.markings import Marking
from schemas.vocabulary import IndicatorType, RejectReason


class FactPlace(msgspec.Struct, frozen=True, gc=False):
    """A position: the line of a file; or the offset in a partition, and the observation of the report from 0."""

    where: str
    at: int
    index: int = -1


def of_partition(number: int) -> str:
    """The ``where`` of places in a partition."""
    return f"partition {number}"


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One observation or withdrawal. ``at_ms`` is when it was published, or of an input when it was read.

    ``kind`` is None for an unknown code. ``key`` is that of its indicator, empty if the value is invalid. ``refused``
    is why intake does not take it. ``tlp`` is the label as its source wrote it. Times of 0 are not stated.
    ``is_redriven``: it was refused before, and an officer has sent it again. ``has_odd_code``: its withdrawal code
    is in no contract, so it is unknown whether it is a withdrawal.
    """

    place: FactPlace
    kind: IndicatorType | None
    value: str
    key: bytes
    is_canonical: bool
    refused: RejectReason | None
    marking: Marking
    tlp: str
    first_seen_ms: int
    last_seen_ms: int
    valid_until_ms: int
    confidence: int
    labels: int
    is_withdrawal: bool
    at_ms: int
    is_redriven: bool = False
    has_odd_code: bool = False


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A piece that could not be read: what it states is unknown. ``is_listed``: it is of the list (``Listed``)."""

    place: FactPlace
    reason: RejectReason
    is_whole: bool = False
    is_listed: bool = False


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A piece that a named rule of its format leaves out."""

    place: FactPlace
    rule: str


class Ended(msgspec.Struct, frozen=True, gc=False):
    """An input was read to its end; ``is_damaged`` if a part of it could not be."""

    place: FactPlace
    is_damaged: bool


class Signature(enum.StrEnum):
    """How a report is signed."""

    VALID = "valid"
    MISSING = "missing"
    UNKNOWN_KEY = "unknown-key"
    REVOKED_KEY = "revoked-key"
    INVALID = "invalid"
    NO_ROSTER_KEY = "no-roster-key"


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One report as it was published. ``key`` is its record's; ``digest`` the SHA-256 of its value."""

    place: FactPlace
    key: str
    nation: str
    sensor: str
    epoch: int
    sequence: int
    built_ms: int
    published_ms: int
    digest: bytes
    signature: Signature


class Span(msgspec.Struct, frozen=True, gc=False):
    """The part of a partition that was read: ``begin`` up to but not including ``end``."""

    partition: int
    begin: int
    end: int


class Listed(msgspec.Struct, frozen=True, gc=False):
    """An assertion of the source's current list, with which the published reports are compared."""

    place: FactPlace
    key: bytes


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A topic's settings: ``retention_ms`` of -1 is until it is truncated; ``is_broker_time``: not the sensors'."""

    topic: str
    retention_ms: int
    is_broker_time: bool


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """An entry of quarantine. ``is_open`` until it was corrected and accepted."""

    key: str
    reason: str
    at_ms: int
    is_open: bool


Fact = Statement | Unread | Skipped | Ended | Sent | Span | Listed | Kept | Refusal


class Question(msgspec.Struct, frozen=True):
    """The parameters of the checks. ``aware_ms`` is when the operator became aware of an incident; 0 for none.

    ``types`` are those of which an incident's indicators include one.
    """

    nation: str
    sensor: str
    now_ms: int
    aware_ms: int
    bounds: Bounds
    types: frozenset[IndicatorType]
