"""Publishing on real Kafka: where it goes, that all of it arrives, and a cluster that is down."""

import threading
from pathlib import Path
from typing import cast

import pytest
from confluent_kafka import KafkaError

from exchange.errors import ConfigurationError
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Headers
from localkafka.broker import Broker
from producers.produce import Options, produce
from producers.report import observations_of
from producers.signing import signing
from producers.spool.batch import Sensor
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from schemas import topics
from schemas.identity import shard_of_sensor
from schemas.report_signature import is_signed_by, signature_in
from schemas.signing import public_of
from tests.builders import NOW_MS
from tests.conftest import Brokers
from tests.officers import key_of, write_key
from tests.polling import eventually
from tests.producers.producing import CODEC, Unwatched, run
from tests.producers.reading_feeds import FEEDS, observations, recorded
from tests.producers.reading_topics import (
    SHARDS,
    messages,
    published_refusals,
    published_reports,
    with_topics,
)

FEED = "txt/formbook.txt.gz"


@pytest.fixture
def gbr(brokers: Brokers) -> Cluster:
    return with_topics(Cluster("GBR", brokers.gbr))


def test_all_of_a_feed_arrives_in_order_under_its_sensors_key_and_partition(
    gbr: Cluster, unique: str, tmp_path: Path
) -> None:
    sensor = Sensor("GBR", f"{unique}edge")
    with Spool(tmp_path, sensor.nation, sensor.name, NOW_MS) as spool:
        publisher = Publisher(gbr, spool, sensor.name)
        options = Options(sensor, (str(FEEDS / FEED),), deadline_s=60)
        summary = produce(options, spool, publisher, Unwatched(), codec=CODEC, now_ms=lambda: NOW_MS)
        assert spool.pending_records == 0
    reports = published_reports(gbr, sensor.name)
    assert [report["sequence"] for report in reports] == list(range(summary.reports))
    seen = [row for report in reports for row in observations_of(report)]
    assert seen == observations(recorded(FEED, "txt-list"))
    refused = published_refusals(gbr, sensor.name)
    assert len({record["key"] for record in refused}) == len(refused) == summary.rejected.total() == 445
    assert (publisher.reports, publisher.observations) == (summary.reports, summary.observations)
    [place] = {message.partition() for message in messages(gbr, topics.SENSOR_REPORTS, sensor.name)}
    assert place == shard_of_sensor(sensor.name, SHARDS)


def test_what_an_earlier_process_left_is_sent_without_reading_anything(
    gbr: Cluster, unique: str, tmp_path: Path
) -> None:
    sensor = Sensor("GBR", f"{unique}edge")
    (tmp_path / "list.txt").write_text("a.example.com\n")
    with Spool(tmp_path / "spool", sensor.nation, sensor.name, NOW_MS) as spool:
        run(spool, tmp_path / "list.txt", sensor=sensor)
    with Spool(tmp_path / "spool", sensor.nation, sensor.name, NOW_MS) as spool:
        publisher = Publisher(gbr, spool, sensor.name)
        publisher.drain(60)
    [report] = published_reports(gbr, sensor.name)
    assert (report["values"], report["sensor"]) == (["a.example.com"], sensor.name)


def test_a_sensor_that_starts_before_its_cluster_and_outlives_a_restart_loses_nothing(
    own_broker: Broker, unique: str, tmp_path: Path
) -> None:
    cluster = with_topics(Cluster("GBR", own_broker.bootstrap))
    sensor = Sensor("GBR", f"{unique}edge")
    (tmp_path / "one.txt").write_text("".join(f"n{number}.example.com\n" for number in range(2000)))
    (tmp_path / "two.txt").write_text("".join(f"m{number}.example.com\n" for number in range(2000)))
    own_broker.kill()
    with Spool(tmp_path / "spool", sensor.nation, sensor.name, NOW_MS) as spool:
        publisher = Publisher(cluster, spool, sensor.name)
        run(spool, tmp_path / "one.txt", sensor=sensor, report_size=50)
        eventually(lambda: _is_in_trouble(publisher), 20, "trouble is told")
        assert spool.pending_reports == 40
        own_broker.restart()
        publisher.drain(60)
        assert not publisher.trouble
        run(spool, tmp_path / "two.txt", sensor=sensor, report_size=50)
        publisher.pump(0.0)  # some of it is in flight
        own_broker.kill()
        threading.Thread(target=own_broker.restart).start()
        publisher.drain(60)
    reports = published_reports(cluster, sensor.name)
    assert sorted({report["sequence"] for report in reports}) == list(range(80))
    by_sequence = {report["sequence"]: report["values"] for report in reports}
    assert len({(report["sequence"], *report["values"]) for report in reports}) == 80
    assert [value for number in range(80) for value in by_sequence[number]] == [
        *(f"n{number}.example.com" for number in range(2000)),
        *(f"m{number}.example.com" for number in range(2000)),
    ]


def test_missing_topics_are_reported_with_what_to_do_and_the_spool_keeps_all(
    own_broker: Broker, unique: str, tmp_path: Path
) -> None:
    sensor = Sensor("GBR", f"{unique}edge")
    (tmp_path / "list.txt").write_text("a.example.com\n")
    with Spool(tmp_path / "spool", sensor.nation, sensor.name, NOW_MS) as spool:
        run(spool, tmp_path / "list.txt", sensor=sensor)
        publisher = Publisher(Cluster("GBR", own_broker.bootstrap), spool, sensor.name)
        with pytest.raises(ConfigurationError, match=r"no topic sensor\.reports\.v1 and no quarantine\.v1: create"):
            publisher.drain(20)
        assert spool.pending_reports == 1


def test_an_error_that_no_attempt_mends_ends_it_and_others_are_tried_again(
    gbr: Cluster, unique: str, tmp_path: Path
) -> None:
    sensor = Sensor("GBR", f"{unique}edge")
    (tmp_path / "list.txt").write_text("".join(f"n{number}.example.com\n" for number in range(30)))
    with Spool(tmp_path / "spool", sensor.nation, sensor.name, NOW_MS) as spool:
        run(spool, tmp_path / "list.txt", sensor=sensor, report_size=10)
        publisher = Publisher(gbr, spool, sensor.name)
        entries = spool.unsent(0, 10)
        for entry, code in zip(entries, (KafkaError._MSG_TIMED_OUT, KafkaError._FATAL), strict=False):
            publisher._in_flight[entry.id] = entry
            publisher._delivered(entry, KafkaError(code), None)  # type: ignore[arg-type]
            publisher._last_id = entry.id
        publisher.drain(60)
        assert publisher.errors == 2
        assert sorted(report["sequence"] for report in published_reports(gbr, sensor.name)) == [0, 1, 2]
        publisher._in_flight[entries[0].id] = entries[0]
        publisher._delivered(entries[0], KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), None)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="grant it WRITE"):
            publisher.pump()


def _is_in_trouble(publisher: Publisher) -> bool:
    publisher.pump(0.05)
    return bool(publisher.trouble)


def test_a_sensor_with_a_key_signs_each_report_and_no_refusal(gbr: Cluster, unique: str, tmp_path: Path) -> None:
    sensor = Sensor("GBR", f"{unique}edge")
    key = write_key("edge", tmp_path)
    (tmp_path / "list.txt").write_text("a.example.com\nno value\nb.example.com\n")
    with Spool(tmp_path / "spool", sensor.nation, sensor.name, NOW_MS) as spool:
        run(spool, tmp_path / "list.txt", sensor=sensor)
        publisher = Publisher(gbr, spool, sensor.name, signing(CODEC, key))
        publisher.drain(60)
    [report] = messages(gbr, topics.SENSOR_REPORTS, sensor.name)
    signature = signature_in(cast("Headers", report.headers() or ()))
    assert signature is not None
    assert is_signed_by(public_of(key_of("edge")), CODEC, report.value() or b"", signature)
    [refusal] = messages(gbr, topics.QUARANTINE, sensor.name)
    assert not refusal.headers()


@pytest.mark.parametrize("mode", [0o604, 0o660, 0o640])
def test_a_key_that_others_can_read_is_refused_but_for_its_group(mode: int, tmp_path: Path) -> None:
    key = write_key("edge", tmp_path)
    key.chmod(mode)
    if mode == 0o640:
        assert signing(CODEC, key) is not None
        return
    with pytest.raises(ConfigurationError, match="can be read by others"):
        signing(CODEC, key)
