"""The closed sets of the contract: types, reasons, kinds and outcomes.

Codes travel on the wire. They only grow: a code is never reused or renumbered.
"""

import enum


class IndicatorType(enum.IntEnum):
    """The type of an indicator's observable. The value is the code in records."""

    IPV4_ADDR = 1
    IPV6_ADDR = 2
    IPV4_NET = 3
    IPV6_NET = 4
    DOMAIN_NAME = 5
    URL = 6
    FILE_MD5 = 7
    FILE_SHA1 = 8
    FILE_SHA256 = 9
    FILE_SHA512 = 10
    EMAIL_ADDR = 11
    AUTONOMOUS_SYSTEM = 12
    JA3 = 13
    JA4 = 14
    FILE_NAME = 15
    # Since `released_indicator.v3`.
    X509_SHA1 = 16
    X509_SHA256 = 17
    USER_AGENT = 18
    MUTEX = 19
    REGISTRY_KEY = 20
    IMPHASH = 21

    @property
    def label(self) -> str:
        """The name in output and JSON, after STIX 2.1's observable types: ``ipv4-addr``."""
        return _LABELS[self]


_LABELS = {kind: kind.name.lower().replace("_", "-") for kind in IndicatorType}
TYPE_BY_LABEL = {label: kind for kind, label in _LABELS.items()}
TYPES_OF_V3 = frozenset(kind for kind in IndicatorType if kind > IndicatorType.FILE_NAME)
"""The types that a partner without ``released_indicator.v3`` cannot read (ADR 68)."""


class Withdrawal(enum.IntEnum):
    """How a source ended its own assertion. The value is the code in records; code 0 is an assertion."""

    REVOKED = 1  # declared wrong or taken back: STIX `revoked`, MISP `deleted`, `to_ids` off, an event unpublished
    REMOVED = 2  # removed from a complete list or feed, which does not contain it any more
    LAPSED = 3  # its own end has passed: STIX `valid_until`

    @property
    def label(self) -> str:
        """The name in output and JSON."""
        return self.name.lower()


class RejectReason(enum.StrEnum):
    """Why a record, an observation or a line of input went to quarantine."""

    # A line or file at the sensor.
    UNREADABLE_LINE = "unreadable-line"
    LINE_TOO_LONG = "line-too-long"
    UNKNOWN_FORMAT = "unknown-format"
    NO_HOME_NETWORK = "no-home-network"  # which side is the threat is known once the operator names the own networks
    UNKNOWN_THREAT = "unknown-threat"  # the line is read, and does not state which side or value is the threat
    # A whole record.
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    UNKNOWN_SCHEMA = "unknown-schema"
    UNKNOWN_FORMAT_VERSION = "unknown-format-version"
    MISMATCHED_COLUMNS = "mismatched-columns"
    TOO_LARGE = "too-large"
    WRONG_NATION = "wrong-nation"
    FUTURE_EPOCH = "future-epoch"
    STALE_EPOCH = "stale-epoch"
    OVER_QUOTA = "over-quota"
    # One observation.
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_WITHDRAWAL = "unknown-withdrawal"
    INVALID_VALUE = "invalid-value"
    VALUE_TOO_LONG = "value-too-long"
    TOO_MANY_LABELS = "too-many-labels"
    TIME_OUT_OF_RANGE = "time-out-of-range"
    COUNT_OUT_OF_RANGE = "count-out-of-range"
    CONFIDENCE_OUT_OF_RANGE = "confidence-out-of-range"
    DANGLING_INDEX = "dangling-index"
    # At the border, either side.
    FORBIDDEN_MARKING = "forbidden-marking"
    FORBIDDEN_CAVEAT = "forbidden-caveat"
    NOT_RELEASABLE_HERE = "not-releasable-here"
    RELEASE_EXPIRED = "release-expired"
    FOREIGN_ORIGIN = "foreign-origin"
    LOOPED = "looped"
    KEY_MISMATCH = "key-mismatch"
    MALFORMED_CONTENT = "malformed-content"
    UNKNOWN_RELEASE = "unknown-release"  # a receipt for something that was never released
    # A command of an officer.
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown-key"
    REVOKED_KEY = "revoked-key"  # of a sensor: someone else may have it
    BAD_SIGNATURE = "bad-signature"
    NOT_AUTHORISED = "not-authorised"
    OWN_REPORT = "own-report"
    MALFORMED_COMMAND = "malformed-command"
    COMMAND_EXPIRED = "command-expired"
    DEADLINE_PASSED = "deadline-passed"
    NOT_AS_ASKED = "not-as-asked"
    NOTHING_TO_DO = "nothing-to-do"


NOT_AUTHENTIC = frozenset(
    {
        RejectReason.UNSIGNED,
        RejectReason.UNKNOWN_KEY,
        RejectReason.REVOKED_KEY,
        RejectReason.BAD_SIGNATURE,
        RejectReason.NOT_AUTHORISED,
    }
)
"""The reasons by which no one vouches for the refused input."""


class CommandKind(enum.StrEnum):
    """The decisions that an officer may make about one indicator."""

    VERDICT = "verdict"  # approve or refuse a held indicator
    RECALL = "recall"  # must not have been shared: leaves a veto; the partner purges it
    REVOKE = "revoke"  # was false: leaves a veto; unblocked everywhere
    REISSUE = "reissue"  # the latest release again, under a new version
    LIFT = "lift"  # end a veto: two people


class Outcome(enum.StrEnum):
    """The outcome of the rules for one indicator and one partner."""

    RELEASE = "release"
    HOLD = "hold"
    WITHHOLD = "withhold"


class RecordKind(enum.StrEnum):
    """The kind of a released record. All but CONTENT have no content."""

    CONTENT = "content"
    EXPIRED = "expired"  # aged out: the partner's tools drop it
    REVOKED = "revoked"  # was false: unblock
    RECALLED = "recalled"  # must not have been shared: purge and confirm


class DisputeReason(enum.StrEnum):
    """Why a partner disputes a release: the only information in a dispute besides its version."""

    FALSE_POSITIVE = "false-positive"  # it blocks what is harmless
    OUTDATED = "outdated"  # it was right once
    WRONG_MARKING = "wrong-marking"  # it should not have been shared so


class SearchResult(enum.StrEnum):
    """The result of a partner's search for an indicator that it has taken in; the reason of a receipt `received`.

    A match is reported as a sighting.
    """

    NOT_SEEN = "not-seen"


class EndReason(enum.StrEnum):
    """Why a release has ended: the only information in an expired, revoked or recalled record besides versions."""

    AGED_OUT = "aged-out"  # expired: not seen for a long time
    VALIDITY_ENDED = "validity-ended"  # expired: its own end, or the end of its kind's lifetime
    RELEASE_ENDED = "release-ended"  # expired: the release was for a limited time
    FALSE_POSITIVE = "false-positive"  # revoked: it was wrong
    WITHDRAWN = "withdrawn"  # revoked or recalled: its source withdrew it
    MARKING_TIGHTENED = "marking-tightened"  # recalled: a marking no longer allows the release
    POLICY_CHANGED = "policy-changed"  # recalled: the rules no longer allow the release
    RECALLED_BY_HAND = "recalled-by-hand"  # recalled: an officer's veto
