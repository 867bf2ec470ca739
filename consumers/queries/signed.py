"""What was accepted with one key of a sensor: the harm of a stolen key, by indicator."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster, offset_at
from exchange.kafka.progress import last_progress
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key, shard_of_sensor
from schemas.normalise import Invalid, canonical
from schemas.quarantine import Location
from schemas.records import SensorReport
from schemas.report_signature import signature_in
from schemas.vocabulary import IndicatorType

_KINDS: Final = frozenset(map(int, IndicatorType))


@dataclass(slots=True)
class Reported:
    """One indicator: in how many rows it was reported, in how many withdrawn, and when first and last, by the broker's
    time in milliseconds since 1970, UTC."""

    indicator_id: str
    type: str
    value: str
    first_ms: int
    last_ms: int
    reported: int = 0
    withdrawn: int = 0


@dataclass(slots=True)
class SignedReports:
    """The reports of one key that intake has counted, by indicator; ``refused`` and ``waiting`` are whole reports that
    it has refused, or not read yet. ``kept_from_ms`` is when the oldest report was appended that the topic still has, 0
    if it has none: earlier ones are deleted."""

    kept_from_ms: int
    accepted: int = 0
    refused: int = 0
    waiting: int = 0
    indicators: dict[str, Reported] = field(default_factory=dict)


def signed_reports(cluster: Cluster, sensor: str, key_id: str, since_ms: int, codec: Codec) -> SignedReports:
    """What was appended since with this key. Raises NotFound if a topic is missing, BrokerUnavailable if no broker
    answers."""
    with TopicReader(cluster, topics.SENSOR_REPORTS) as reports, TopicReader(cluster, topics.QUARANTINE) as quarantine:
        shard = shard_of_sensor(sensor, len(reports.partitions))
        refused = {
            (each.key or b"").decode("utf-8", "replace")
            for each in quarantine.records(shard)  # intake's refusals are in its own partition
        }
        progress = last_progress(cluster, topics.StepKind.INTAKE, shard, codec)
        inputs = () if progress is None else progress["inputs"]
        taken = next((each["next_offset"] for each in inputs if each["topic"] == topics.SENSOR_REPORTS), 0)
        begin, end = reports.bounds(shard)
        first = next(iter(reports.read(shard, begin, min(begin + 1, end))), None)
        start = offset_at(cluster, topics.SENSOR_REPORTS, shard, since_ms)
        found = reports.read(shard, end if start is None else max(begin, start), end)
        kept_from_ms = 0 if first is None else first.timestamp_ms
        return of_records(found, sensor, key_id, codec, refused, taken, kept_from_ms)


def of_records(
    records: Iterable[Record],
    sensor: str,
    key_id: str,
    codec: Codec,
    refused: Collection[str],
    taken: int,
    kept_from_ms: int,
) -> SignedReports:
    """The same of these records; ``refused`` are quarantine keys, ``taken`` is the offset up to which intake has read.

    A report counts once, as intake counts it: a copy of it is left out.
    """
    found, counted = SignedReports(kept_from_ms), set[tuple[int, int]]()
    for record in records:
        signature = signature_in(record.headers)
        if signature is None or signature.key != key_id:
            continue
        report = codec.decode(SENSOR_REPORT, record.value)
        if isinstance(report, Undecodable) or report["sensor"] != sensor:
            continue
        if record.offset >= taken:
            found.waiting += 1
        elif Location(record.topic, record.partition, record.offset).key in refused:
            found.refused += 1
        elif (identity := (report["epoch"], report["sequence"])) not in counted:
            counted.add(identity)
            found.accepted += 1
            for each, is_withdrawn in _rows(cast("SensorReport", report), record, refused):
                known = found.indicators.setdefault(each.indicator_id, each)
                known.reported += not is_withdrawn
                known.withdrawn += is_withdrawn
                known.last_ms = max(known.last_ms, each.last_ms)
    return found


def _rows(report: SensorReport, record: Record, refused: Collection[str]) -> Iterator[tuple[Reported, bool]]:
    """The rows that were not refused, and whether each one withdraws its indicator."""
    withdrawals = report.get("withdrawals") or bytes(len(report["values"]))
    for row, (kind, value, withdrawal) in enumerate(zip(report["kinds"], report["values"], withdrawals, strict=False)):
        if kind not in _KINDS or Location(record.topic, record.partition, record.offset, row).key in refused:
            continue
        result = canonical(IndicatorType(kind), value)
        if not isinstance(result, Invalid):
            name = indicator_id(indicator_key(*result))
            at_ms = record.timestamp_ms
            yield Reported(name, result[0].label, result[1], at_ms, at_ms), bool(withdrawal)
