"""Normalise each value once, then collapse repeated observations of one indicator in a report.

Within a report markings join, counts add up, and times widen; the sensor's other properties are taken from the row
that comes last in the report.

If a report both asserts and withdraws an indicator, the assertion holds: its source has two objects of one value.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from schemas.identity import indicator_key
from schemas.markings import Marking, joined
from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType
from streams.intake.columns import Batch

_MEMO_LIMIT: Final = 200_000


class Known(msgspec.Struct, frozen=True, gc=False):
    """A value in its one canonical spelling, with the key of its indicator."""

    kind: int
    value: str
    key: bytes


class Normaliser:
    """``schemas.normalise.canonical`` with a bounded cache: the same results, faster."""

    def __init__(self) -> None:
        self._memo: dict[tuple[int, str], Known | Invalid] = {}

    def __call__(self, kind: int, value: str) -> Known | Invalid:
        """The canonical value, or the reason why it is invalid. ``kind`` is a code of the contract."""
        found = self._memo.get((kind, value))
        if found is None:
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            found = self._memo[kind, value] = _normalised(kind, value)
        return found


def _normalised(kind: int, value: str) -> Known | Invalid:
    result = canonical(IndicatorType(kind), value)
    if isinstance(result, Invalid):
        return result
    return Known(int(result[0]), result[1], indicator_key(*result))


def normalise(frame: pl.DataFrame, normaliser: Normaliser) -> tuple[pl.DataFrame, list[tuple[int, Invalid]]]:
    """The frame with canonical ``kind``, ``value`` and ``key``; and the rows (by number) that have none."""
    known = [normaliser(kind, value) for kind, value in zip(frame["kind"], frame["value"], strict=True)]
    invalid = [(row, answer) for row, answer in enumerate(known) if isinstance(answer, Invalid)]
    if invalid:
        frame = frame.filter(pl.Series([isinstance(answer, Known) for answer in known], dtype=pl.Boolean))
    fine = [answer for answer in known if isinstance(answer, Known)]
    return (
        frame.with_columns(
            pl.Series("kind", [answer.kind for answer in fine], dtype=pl.UInt8),
            pl.Series("value", [answer.value for answer in fine], dtype=pl.String),
            pl.Series("key", [answer.key for answer in fine], dtype=pl.Binary),
        ),
        invalid,
    )


def collapse(frame: pl.DataFrame, batch: Batch) -> tuple[pl.DataFrame, list[Marking]]:
    """One row per report and indicator, and the batch's markings with the joins that this needed.

    Times that were not stated become the append time, and none is later than it: a sensor whose clock is
    ahead cannot make an indicator look fresher than it is.
    """
    appended = pl.col("appended_ms")
    last = pl.when(pl.col("last_seen_ms") == 0).then(pl.col("first_seen_ms")).otherwise(pl.col("last_seen_ms"))
    last = pl.when(last == 0).then(appended).otherwise(pl.min_horizontal(last, appended))
    first = pl.when(pl.col("first_seen_ms") == 0).then(last).otherwise(pl.min_horizontal("first_seen_ms", last))
    collapsed = (
        frame.with_columns(first_seen_ms=first, last_seen_ms=last)
        .group_by("report", "key", maintain_order=True)
        .agg(
            pl.col("kind", "value", "index", "appended_ms").first(),
            pl.col("first_seen_ms").min(),
            pl.col("last_seen_ms").max(),
            pl.col("counts").filter(pl.col("withdrawal") == 0).sum(),
            pl.col("withdrawal").min(),
            pl.col("confidences", "valid_until_ms").max(),
            pl.col("marking").first(),
            pl.col("marking").unique(maintain_order=True).alias("markings"),
            pl.col("label", "context").last(),
        )
    )
    markings = list(batch.markings)
    several = (collapsed["markings"].list.len() > 1).arg_true()
    if len(several):  # rarely: most reports mark an indicator in one way
        codes = {marking: code for code, marking in enumerate(markings)}
        joins = [_join(group, markings, codes) for group in collapsed["markings"].gather(several)]
        joined_column = collapsed["marking"].scatter(several, joins)
        collapsed = collapsed.with_columns(joined_column.alias("marking"))
    return collapsed.drop("markings"), markings


def _join(group: Sequence[int], markings: list[Marking], codes: dict[Marking, int]) -> int:
    """The code of the join of these markings, which is added to the dictionary if it is new."""
    marking = joined(markings[code] for code in group)
    code = codes.setdefault(marking, len(markings))
    if code == len(markings):
        markings.append(marking)
    return code
