"""A producer's metrics, as Prometheus reads them."""

from collections import Counter
from pathlib import Path

from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from producers.meter import Meter
from producers.produce import Options, produce
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched


def test_what_waits_what_is_published_and_what_was_refused_is_counted(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\nno indicator\nb.example.com\nnor this\n")
    metrics = Metrics(Role.PRODUCE, "GBR", "0")
    publisher: Publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    meter = Meter(metrics, Unwatched(), lambda: NOW_MS + 2500)
    options = Options(SENSOR, (str(file),))
    summary = produce(options, sensor_spool, publisher, meter, codec=CODEC, now_ms=lambda: NOW_MS)
    meter.finish(summary, sensor_spool, publisher)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"kakehashi_{name}", labels)

    assert (value("spool_reports"), value("spool_oldest_seconds")) == (1, 2.5)
    assert value("published_reports_total") == 0
    assert value("quarantined_records_total", stage="produce", reason="unknown-type") == 2
    sensor_spool.acknowledge(sensor_spool.unsent(0, 10))
    publisher.reports, publisher.observations, publisher.errors = 1, 2, 3
    summary.rejected = Counter({RejectReason.UNKNOWN_TYPE: 5})
    meter.finish(summary, sensor_spool, publisher)
    assert (value("spool_reports"), value("spool_oldest_seconds")) == (0, 0)
    assert (value("published_reports_total"), value("published_observations_total")) == (1, 2)
    assert value("publish_errors_total") == 3
    assert value("quarantined_records_total", stage="produce", reason="unknown-type") == 5
