"""What was accepted with one key of a sensor: counted as intake counts it, and nothing of another key."""

from typing import Any

from consumers.queries.signed import Reported, SignedReports, of_records, signed_reports
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_sensor
from schemas.records import SensorReport
from schemas.report_signature import signature_header
from schemas.signing import key_id, public_of
from schemas.vocabulary import IndicatorType, Withdrawal
from tests.builders import HOUR_MS, NOW_MS, a_report, an_observation
from tests.conftest import Brokers
from tests.officers import key_of
from tests.producers.reading_topics import SHARDS, with_topics

CODEC = Codec()
STOLEN, NEXT = key_of("stolen"), key_of("next")
KEY_ID = key_id(public_of(STOLEN))
ONE = indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, "one.example"))
TWO = indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, "two.example"))


def rows(*values: str, **changes: Any) -> list[Any]:
    return [an_observation(value=value, **changes) for value in values]


def record(offset: int, report: SensorReport, key: Any = STOLEN, at_ms: int = NOW_MS) -> Record:
    value = CODEC.encode(SENSOR_REPORT, report)
    headers = () if key is None else (signature_header(CODEC, value, key),)
    return Record(topics.SENSOR_REPORTS, 0, offset, b"edge-1", value, at_ms, headers)


def found_in(*records: Record, refused: frozenset[str] = frozenset(), taken: int = 100) -> SignedReports:
    return of_records(records, "edge-1", KEY_ID, CODEC, refused, taken, NOW_MS)


def test_each_indicator_has_how_often_it_was_reported_and_withdrawn_and_when() -> None:
    found = found_in(
        record(0, a_report(rows("one.example", "TWO[.]example"))),
        record(1, a_report(rows("one.example", withdrawal=Withdrawal.REVOKED), sequence=1), at_ms=NOW_MS + HOUR_MS),
    )
    assert found.indicators == {
        ONE: Reported(ONE, "domain-name", "one.example", NOW_MS, NOW_MS + HOUR_MS, 1, 1),
        TWO: Reported(TWO, "domain-name", "two.example", NOW_MS, NOW_MS, 1, 0),
    }
    assert (found.accepted, found.refused, found.waiting) == (2, 0, 0)


def test_what_another_key_or_no_one_signed_or_another_sensor_reported_is_not_in_it() -> None:
    found = found_in(
        record(0, a_report(rows("one.example")), NEXT),
        record(1, a_report(rows("one.example")), None),
        record(2, a_report(rows("one.example"), sensor="edge-2")),
        Record(topics.SENSOR_REPORTS, 0, 3, b"edge-1", b"\0damaged", NOW_MS),
    )
    assert (found.indicators, found.accepted) == ({}, 0)


def test_a_refused_report_and_a_refused_row_were_not_accepted_and_a_copy_counts_once() -> None:
    both = a_report(rows("one.example", "two.example"))
    found = found_in(
        record(0, both),
        record(1, both),
        record(2, a_report(rows("one.example"), sequence=1)),
        refused=frozenset({"sensor.reports.v1-0-0-1", "sensor.reports.v1-0-2--1"}),
    )
    assert {name: each.reported for name, each in found.indicators.items()} == {ONE: 1}
    assert (found.accepted, found.refused) == (1, 1)


def test_what_intake_has_not_read_yet_only_waits() -> None:
    found = found_in(record(7, a_report(rows("one.example"))), taken=7)
    assert (found.waiting, found.indicators) == (1, {})


def test_the_topics_of_a_nation_are_read_from_the_time_on(brokers: Brokers, unique: str) -> None:
    cluster, sensor = with_topics(Cluster("GBR", brokers.gbr)), f"{unique}edge"
    producer, shard = idempotent_producer(cluster), shard_of_sensor(f"{unique}edge", SHARDS)
    for sequence in range(3):
        value = CODEC.encode(SENSOR_REPORT, a_report(rows("one.example"), sensor=sensor, sequence=sequence))
        producer.produce(
            topics.SENSOR_REPORTS,
            value,
            sensor.encode(),
            shard,
            headers=[signature_header(CODEC, value, NEXT if sequence == 1 else STOLEN)],
        )
    producer.produce(topics.QUARANTINE, b"", b"of another report", shard)
    assert producer.flush(30) == 0
    found = signed_reports(cluster, sensor, KEY_ID, 1, CODEC)
    assert (found.waiting, found.accepted, found.refused) == (2, 0, 0), "no intake runs on this cluster"
    assert found.kept_from_ms > 0
    assert signed_reports(cluster, sensor, KEY_ID, found.kept_from_ms + 9 * 24 * HOUR_MS, CODEC).waiting == 0
