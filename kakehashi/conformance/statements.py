"""Statements of a report, by the laws of intake: what is refused, and the canonical value of all else."""

from collections.abc import Callable, Iterator
from typing import Final

from producers.conformance.facts import FactPlace, Statement
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal
from streams.intake.collapse import Normaliser, normalise
from streams.intake.columns import Dictionaries, columns_of
from streams.intake.validate import reasons

_TYPES: Final = frozenset(map(int, IndicatorType))
_WITHDRAWALS: Final = frozenset(map(int, Withdrawal))


def statements(
    report: SensorReport, place: Callable[[int], FactPlace], at_ms: int, normaliser: Normaliser
) -> Iterator[Statement]:
    """One for each observation of a report whose columns fit together; ``place`` gives the position of each."""
    dictionaries = Dictionaries()
    columns = columns_of(report, dictionaries)
    refused: dict[int, RejectReason] = reasons(columns, dictionaries, at_ms)
    # The value is judged for itself, also if intake would refuse the observation for something else.
    no_type = {index for index, code in enumerate(columns.kinds) if code not in _TYPES}
    known, invalid = normalise(columns, no_type, normaliser)
    refused = {index: answer.reason for index, answer in invalid} | refused
    for index, value in enumerate(columns.values):
        about, code = known[index], columns.kinds[index]
        yield Statement(
            place=place(index),
            kind=IndicatorType(code) if code in _TYPES else None,
            value=value,
            key=b"" if about is None else about.key,
            is_canonical=about is not None and (about.kind, about.value) == (code, value),
            refused=refused.get(index),
            marking=dictionaries.markings[max(columns.marking[index], 0)],
            tlp=_stated_tlp(report, index),
            first_seen_ms=columns.first_seen_ms[index],
            last_seen_ms=columns.last_seen_ms[index],
            valid_until_ms=columns.valid_until_ms[index],
            confidence=columns.confidences[index],
            labels=_labels(dictionaries, columns.label[index]),
            is_withdrawal=columns.withdrawals[index] in _WITHDRAWALS,
            at_ms=at_ms,
            is_redriven=bool(report["redrive_of"]),
            has_odd_code=columns.withdrawals[index] not in (0, *_WITHDRAWALS),
        )


def _labels(dictionaries: Dictionaries, code: int) -> int:
    return len(dictionaries.labels[code]) if code >= 0 else 0


def _stated_tlp(report: SensorReport, index: int) -> str:
    """The TLP label in the source's own spelling."""
    places, markings = report["marking_index"], report["markings"]
    place = places[index] if places else -1
    return markings[place]["tlp"] if 0 <= place < len(markings) else ""
