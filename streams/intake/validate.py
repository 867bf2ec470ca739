"""Which observations of a batch are refused, and why. An invalid observation never affects the others.

Content that a guard of the border would refuse is refused here already, where it costs one observation: there it would
stop the whole indicator, with the data of all its sources.
"""

from collections.abc import Iterable
from typing import Final

import polars as pl

from schemas.markings import Marking
from schemas.records import ContextRecord
from schemas.tearline import MAX_BYTES, TEARLINE, is_fit
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal
from streams.intake.columns import DANGLING, Batch, Labels

# A sensor's clock may be this far ahead of the broker's before its times are refused.
CLOCK_TOLERANCE_MS: Final = 24 * 60 * 60 * 1000
MAX_COUNT: Final = 1 << 40
MAX_LABELS: Final = 64
MAX_LABEL_LENGTH: Final = 256
MAX_TEXT_BYTES: Final = 16 << 10  # of labels, and of context: a national record has room for 32 sources with as much
MAX_NATIONS: Final = 64
MAX_NATION_LENGTH: Final = 16
END_OF_TIME_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: later is no RFC 3339 time

_KINDS: Final = [int(kind) for kind in IndicatorType]
_WITHDRAWALS: Final = [0, *(int(withdrawal) for withdrawal in Withdrawal)]


def reasons(batch: Batch) -> pl.Series:
    """The reject reason of each row, null if it is fine: the first that applies."""
    odd_labels = [code for code, labels in enumerate(batch.labels) if not _are_labels(labels)]
    long_markings = [code for code, marking in enumerate(batch.markings) if _names_too_many(marking)]
    long_contexts = [code for code, context in enumerate(batch.contexts) if _is_too_long(context)]
    odd_tearlines = [code for code, context in enumerate(batch.contexts) if _has_odd_tearline(context)]
    latest = pl.col("appended_ms") + CLOCK_TOLERANCE_MS
    times = ("first_seen_ms", "last_seen_ms", "valid_until_ms")
    impossible = pl.any_horizontal(*(pl.col(time) < 0 for time in times)) | (pl.col("valid_until_ms") > END_OF_TIME_MS)
    future = (pl.col("first_seen_ms") > latest) | (pl.col("last_seen_ms") > latest)
    backwards = (pl.col("last_seen_ms") != 0) & (pl.col("first_seen_ms") > pl.col("last_seen_ms"))
    dangling = pl.any_horizontal(*(pl.col(code) == DANGLING for code in ("marking", "label", "context")))
    verdict = (
        pl.when(~pl.col("kind").is_in(_KINDS))
        .then(pl.lit(RejectReason.UNKNOWN_TYPE.value))
        .when(~pl.col("withdrawal").is_in(_WITHDRAWALS))
        .then(pl.lit(RejectReason.UNKNOWN_WITHDRAWAL.value))
        .when(impossible | future | backwards)
        .then(pl.lit(RejectReason.TIME_OUT_OF_RANGE.value))
        .when(~pl.col("counts").is_between(1, MAX_COUNT))
        .then(pl.lit(RejectReason.COUNT_OUT_OF_RANGE.value))
        .when(~pl.col("confidences").is_between(-1, 100))
        .then(pl.lit(RejectReason.CONFIDENCE_OUT_OF_RANGE.value))
        .when(dangling)
        .then(pl.lit(RejectReason.DANGLING_INDEX.value))
        .when(pl.col("label").is_in(odd_labels))
        .then(pl.lit(RejectReason.TOO_MANY_LABELS.value))
        .when(pl.col("marking").is_in(long_markings) | pl.col("context").is_in(long_contexts))
        .then(pl.lit(RejectReason.TOO_LARGE.value))
        .when(pl.col("context").is_in(odd_tearlines))
        .then(pl.lit(RejectReason.MALFORMED_CONTENT.value))
    )
    return batch.frame.select(verdict.alias("reason")).to_series()


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
    "ends before it begins: set the sensor's clock",
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
