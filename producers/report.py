"""Builds sensor reports: observations in, columns out; and back, to read a report.

Of the repetitive lists (markings, labels, contexts) a report holds each distinct one once. A column in which all
is absent stays empty.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Final, TypeVar

from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import ContextRecord, SensorReport, SourceMarkingRecord
from schemas.vocabulary import IndicatorType, Withdrawal

FORMAT_VERSION: Final = 1
MAX_OBSERVATIONS: Final = 500
MAX_BYTES: Final = 512 << 10
"""About how many bytes a report may take; a topic takes up to four times that in one record."""
_ABSENT_CONTEXT: Final = ("", ())
_FIXED_BYTES: Final = 32

_Cell = TypeVar("_Cell", bound=Hashable)


class ReportBuilder:
    """Collects observations until a report is full. Whoever builds it gives it its identity."""

    def __init__(self, *, max_observations: int = MAX_OBSERVATIONS, max_bytes: int = MAX_BYTES) -> None:
        self._max_observations, self._max_bytes = max_observations, max_bytes
        self._rows: list[Observation] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def has_room(self, observation: Observation) -> bool:
        """Whether this one fits too. An empty report has room for any."""
        if not self._rows:
            return True
        return len(self._rows) < self._max_observations and self._bytes + _size(observation) <= self._max_bytes

    def add(self, observation: Observation) -> None:
        """Take one more."""
        self._rows.append(observation)
        self._bytes += _size(observation)

    def build(
        self, *, nation: str, sensor: str, epoch: int, sequence: int, produced_at_ms: int, tool: str
    ) -> SensorReport:
        """The report of all that was added; the builder is empty again."""
        rows, self._rows, self._bytes = self._rows, [], 0
        return report_of(
            rows,
            nation=nation,
            sensor=sensor,
            epoch=epoch,
            sequence=sequence,
            produced_at_ms=produced_at_ms,
            tool=tool,
        )


def report_of(
    rows: Sequence[Observation],
    *,
    nation: str,
    sensor: str,
    epoch: int,
    sequence: int,
    produced_at_ms: int,
    tool: str,
    redrive_of: str = "",
) -> SensorReport:
    """These observations in columns. Times in milliseconds since 1970, UTC."""
    markings, marking_index = _distinct([row.marking for row in rows], SourceMarking())
    label_sets, label_index = _distinct([row.labels for row in rows], ())
    contexts, context_index = _distinct([(row.description, row.context) for row in rows], _ABSENT_CONTEXT)
    report = SensorReport(
        format_version=FORMAT_VERSION,
        nation=nation,
        sensor=sensor,
        epoch=epoch,
        sequence=sequence,
        produced_at_ms=produced_at_ms,
        tool=tool,
        redrive_of=redrive_of,
        values=[row.value for row in rows],
        kinds=bytes(row.kind for row in rows),
        first_seen_ms=_column([row.first_seen_ms for row in rows], 0),
        last_seen_ms=_column([row.last_seen_ms for row in rows], 0),
        counts=_column([row.count for row in rows], 1),
        confidences=_column([row.confidence for row in rows], -1),
        valid_until_ms=_column([row.valid_until_ms for row in rows], 0),
        markings=[_marking_record(marking) for marking in markings],
        marking_index=marking_index,
        label_sets=[list(labels) for labels in label_sets],
        label_index=label_index,
        contexts=[ContextRecord(description=text, entries=dict(entries)) for text, entries in contexts],
        context_index=context_index,
    )
    if any(row.withdrawal for row in rows):
        report["withdrawals"] = bytes(row.withdrawal or 0 for row in rows)
    return report


def observations_of(report: SensorReport) -> Iterator[Observation]:
    """The rows of a report whose columns fit together; ``IndexError`` or ``ValueError`` if they do not."""
    markings = [_marking(record) for record in report["markings"]]
    label_sets = [tuple(labels) for labels in report["label_sets"]]
    contexts = [(record["description"], tuple(record["entries"].items())) for record in report["contexts"]]
    withdrawals = report.get("withdrawals", b"")
    for row, value in enumerate(report["values"]):
        description, context = _at(contexts, report["context_index"], row, _ABSENT_CONTEXT)
        yield Observation(
            kind=IndicatorType(report["kinds"][row]),
            value=value,
            first_seen_ms=_cell(report["first_seen_ms"], row, 0),
            last_seen_ms=_cell(report["last_seen_ms"], row, 0),
            count=_cell(report["counts"], row, 1),
            confidence=_cell(report["confidences"], row, -1),
            valid_until_ms=_cell(report["valid_until_ms"], row, 0),
            marking=_at(markings, report["marking_index"], row, SourceMarking()),
            labels=_at(label_sets, report["label_index"], row, ()),
            description=description,
            context=context,
            withdrawal=Withdrawal(withdrawals[row]) if withdrawals and withdrawals[row] else None,
        )


def _size(observation: Observation) -> int:
    """About how many bytes an observation adds, as if nothing of it were shared."""
    texts = [observation.value, observation.description, *observation.labels]
    return (
        _FIXED_BYTES + 3 * sum(map(len, texts)) + 3 * sum(len(name) + len(fact) for name, fact in observation.context)
    )


def _column(cells: list[int], absent: int) -> list[int]:
    return cells if any(cell != absent for cell in cells) else []


def _distinct(cells: Sequence[_Cell], absent: _Cell) -> tuple[list[_Cell], list[int]]:
    """The distinct cells in order of appearance, and for each row its place among them, -1 if absent."""
    places = {cell: place for place, cell in enumerate(dict.fromkeys(cell for cell in cells if cell != absent))}
    return list(places), [places.get(cell, -1) for cell in cells] if places else []


def _cell(column: Sequence[int], row: int, absent: int) -> int:
    return column[row] if column else absent


def _at(dictionary: Sequence[_Cell], index: Sequence[int], row: int, absent: _Cell) -> _Cell:
    place = index[row] if index else -1
    return absent if place == -1 else dictionary[place]


def _marking_record(marking: SourceMarking) -> SourceMarkingRecord:
    return SourceMarkingRecord(
        tlp=marking.tlp,
        pap=marking.pap,
        releasable_to=None if marking.releasable_to is None else list(marking.releasable_to),
        caveats=list(marking.caveats),
    )


def _marking(record: SourceMarkingRecord) -> SourceMarking:
    named = record["releasable_to"]
    return SourceMarking(
        tlp=record["tlp"],
        pap=record["pap"],
        releasable_to=None if named is None else tuple(named),
        caveats=tuple(record["caveats"]),
    )
