"""The labels that metrics share, and the closed sets of values that only metrics know.

The contract's own sets (reasons, outcomes, kinds of record) are in ``schemas.vocabulary``.
"""

import enum
from typing import Final

from exchange.metrics.kinds import OTHER, bounded


class ReportFate(enum.StrEnum):
    """The fate of a sensor's report."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REDRIVEN = "redriven"
    QUARANTINED = "quarantined"


class SignatureFate(enum.StrEnum):
    """Who vouches for a report."""

    SENSOR = "sensor"
    OFFICER = "officer"  # it was redriven
    UNSIGNED = "unsigned"  # the roster has no key of its sensor
    REFUSED = "refused"  # it must be signed, and is not, or not validly


class ObservationFate(enum.StrEnum):
    """The fate of one observation of an accepted report."""

    VALID = "valid"
    QUARANTINED = "quarantined"


class HitFate(enum.StrEnum):
    """What became of a tool's hit on a delivered indicator."""

    SIGHTED = "sighted"
    NOT_EXCHANGED = "not_exchanged"
    ENDED = "ended"
    OTHER_ORIGIN = "other_origin"
    NO_VALUE = "no_value"


class GapChange(enum.StrEnum):
    """How the set of missing sequences of a sensor changed."""

    OPENED = "opened"
    FILLED = "filled"
    GIVEN_UP = "given_up"


class IndicatorChange(enum.StrEnum):
    """How a batch changed a national record."""

    NEW = "new"
    CHANGED = "changed"
    REPEATED = "repeated"  # only counts and times changed: written once a roll-up interval at most
    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"  # every source took it back


class LeftOut(enum.StrEnum):
    """The input that an indicator goes without because its record would be too large."""

    OBSERVATIONS = "observations"  # commands and recalls are still obeyed
    EVERYTHING = "everything"  # its commands, too: its row stays as it is


class QuarantineStage(enum.StrEnum):
    """The component that quarantined a record; the values of ``quarantined.v1.avsc``."""

    PRODUCE = "produce"
    INTAKE = "intake"
    CORRELATE = "correlate"
    RECEIVE = "receive"
    SETTLE = "settle"
    BRIDGE = "bridge"


class CommandFate(enum.StrEnum):
    """The fate of an officer's command."""

    OBEYED = "obeyed"
    REFUSED = "refused"


class ReviewEnd(enum.StrEnum):
    """How a review has ended."""

    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"
    MOOT = "moot"  # the question no longer applies: a marking, a source or a rule has changed


class GuardStage(enum.StrEnum):
    """Which guard refused a record at the border."""

    BRIDGE = "bridge"
    RECEIVE = "receive"


class ReceiptCode(enum.StrEnum):
    """What the receiving nation did with a released version; the values of ``receipt.v1.avsc``."""

    RECEIVED = "received"
    REFUSED = "refused"
    APPLIED = "applied"
    RECALL_APPLIED = "recall_applied"
    PURGED = "purged"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"


class Differs(enum.StrEnum):
    """How an indicator differs between what was released and what is held; a reissue repairs all but EXTRA and
    REFUSED."""

    MISSING = "missing"  # released, and not held
    STALE = "stale"  # an older version is held
    ALTERED = "altered"  # the same version with another content
    AHEAD = "ahead"  # a later version is held than we released
    UNANSWERED = "unanswered"  # held as released, but its receipt has not arrived (only a full comparison checks)
    EXTRA = "extra"  # held, and not released according to our records
    REFUSED = "refused"  # the partner, or our bridge's guard, refused the last release, with a reason


class BatchOutcome(enum.StrEnum):
    """How a transaction ended."""

    COMMITTED = "committed"
    ABORTED = "aborted"  # it left no trace and is written again
    UNCERTAIN = "uncertain"  # its answer was lost: the position is read to find out


class NotCarried(enum.StrEnum):
    """Why a live indicator is not in the target of an output."""

    TYPE = "type"  # the output cannot carry its type
    PAP = "pap"  # its PAP does not allow the output's activity
    VALUE = "value"  # its value cannot be written in this format without breaking it
    LIMIT = "limit"  # the format or the tool has a limit that it exceeds


class TurnOutcome(enum.StrEnum):
    """How an output's attempt to bring its target up to date ended."""

    WRITTEN = "written"
    FAILED = "failed"  # the target cannot be written now: it is tried again


class SensorShare(enum.StrEnum):
    """What became of a sensor's reports."""

    FIRST = "first"  # it stated the earliest sighting
    CORROBORATED = "corroborated"  # another sensor reports it, too
    DISPUTED = "disputed"  # a partner disputes it
    REVOKED = "revoked"  # an officer revoked it as false, or all its sources took it back
    REFUSED = "refused"  # of all that it sent


class RequestOutcome(enum.StrEnum):
    """How a request to the TAXII server was answered."""

    ANSWERED = "answered"
    REFUSED = "refused"  # it asks for something absent, not allowed, or not understood
    UNKNOWN = "unknown"  # it has no valid token or certificate
    LIMITED = "limited"  # the client asks for too much at once
    FAILED = "failed"  # the picture is being made, or a defect


# Nations.
PARTNER: Final = bounded("partner", str, 16, "ISO 3166-1 alpha-3 code; bounded by the configured partners")
ORIGIN: Final = bounded("origin", str, 16, "the nation a record comes from; bounded by the configured partners")
FROM: Final = bounded("from", str, 17, "the nation that releases; bounded by the configured nations")
TO: Final = bounded("to", str, 17, "the nation that receives; bounded by the configured nations")
CLUSTER: Final = bounded("cluster", str, 17, "the nation whose Kafka it is; bounded by the configured nations")
# Steps and shards.
STEP: Final = bounded(
    "step",
    str,
    50,
    "`intake`, `correlate`, `receive.<origin>`, `settle.<partner>`, `bridge.<origin>` or `bridge.<origin>.urgent`, as "
    "in the topics' names",
)
SHARD: Final = bounded("shard", int, 1024, "the partition number; bounded by the topics' partition count")
OTHER_SENSORS: Final = OTHER
SENSOR: Final = bounded("sensor", str, 1024, "a sensor with a key on the roster; all others are `other`")
RULE: Final = bounded("rule", str, 256, "the rule's id in the policy set; bounded by the rules of the active set")
CLIENT: Final = bounded("client", str, 64, "the name in the clients file, `-` if it is not known; bounded by the file")
OUTPUT: Final = bounded("output", str, 32, "the output's target as it was given; bounded by those of the process")
