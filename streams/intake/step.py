"""Intake: sensors' reports in, normalised blocks for correlate out, each report counted once.

The path of a record: decode → whole-report checks → signature → identity → columns → validate → normalise → collapse →
blocks.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from exchange.authority.roster import Roster
from exchange.metrics import spec
from exchange.metrics.labels import ObservationFate, QuarantineStage, ReportFate, SignatureFate
from exchange.protocol.effects import Effects, EffectsBuilder
from exchange.protocol.record import Output, Record
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, Codec
from schemas.quarantine import Refused
from schemas.records import SensorReport
from schemas.vocabulary import NOT_AUTHENTIC, RejectReason
from streams.blocks import blocks
from streams.intake.collapse import Collapsed, Normaliser, collapse, normalise
from streams.intake.columns import MAX_SENSOR_LENGTH, Arrived, Dictionaries, columns_of
from streams.intake.ledger import Ledger, RefusedReport, readable, sensors_at
from streams.intake.presence import Presence
from streams.intake.refused_observation import observation_as_json
from streams.intake.sequences import SequenceFate
from streams.intake.validate import DETAILS, reasons
from streams.refusal import Quarantine, location_of

STATE_FORMAT: Final = 1
SINCE_HEADER: Final = "since"  # when the oldest report in a block was made, for the latency metric
# Originals of a report's refused observations are kept up to this many bytes: a thousand of them may point to one large
# context, and a small report must not become gigabytes of quarantine.
MAX_KEPT_BYTES: Final = 4 << 20
_REFUSALS: Final = {
    SequenceFate.FUTURE_EPOCH: Refused(
        RejectReason.FUTURE_EPOCH,
        "its epoch is later than the time the broker appended it: set the sensor's clock and start a new epoch",
    ),
    SequenceFate.STALE: Refused(
        RejectReason.STALE_EPOCH,
        "its epoch or sequence was closed: it may have been counted, so it is not counted again",
    ),
    SequenceFate.OVER_QUOTA: Refused(
        RejectReason.OVER_QUOTA,
        "its sensor has sent more observations in this minute than one sensor may: look at the sensor, then redrive, "
        "or raise KAKEHASHI_SENSOR_QUOTA",
    ),
}


class Intake(Step[None]):
    """Intake of one nation. One instance serves one shard."""

    name = str(topics.StepKind.INTAKE)

    def __init__(
        self,
        nation: str,
        shard: int,
        shards: int,
        codec: Codec,
        *,
        quota: int,
        roster: Callable[[], Roster],
        normaliser: Normaliser | None = None,
    ) -> None:
        """``quota`` is how many observations of one sensor are accepted in a minute; ``roster`` returns whose
        signatures count. A ``normaliser`` may be shared: an indicator's sensors are of any shard."""
        self._nation, self._shard, self._shards, self._codec = nation, shard, shards, codec
        self._quota, self._roster = quota, roster
        self._presence = Presence(shard, shards)
        self._quarantine = Quarantine(QuarantineStage.INTAKE, shard, codec)
        self._normaliser = normaliser or Normaliser()

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        """The blocks, refusals and counted sequences of these reports."""
        work, roster = _Work(now_ms), self._roster()
        decoded = [(record, self._decoded(record, roster, work)) for record in batch.records]
        reports = [(record, report) for record, report in decoded if report is not None]
        ledger = Ledger([(record, each.report) for record, each in reports], rows, self._quota)
        arrived = []
        for record, each in reports:
            report = each.report
            fate = ledger.count(record, report)
            if fate is SequenceFate.NEW:
                arrived.append((record, each))
                work.tally[spec.REPORTS.tally(_accepted(report))] += 1
                work.tally[spec.SIGNED_REPORTS.tally(_standing(each))] += 1
            elif fate is SequenceFate.DUPLICATE:
                work.tally[spec.REPORTS.tally(ReportFate.DUPLICATE)] += 1
            else:
                self._refuse(work, record, self._refusal(fate, len(report["values"])), report["sensor"])
        if arrived:
            self._write_blocks(arrived, work)
        for change, numbers in ledger.gaps.items():
            work.tally[spec.SEQUENCE_GAPS.tally(change)] += numbers
        gauges = self._presence.gauges(roster, sensors_at(batch.due, rows) | ledger.sensors)
        if reports:
            gauges[spec.SENSOR_QUOTA_USED.at(self.name, self._shard)] = ledger.quota_used
        return Effects(work.outputs, rows=ledger.changes(), tallies=work.tally, gauges=gauges, notes=ledger.notes())

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002
        """The sensors that metrics do not show yet."""
        return self._presence.not_shown(self._roster())

    def _refusal(self, fate: SequenceFate, size: int) -> Refused:
        """Why a report of ``size`` observations with this fate is not counted."""
        if fate is SequenceFate.OVER_QUOTA and size > self._quota:
            return Refused(
                RejectReason.OVER_QUOTA,
                f"has {size} observations, and one sensor may send {self._quota} in a minute: it can never be "
                "accepted. Raise KAKEHASHI_SENSOR_QUOTA and redrive it, or have the sensor send smaller reports",
            )
        return _REFUSALS[fate]

    def _decoded(self, record: Record, roster: Roster, work: "_Work") -> Arrived | None:
        """The report; None if it was refused."""
        found = readable(record, self._codec, self._nation, self._shards, roster)
        if not isinstance(found, RefusedReport):
            return found
        self._refuse(work, record, found.refused, found.sensor)
        if found.refused.reason in NOT_AUTHENTIC:
            work.tally[spec.SIGNED_REPORTS.tally(SignatureFate.REFUSED)] += 1
        return None

    def _refuse(self, work: "_Work", record: Record, refused: Refused, sensor: str) -> None:
        sensor, original = sensor[:MAX_SENSOR_LENGTH], record.value or b""
        self._quarantine.put(location_of(record), refused, original, work, sensor=sensor)
        work.tally[spec.REPORTS.tally(ReportFate.QUARANTINED)] += 1

    def _write_blocks(self, arrived: Sequence[tuple[Record, Arrived]], work: "_Work") -> None:
        """From reports to blocks."""
        dictionaries, rows = Dictionaries(), list[Collapsed]()
        for place, (origin, each) in enumerate(arrived):
            columns = columns_of(each.report, dictionaries)
            refused = reasons(columns, dictionaries, each.appended_ms)
            known, invalid = normalise(columns, refused, self._normaliser)
            for row, reason in sorted(refused.items()):
                self._refuse_observation(work, origin, each, row, Refused(reason, DETAILS[reason]))
            for row, answer in invalid:
                self._refuse_observation(work, origin, each, row, Refused(answer.reason, answer.detail))
            valid = len(known) - len(refused) - len(invalid)
            work.tally[spec.OBSERVATIONS.tally(ObservationFate.VALID)] += valid
            rows += collapse(place, known, columns, each.appended_ms, dictionaries)
        since = ((SINCE_HEADER, b"%d" % min(each.report["produced_at_ms"] for _, each in arrived)),)
        for shard, block in blocks(rows, dictionaries, [each for _, each in arrived], self._shards):
            value = self._codec.encode(OBSERVATION_BLOCK, block)
            work.outputs.append(Output(topics.OBSERVATIONS, shard, b"%d" % shard, value, since))

    def _refuse_observation(
        self, work: "_Work", record: Record, arrived: Arrived, index: int, refused: Refused
    ) -> None:
        position = (record.partition, record.offset)
        has_room = work.kept_bytes[position] < MAX_KEPT_BYTES
        original = observation_as_json(arrived.report, index, in_full=has_room)
        work.kept_bytes[position] += len(original)
        if not has_room:
            detail = f"{refused.detail}. Not kept: too much of its report was refused; the report is on {record.topic}"
            refused = Refused(refused.reason, detail)
        self._quarantine.put(
            location_of(record, index),
            refused,
            original,
            work,
            sensor=arrived.report["sensor"],
            content_type="json",
            keep_bytes=has_room,
        )
        work.tally[spec.OBSERVATIONS.tally(ObservationFate.QUARANTINED)] += 1


def _standing(arrived: Arrived) -> SignatureFate:
    if arrived.report["redrive_of"]:
        return SignatureFate.OFFICER
    return SignatureFate.SENSOR if arrived.authenticated else SignatureFate.UNSIGNED


def _accepted(report: SensorReport) -> ReportFate:
    return ReportFate.REDRIVEN if report["redrive_of"] else ReportFate.ACCEPTED


class _Work(EffectsBuilder):
    """The effects of a batch, and how many bytes of refused observations it keeps of each report."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self.kept_bytes: Counter[tuple[int, int]] = Counter()
