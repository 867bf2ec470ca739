"""The closed sets of the contract: what an indicator can be, and why something is refused.

Codes travel on the wire. They only grow: a code is never reused or renumbered.
"""

import enum


class IndicatorType(enum.IntEnum):
    """What kind of observable an indicator is about. The value is the wire's code."""

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

    @property
    def label(self) -> str:
        """The name people and JSON see, after STIX 2.1's observable types: ``ipv4-addr``."""
        return _LABELS[self]


_LABELS = {kind: kind.name.lower().replace("_", "-") for kind in IndicatorType}
TYPE_BY_LABEL = {label: kind for kind, label in _LABELS.items()}


class Withdrawal(enum.IntEnum):
    """How a source ended its own assertion. The value is the wire's code; 0 on the wire is an assertion."""

    REVOKED = 1  # declared wrong or taken back: STIX `revoked`, MISP `deleted`, `to_ids` off, an event unpublished
    REMOVED = 2  # left a snapshot: a list or feed that says all that holds, and does not name it any more
    LAPSED = 3  # its own end has passed: STIX `valid_until`

    @property
    def label(self) -> str:
        """The name that people and JSON see."""
        return self.name.lower()


class RejectReason(enum.StrEnum):
    """Why a record, an observation or a line of input went to quarantine."""

    # A line or file at the sensor.
    UNREADABLE_LINE = "unreadable-line"
    LINE_TOO_LONG = "line-too-long"
    UNKNOWN_FORMAT = "unknown-format"
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
    BAD_SIGNATURE = "bad-signature"
    NOT_AUTHORISED = "not-authorised"
    OWN_REPORT = "own-report"
    MALFORMED_COMMAND = "malformed-command"
    COMMAND_EXPIRED = "command-expired"
    DEADLINE_PASSED = "deadline-passed"
    NOT_AS_ASKED = "not-as-asked"
    NOTHING_TO_DO = "nothing-to-do"


class CommandKind(enum.StrEnum):
    """What a person may decide about one indicator."""

    VERDICT = "verdict"  # approve or refuse what is held
    RECALL = "recall"  # must not have been shared: a standing veto, purged by the partner
    REVOKE = "revoke"  # was false: a standing veto, unblocked everywhere
    REISSUE = "reissue"  # tell again what was told last, under a new version
    LIFT = "lift"  # end a veto: two people


class Outcome(enum.StrEnum):
    """What the rules say about one indicator and one partner."""

    RELEASE = "release"
    HOLD = "hold"
    WITHHOLD = "withhold"


class RecordKind(enum.StrEnum):
    """What a released record says. All but CONTENT carry no content at all."""

    CONTENT = "content"
    EXPIRED = "expired"  # aged out: the partner's tools drop it
    REVOKED = "revoked"  # was false: unblock
    RECALLED = "recalled"  # must not have been shared: purge and confirm


class DisputeReason(enum.StrEnum):
    """Why a partner thinks that something it was given is wrong: all that a dispute says beside its version."""

    FALSE_POSITIVE = "false-positive"  # it blocks what is harmless
    OUTDATED = "outdated"  # it was right once
    WRONG_MARKING = "wrong-marking"  # it should not have been shared so


class EndReason(enum.StrEnum):
    """Why released content has ended: all that an expired, revoked or recalled record says beside its versions."""

    AGED_OUT = "aged-out"  # expired: not seen for long
    VALIDITY_ENDED = "validity-ended"  # expired: its own end, or the end of its kind's lifetime
    RELEASE_ENDED = "release-ended"  # expired: the release was for a time
    FALSE_POSITIVE = "false-positive"  # revoked: it was wrong
    WITHDRAWN = "withdrawn"  # revoked or recalled: its source took it back
    MARKING_TIGHTENED = "marking-tightened"  # recalled: a marking would no longer let it go
    POLICY_CHANGED = "policy-changed"  # recalled: the rules would no longer let it go
    RECALLED_BY_HAND = "recalled-by-hand"  # recalled: an officer's standing veto
