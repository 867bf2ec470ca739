"""Which reports intake counts: those that it can read, each once, by the rows of their sensors."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, cast

import msgspec

from exchange.authority.roster import Roster
from exchange.metrics.labels import GapChange
from exchange.protocol.record import Record, RowChange
from exchange.protocol.rows import Lookup
from schemas.codec import SENSOR_REPORT, Codec, Undecodable
from schemas.identity import shard_of_sensor
from schemas.quarantine import REDRIVEN_ROW, Refused, is_whole
from schemas.records import SensorReport
from schemas.vocabulary import RejectReason
from streams.intake.authenticity import authenticated
from streams.intake.columns import Arrived, check_columns
from streams.intake.sequences import SequenceFate, Sequences
from streams.intake.usable import usable

SENSOR: Final = b"s"
NEARLY: Final = 0.8  # of a quota: logged before reports are refused
_MAX_NOTES: Final = 20  # of a batch: a sensor with many invalid reports must not fill the log


class RefusedReport(msgspec.Struct, frozen=True, gc=False):
    """Why a record is not counted as a report, and the sensor that it names."""

    refused: Refused
    sensor: str = ""


def readable(record: Record, codec: Codec, nation: str, shards: int, roster: Roster) -> Arrived | RefusedReport:
    """The report, if its bytes are one for this nation that is consistent, on its sensor's partition, and signed as the
    roster demands."""
    found = codec.decode(SENSOR_REPORT, record.value)
    if isinstance(found, Undecodable):
        return RefusedReport(Refused(found.reason, found.detail))
    report = cast(SensorReport, found)
    wrong = check_columns(report)
    if wrong is not None:
        return RefusedReport(wrong, report["sensor"])
    if report["nation"] != nation:
        detail = f"a sensor of {report['nation']} reports to {nation}'s exchange"
        return RefusedReport(Refused(RejectReason.WRONG_NATION, detail), report["sensor"])
    shard = shard_of_sensor(report["sensor"], shards)
    if shard != record.partition:
        detail = (
            f"is on partition {record.partition}; all reports of {report['sensor']} belong on {shard}, where each is "
            "counted once: give the producer the contract's partitioner"
        )
        return RefusedReport(Refused(RejectReason.KEY_MISMATCH, detail), report["sensor"])
    signed = authenticated(record, report, codec, roster)
    if isinstance(signed, Refused):
        return RefusedReport(signed, report["sensor"])
    return Arrived(report, record.timestamp_ms, signed)


def sensors_at(keys: Sequence[bytes], rows: Lookup) -> dict[bytes, Sequences]:
    """The counted reports of the sensors whose rows these are; none if there is no row."""
    return {key: _sequences(row) for key, row in zip(keys, rows.get_many(keys), strict=True)}


def _sequences(row: bytes | None) -> Sequences:
    return Sequences() if row is None else msgspec.msgpack.decode(row, type=Sequences)


class Ledger:
    """Which reports were counted: the rows of the ``sensors`` in this batch, as they were and as they become.

    A redriven entry is counted under its quarantine key, once. A whole report uses up its sequence number as well, so
    that only one of several refused copies counts. An observation that is refused again does not use up its key: it can
    be corrected until it is accepted.
    """

    def __init__(self, reports: Sequence[tuple[Record, SensorReport]], rows: Lookup, quota: int) -> None:
        self._quota = quota
        keys = list(dict.fromkeys(key for _, report in reports for key in _ledger_keys(report)))
        found = zip(keys, rows.get_many(keys), strict=True)
        self.sensors: dict[bytes, Sequences] = {}
        self._redriven: dict[bytes, bool] = {}
        for key, row in found:
            if key.startswith(REDRIVEN_ROW):
                self._redriven[key] = row is not None
            else:
                self.sensors[key] = _sequences(row)
        self._usable = _usable([each for each in reports if not self._redriven.get(_ledger_keys(each[1])[-1])])
        self._changed: dict[bytes, None] = {}
        self._notes: dict[str, None] = {}
        self.gaps: Counter[GapChange] = Counter()
        self.quota_used = 0.0

    def count(self, record: Record, report: SensorReport) -> SequenceFate:
        """The fate of the report in this record; a new one is counted from now on."""
        appended_ms = record.timestamp_ms
        sensor, *redriven = _ledger_keys(report)
        known = after = self.sensors[sensor]
        epoch, sequence, size = report["epoch"], report["sequence"], len(report["values"])
        if not redriven:
            fate = known.fate_of(epoch, sequence, size, appended_ms, self._quota)
            if fate is SequenceFate.NEW:
                after = known.counted(epoch, sequence, size, appended_ms).seen(size, appended_ms)
        elif self._redriven[redriven[0]]:
            return SequenceFate.DUPLICATE
        else:
            whole = is_whole(report["redrive_of"])
            fate = known.fate_of_redriven(epoch, sequence, size, appended_ms, self._quota, whole=whole)
            if fate is SequenceFate.NEW:
                after = known.counted_redriven(epoch, sequence, size, appended_ms, whole=whole)
                if whole or record.offset in self._usable:
                    self._redriven[redriven[0]] = True
                    self._changed[redriven[0]] = None
        if fate is SequenceFate.NEW:
            self._count_gaps(report["sensor"], known, after, epoch, sequence)
            self.sensors[sensor] = after
            self._changed[sensor] = None
        self._watch_quota(report["sensor"], fate, known.used_in(appended_ms), after.used_in(appended_ms))
        return fate

    def _watch_quota(self, sensor: str, fate: SequenceFate, before: int, after: int) -> None:
        """Note how much of its quota the sensor has used in this minute; name it if it is near or over the quota."""
        self.quota_used = max(self.quota_used, after / self._quota)
        if fate is SequenceFate.OVER_QUOTA:
            self._note(f"sensor.over_quota sensor={sensor!a} quota={self._quota}: its reports go to quarantine")
        elif before < NEARLY * self._quota <= after:
            self._note(f"sensor.near_quota sensor={sensor!a} used={after} quota={self._quota}")

    def _note(self, line: str) -> None:
        self._notes[line] = None

    def notes(self) -> list[str]:
        """The log lines of this batch: gaps, and sensors near their quota."""
        lines = list(self._notes)
        left_out = len(lines) - _MAX_NOTES
        return lines if left_out <= 0 else [*lines[:_MAX_NOTES], f"sensor.more notes={left_out}"]

    def _count_gaps(self, sensor: str, before: Sequences, after: Sequences, epoch: int, sequence: int) -> None:
        """Count the gaps that this number opened or filled, and those that were given up to bound the row."""
        if before.epochs is after.epochs:
            return
        change = before.gap(epoch, sequence)
        self.gaps[GapChange.OPENED] += max(0, change)
        self.gaps[GapChange.FILLED] += max(0, -change)
        given_up = before.missing + change - after.missing
        self.gaps[GapChange.GIVEN_UP] += given_up
        where = f"sensor={sensor!a} epoch={epoch}"
        if change > 0:
            self._note(f"sensor.gap {where} from={sequence - change} to={sequence - 1}: these reports are missing")
        elif change < 0:
            self._note(f"sensor.gap_filled {where} sequence={sequence}")
        if given_up:
            self._note(
                f"sensor.gap_given_up {where} reports={given_up}: too many gaps are open; late, they are refused"
            )

    def changes(self) -> list[RowChange]:
        """The rows that this batch changed."""
        return [
            RowChange(key, b"" if key in self._redriven else msgspec.msgpack.encode(self.sensors[key]))
            for key in self._changed
        ]


def _usable(reports: Sequence[tuple[Record, SensorReport]]) -> set[int]:
    """The offsets of redriven observations that are not refused again."""
    redriven = [
        (record, report) for record, report in reports if report["redrive_of"] and not is_whole(report["redrive_of"])
    ]
    found = usable([Arrived(report, record.timestamp_ms) for record, report in redriven])
    return {redriven[place][0].offset for place in found}


def _ledger_keys(report: SensorReport) -> list[bytes]:
    """The rows that a report is counted in: its sensor's, and its quarantine key's if it is redriven."""
    keys = [SENSOR + report["sensor"].encode()]
    if report["redrive_of"]:
        keys.append(REDRIVEN_ROW + report["redrive_of"].encode())
    return keys
