"""What sensors report, and the normalised blocks that intake makes of it."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from schemas.identity import indicator_key
from schemas.markings import Marking, SourceMarking
from schemas.observation import Observation
from schemas.records import ContextRecord, MarkingRecord, ObservationBlock, SensorReport, SourceMarkingRecord
from schemas.vocabulary import IndicatorType
from tests.builders.changed import DAY_MS, DOMAIN, HOME, HOUR_MS, NOW_MS, changed

_Item = TypeVar("_Item")


def an_observation(**changes: Any) -> Observation:
    """A domain seen twice an hour ago, marked TLP:GREEN."""
    observation = Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value=DOMAIN,
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        count=2,
        confidence=80,
        marking=SourceMarking(tlp="TLP:GREEN"),
        labels=("malicious-activity",),
    )
    return msgspec.structs.replace(observation, **changes)


def a_report(observations: Iterable[Observation] | None = None, **changes: Any) -> SensorReport:
    """A report of these observations (one, if none are given) by the sensor ``edge-1`` of GBR."""
    rows = [an_observation()] if observations is None else list(observations)
    markings, marking_index = _dictionary([row.marking if row.marking != SourceMarking() else None for row in rows])
    label_sets, label_index = _dictionary([row.labels or None for row in rows])
    contexts, context_index = _dictionary([(row.description, row.context) for row in rows], ("", ()))
    report = SensorReport(
        format_version=1,
        nation=HOME,
        sensor="edge-1",
        epoch=NOW_MS - DAY_MS,
        sequence=0,
        produced_at_ms=NOW_MS - HOUR_MS,
        tool="suricata-eve",
        redrive_of="",
        values=[row.value for row in rows],
        kinds=bytes(row.kind for row in rows),
        first_seen_ms=[row.first_seen_ms for row in rows],
        last_seen_ms=[row.last_seen_ms for row in rows],
        counts=[row.count for row in rows],
        confidences=[row.confidence for row in rows],
        valid_until_ms=[row.valid_until_ms for row in rows],
        markings=[_source_marking(marking) for marking in markings],
        marking_index=marking_index,
        label_sets=[list(labels) for labels in label_sets],
        label_index=label_index,
        contexts=[ContextRecord(description=text, entries=dict(entries)) for text, entries in contexts],
        context_index=context_index,
    )
    if any(row.withdrawal for row in rows):
        report["withdrawals"] = bytes(row.withdrawal or 0 for row in rows)
    return changed(report, changes)


def _dictionary(cells: Sequence[_Item | None], absent: _Item | None = None) -> tuple[list[_Item], list[int]]:
    """The distinct cells in order of appearance, and each row's place among them; -1 if absent."""
    distinct = list(dict.fromkeys(cell for cell in cells if cell is not None and cell != absent))
    places = {cell: place for place, cell in enumerate(distinct)}
    return distinct, [-1 if cell is None else places.get(cell, -1) for cell in cells]


def _source_marking(marking: SourceMarking) -> SourceMarkingRecord:
    return SourceMarkingRecord(
        tlp=marking.tlp,
        pap=marking.pap,
        releasable_to=None if marking.releasable_to is None else list(marking.releasable_to),
        caveats=list(marking.caveats),
    )


def a_marking_record(marking: Marking | None = None, **changes: Any) -> MarkingRecord:
    """The record of a marking; TLP:GREEN with nothing else if none is given."""
    record = MarkingRecord(tlp=1, pap=0, releasable_to=None, caveats=[])
    if marking is not None:
        named = marking.releasable_to
        record = MarkingRecord(
            tlp=marking.tlp,
            pap=marking.pap,
            releasable_to=None if named is None else list(named),
            caveats=[caveat.value for caveat in marking.caveats],
        )
    return changed(record, changes)


def an_observation_block(**changes: Any) -> ObservationBlock:
    """A block of one row."""
    block = ObservationBlock(
        format_version=1,
        keys=indicator_key(IndicatorType.DOMAIN_NAME, DOMAIN),
        kinds=bytes([IndicatorType.DOMAIN_NAME]),
        values=[DOMAIN],
        sensors=["edge-1"],
        sensor_index=[0],
        epochs=[NOW_MS - DAY_MS],
        sequences=[0],
        appended_ms=[1_700_000_000_000],
        first_seen_ms=[NOW_MS - 2 * HOUR_MS],
        last_seen_ms=[NOW_MS - HOUR_MS],
        counts=[2],
        confidences=[80],
        valid_until_ms=[0],
        markings=[a_marking_record()],
        marking_index=[0],
        label_sets=[["malicious-activity"]],
        label_index=[0],
        contexts=[ContextRecord(description="Beacon", entries={"dest_ip": "192.0.2.7"})],
        context_index=[0],
    )
    return changed(block, changes)
