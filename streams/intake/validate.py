"""Which observations of a batch are refused, and why. An invalid observation never affects the others.

Content that a guard of the border would refuse is refused here already, where it costs one observation: there it would
stop the whole indicator, with the data of all its sources.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from schemas.markings import Marking
from schemas.records import ContextRecord
from schemas.tearline import MAX_BYTES, TEARLINE, is_fit
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal
from streams.intake.columns import DANGLING, Columns, Dictionaries, Labels

Entry = TypeVar("Entry")

# A sensor's clock may be this far ahead of the broker's before its times are refused.
CLOCK_TOLERANCE_MS: Final = 24 * 60 * 60 * 1000
MAX_COUNT: Final = 1 << 40
MAX_LABELS: Final = 64
MAX_LABEL_LENGTH: Final = 256
MAX_TEXT_BYTES: Final = 16 << 10  # of labels, and of context: a national record has room for 32 sources with as much
MAX_NATIONS: Final = 64
MAX_NATION_LENGTH: Final = 16
END_OF_TIME_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: later is no RFC 3339 time

_KINDS: Final = frozenset(map(int, IndicatorType))
_WITHDRAWALS: Final = frozenset([0, *map(int, Withdrawal)])


def reasons(columns: Columns, known: Dictionaries, appended_ms: int) -> dict[int, RejectReason]:
    """The rows that are refused, each with its reason: the first that applies. The broker appended it at this time."""
    first, last = columns.first_seen_ms, columns.last_seen_ms
    latest_ms = appended_ms + CLOCK_TOLERANCE_MS
    backwards = [row for row, (begin, end) in enumerate(zip(first, last, strict=True)) if begin > end != 0]
    checks = (
        (RejectReason.UNKNOWN_TYPE, _not_of(_KINDS, columns.kinds)),
        (RejectReason.UNKNOWN_WITHDRAWAL, _not_of(_WITHDRAWALS, columns.withdrawals)),
        (RejectReason.TIME_OUT_OF_RANGE, _outside(0, latest_ms, first)),
        (RejectReason.TIME_OUT_OF_RANGE, _outside(0, latest_ms, last)),
        (RejectReason.TIME_OUT_OF_RANGE, _outside(0, END_OF_TIME_MS, columns.valid_until_ms)),
        (RejectReason.TIME_OUT_OF_RANGE, backwards),
        (RejectReason.COUNT_OUT_OF_RANGE, _outside(1, MAX_COUNT, columns.counts)),
        (RejectReason.CONFIDENCE_OUT_OF_RANGE, _outside(-1, 100, columns.confidences)),
        (RejectReason.DANGLING_INDEX, _of({DANGLING}, columns.marking)),
        (RejectReason.DANGLING_INDEX, _of({DANGLING}, columns.label)),
        (RejectReason.DANGLING_INDEX, _of({DANGLING}, columns.context)),
        (RejectReason.TOO_MANY_LABELS, _odd(columns.label, known.labels, lambda each: not _are_labels(each))),
        (RejectReason.TOO_LARGE, _odd(columns.marking, known.markings, _names_too_many)),
        (RejectReason.TOO_LARGE, _odd(columns.context, known.contexts, _is_too_long)),
        (RejectReason.MALFORMED_CONTENT, _odd(columns.context, known.contexts, _has_odd_tearline)),
    )
    found: dict[int, RejectReason] = {}
    for reason, rows in checks:
        for row in rows:
            found.setdefault(row, reason)
    return found


def _outside(least: int, most: int, column: Sequence[int]) -> list[int]:
    """The rows whose number is not between these. Most columns have none, which their extremes show at once."""
    if not column or least <= min(column) <= max(column) <= most:
        return []
    return [row for row, number in enumerate(column) if not least <= number <= most]


def _not_of(allowed: AbstractSet[int], column: Sequence[int]) -> list[int]:
    """The rows with another code."""
    return _of({*column} - allowed, column)


def _odd(column: Sequence[int], entries: Sequence[Entry], is_odd: Callable[[Entry], bool]) -> list[int]:
    """The rows whose entry of a dictionary is odd."""
    return _of({code for code in {*column} if code >= 0 and is_odd(entries[code])}, column)


def _of(codes: AbstractSet[int], column: Sequence[int]) -> list[int]:
    """The rows with one of these codes."""
    return [row for row, code in enumerate(column) if code in codes] if codes else []


def _are_labels(labels: Labels) -> bool:
    """Not too many, and each a short text without control characters (Unicode category Cc)."""
    return (
        len(labels) <= MAX_LABELS
        and all(0 < len(label) <= MAX_LABEL_LENGTH and _is_text(label) for label in labels)
        and not _exceeds(labels, MAX_TEXT_BYTES)
    )


def _is_text(label: str) -> bool:
    return label.isprintable() or not any(character < " " or "\x7f" <= character < "\xa0" for character in label)


def _names_too_many(marking: Marking) -> bool:
    nations = marking.releasable_to or ()
    return len(nations) > MAX_NATIONS or any(len(nation) > MAX_NATION_LENGTH for nation in nations)


def _is_too_long(context: ContextRecord) -> bool:
    entries = context["entries"]
    return _exceeds((context["description"], *entries, *entries.values()), MAX_TEXT_BYTES)


def _has_odd_tearline(context: ContextRecord) -> bool:
    text = context["entries"].get(TEARLINE)
    return bool(text) and not is_fit(text or "")


def _exceeds(texts: Iterable[str], limit: int) -> bool:
    """Whether they take more bytes in UTF-8, which has at most four for a character."""
    characters = sum(map(len, texts))
    return characters * 4 > limit and (characters > limit or sum(len(text.encode()) for text in texts) > limit)


DETAILS: Final = {
    RejectReason.UNKNOWN_TYPE: "the code of its type is unknown: upgrade the exchange, or correct the sensor",
    RejectReason.UNKNOWN_WITHDRAWAL: "the code of its withdrawal is not in the contract: upgrade the exchange, or "
    "correct the sensor",
    RejectReason.TIME_OUT_OF_RANGE: "a time is before 1970, more than a day in the future, after the year 9999, or "
    "ends before it begins: set the sensor's clock, or send what is valid later when it is",
    RejectReason.COUNT_OUT_OF_RANGE: f"its count is not between 1 and {MAX_COUNT}",
    RejectReason.CONFIDENCE_OUT_OF_RANGE: "its confidence is not between 0 and 100",
    RejectReason.DANGLING_INDEX: "it points to a marking, label or context that the report does not hold",
    RejectReason.TOO_MANY_LABELS: f"it has more than {MAX_LABELS} labels, {MAX_TEXT_BYTES} bytes of them, or one that "
    f"is empty, over {MAX_LABEL_LENGTH} characters or not text",
    RejectReason.TOO_LARGE: f"it names more than {MAX_NATIONS} nations, or has more than {MAX_TEXT_BYTES} bytes of "
    "description and context: shorten them at the source",
    RejectReason.MALFORMED_CONTENT: f"its tearline has more than {MAX_BYTES} bytes, or a control character that is no "
    "line feed: correct it at the source",
}
