"""A producer's metrics, as Prometheus reads them."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import promql_parser

from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from producers.meter import Meter
from producers.produce import Options, produce
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.helm.chart import CHART, load
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched


def test_what_waits_what_is_published_and_what_was_refused_is_counted(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\nno indicator\nb.example.com\nnor this\n")
    metrics = Metrics(Role.PRODUCE, "GBR", "0")
    clock = [NOW_MS + 2500]
    publisher: Publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    meter = Meter(metrics, Unwatched(), sensor_spool, publisher, lambda: clock[0])
    options = Options(SENSOR, (str(file),))
    summary = produce(options, sensor_spool, publisher, meter, codec=CODEC, now_ms=lambda: NOW_MS)
    meter.finish(summary)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"kakehashi_{name}", labels)

    assert (value("spool_reports"), value("spool_oldest_seconds")) == (1, 2.5)
    clock[0] += 400_000  # no step, no turn: the run does not go on
    assert value("spool_oldest_seconds") == 402.5
    assert value("published_reports_total") == 0
    assert value("quarantined_records_total", stage="produce", reason="unknown-type") == 2
    sensor_spool.acknowledge(sensor_spool.unsent(0, 10))
    publisher.reports, publisher.observations, publisher.errors = 1, 2, 3
    summary.rejected = Counter({RejectReason.UNKNOWN_TYPE: 5})
    meter.finish(summary)
    assert (value("spool_reports"), value("spool_oldest_seconds")) == (0, 0)
    assert (value("published_reports_total"), value("published_observations_total")) == (1, 2)
    assert value("publish_errors_total") == 3
    assert value("quarantined_records_total", stage="produce", reason="unknown-type") == 5


def test_the_alert_on_an_old_spool_fires_on_the_metric_of_an_outage(sensor_spool: Spool) -> None:
    """One report, no line after it, and a cluster that does not answer for an hour."""
    (rule,) = (
        rule
        for group in load(CHART / "files" / "alerts.yaml")["groups"]
        for rule in group["rules"]
        if rule["alert"] == "KakehashiSpoolOld"
    )
    expression = promql_parser.parse(rule["expr"])
    assert isinstance(expression, promql_parser.BinaryExpr)
    series, limit = expression.lhs, expression.rhs
    assert isinstance(series, promql_parser.VectorSelector)
    assert isinstance(limit, promql_parser.NumberLiteral)
    assert str(expression.op) == ">"
    metrics, clock = Metrics(Role.PRODUCE, "GBR", "0"), [NOW_MS]
    Meter(metrics, Unwatched(), sensor_spool, OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name), lambda: clock[0])
    source = sensor_spool.open_input("-", 0, b"pipe", NOW_MS)

    def is_over() -> bool:
        value = metrics.registry.get_sample_value(str(series.name))
        assert value is not None
        return bool(value > limit.val)

    def fires_within(minutes: int) -> int | None:
        """The minute in which it fires: the expression held at each scrape for as long as ``for`` asks."""
        held = timedelta()
        for minute in range(minutes):
            clock[0] += 60_000
            held = held + timedelta(minutes=1) if is_over() else timedelta()
            if held > promql_parser.parse_duration(rule["for"]):
                return minute
        return None

    assert fires_within(60) is None
    report = (b"edge-1", b"report", 1)
    sensor_spool.append(source, line=1, item=1, complete=False, report=report, refusals=(), now_ms=clock[0])
    assert fires_within(60) == 10
    sensor_spool.acknowledge(sensor_spool.unsent(0, 1))
    assert fires_within(60) is None
