"""Normalise each value once, then collapse repeated observations of one indicator in a report.

Within a report markings join, counts add up, and times widen; the sensor's other properties are taken from the row
that comes last in the report.

If a report both asserts and withdraws an indicator, the assertion holds: its source has two objects of one value.
"""

from collections.abc import Container, Sequence
from typing import Final

import msgspec

from schemas.identity import indicator_key
from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType
from streams.intake.columns import Columns, Dictionaries

_MEMO_LIMIT: Final = 200_000


class Known(msgspec.Struct, frozen=True, gc=False):
    """A value in its one canonical spelling, with the key of its indicator."""

    kind: int
    value: str
    key: bytes


class Normaliser:
    """``schemas.normalise.canonical`` with a bounded cache: the same results, faster. Of any thread."""

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


def normalise(
    columns: Columns, refused: Container[int], normaliser: Normaliser
) -> tuple[list[Known | None], list[tuple[int, Invalid]]]:
    """The value of each row, None if it is refused; and the rows that have no canonical value, with the reason."""
    known: list[Known | None] = []
    invalid: list[tuple[int, Invalid]] = []
    for row, (kind, value) in enumerate(zip(columns.kinds, columns.values, strict=True)):
        found = None if row in refused else normaliser(kind, value)
        if isinstance(found, Invalid):
            invalid.append((row, found))
            found = None
        known.append(found)
    return known, invalid


class Collapsed(msgspec.Struct, frozen=True, gc=False):
    """What a report states about one indicator. ``report`` is its place in the batch; ``marking``, ``label`` and
    ``context`` are codes of the batch's dictionaries."""

    report: int
    known: Known
    first_seen_ms: int
    last_seen_ms: int
    count: int
    withdrawal: int
    confidence: int
    valid_until_ms: int
    marking: int
    label: int
    context: int


def collapse(
    report: int, known: Sequence[Known | None], columns: Columns, appended_ms: int, dictionaries: Dictionaries
) -> list[Collapsed]:
    """One row for each indicator of a report; joins of markings that this needs are added to the dictionaries.

    Times that were not stated become the append time, and none is later than it: a sensor whose clock is
    ahead cannot make an indicator look fresher than it is.
    """
    found: dict[bytes, Collapsed] = {}
    rows = zip(
        known,
        columns.first_seen_ms,
        columns.last_seen_ms,
        columns.counts,
        columns.withdrawals,
        columns.confidences,
        columns.valid_until_ms,
        columns.marking,
        columns.label,
        columns.context,
        strict=True,
    )
    for about, first, last, count, withdrawal, confidence, valid_until_ms, marking, label, context in rows:
        if about is None:
            continue
        last_ms = min(last or first or appended_ms, appended_ms)
        first_ms = min(first or last_ms, last_ms)
        seen = 0 if withdrawal else count
        row = Collapsed(
            report, about, first_ms, last_ms, seen, withdrawal, confidence, valid_until_ms, marking, label, context
        )
        before = found.get(about.key)
        found[about.key] = row if before is None else _together(before, row, dictionaries)
    return [*found.values()]


def _together(one: Collapsed, later: Collapsed, dictionaries: Dictionaries) -> Collapsed:
    """Two rows of one report about one indicator."""
    marking = one.marking
    if later.marking != marking:  # rarely: most reports mark an indicator in one way
        markings = dictionaries.markings
        marking = dictionaries.code_of_marking(markings[marking].join(markings[later.marking]))
    return Collapsed(
        one.report,
        one.known,
        min(one.first_seen_ms, later.first_seen_ms),
        max(one.last_seen_ms, later.last_seen_ms),
        one.count + later.count,
        min(one.withdrawal, later.withdrawal),
        max(one.confidence, later.confidence),
        max(one.valid_until_ms, later.valid_until_ms),
        marking,
        later.label,
        later.context,
    )
