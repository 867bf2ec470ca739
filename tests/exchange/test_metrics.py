"""Metrics count, stay bounded, are there from the start, and are served with the health of the process."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from exchange.errors import ConfigurationError
from exchange.health import Health
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.metrics.labels import BatchOutcome, QuarantineStage, ReportFate
from exchange.metrics.registry import Metrics, Page, serve
from schemas.vocabulary import Outcome, RecordKind, RejectReason


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Role.STREAMS, "GBR", "0.1.0", {"partner": ["JPN"], "step": ["intake"]})


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"kakehashi_{name}", labels)


def get(page: Page, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{page.address}:{page.port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_counter_counts(metrics: Metrics) -> None:
    metrics.add(spec.REPORTS, 3, ReportFate.ACCEPTED)
    metrics.add(spec.REPORTS, 2, ReportFate.ACCEPTED)
    assert value(metrics, "reports_total", fate="accepted") == 5


def test_what_pure_code_tallied_is_counted(metrics: Metrics) -> None:
    metrics.count({spec.DECISIONS.tally("JPN", Outcome.HOLD): 7, spec.AUDIT_ENTRIES.tally(): 9})
    assert value(metrics, "decisions_total", partner="JPN", outcome="hold") == 7
    assert value(metrics, "audit_entries_total") == 9


def test_a_gauge_shows_the_last_value_and_a_histogram_all_of_them(metrics: Metrics) -> None:
    metrics.set(spec.LAG_RECORDS, 40, "intake", 3)
    metrics.set(spec.LAG_RECORDS, 4, "intake", 3)
    metrics.observe(spec.BATCH_SECONDS, 0.02, "intake")
    metrics.observe(spec.BATCH_SECONDS, 3.0, "intake")
    assert value(metrics, "lag_records", step="intake", shard="3") == 4
    assert value(metrics, "batch_seconds_count", step="intake") == 2
    assert value(metrics, "batch_seconds_bucket", step="intake", le="0.025") == 1


def test_counters_of_the_role_are_there_at_zero_from_the_start(metrics: Metrics) -> None:
    assert value(metrics, "reports_total", fate="quarantined") == 0
    assert value(metrics, "decisions_total", partner="JPN", outcome="release") == 0
    assert value(metrics, "refused_records_total", stage="receive", reason="looped") == 0
    assert value(metrics, "batches_total", step="intake", outcome="uncertain") == 0
    assert value(metrics, "published_reports_total") == 0  # without labels there is nothing to leave out
    assert value(metrics, "replicated_records_total", **{"from": "GBR", "to": "JPN", "kind": "content"}) is None


def test_the_gauges_of_a_shard_that_moved_away_are_gone(metrics: Metrics) -> None:
    for shard in (0, 1):
        metrics.set(spec.BEHIND_SECONDS, 12, "correlate", shard)
        metrics.set(spec.SHARD_STATE, 2, "correlate", shard)
    metrics.forget("correlate", 1)
    metrics.forget("correlate", 99)
    assert value(metrics, "behind_seconds", step="correlate", shard="0") == 12
    assert value(metrics, "behind_seconds", step="correlate", shard="1") is None
    assert value(metrics, "shard_state", step="correlate", shard="1") is None
    metrics.set(spec.SHARD_STATE, 1, "correlate", 1)
    assert value(metrics, "shard_state", step="correlate", shard="1") == 1


def test_a_label_beyond_its_limit_is_counted_as_other_and_the_overflow_is_counted_too(metrics: Metrics) -> None:
    for rule in range(300):
        metrics.add(spec.RULE_HITS, 1, f"rule-{rule}")
    assert value(metrics, "rule_hits_total", rule="rule-255") == 1
    assert value(metrics, "rule_hits_total", rule="rule-256") is None
    assert value(metrics, "rule_hits_total", rule="other") == 44
    assert value(metrics, "label_overflows_total", metric="rule_hits_total") == 44


def test_the_number_of_series_is_bounded_whatever_is_counted(metrics: Metrics) -> None:
    def series() -> int:
        return sum(len(family.samples) for family in metrics.registry.collect())

    for number in range(600):
        metrics.add(spec.RELEASED_RECORDS, 1, f"nation-{number}", RecordKind.CONTENT)
    before = series()
    for number in range(600, 2000):
        metrics.add(spec.RELEASED_RECORDS, 1, f"nation-{number}", RecordKind.CONTENT)
    assert series() == before


def test_threads_do_not_lose_counts(metrics: Metrics) -> None:
    def work() -> None:
        for _ in range(1000):
            metrics.add(spec.BATCHES, 1, "intake", BatchOutcome.COMMITTED)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(metrics, "batches_total", step="intake", outcome="committed") == 4000


def test_the_build_is_reported(metrics: Metrics) -> None:
    assert value(metrics, "build_info", version="0.1.0", nation="GBR", role="streams") == 1


def test_two_processes_worth_of_metrics_live_side_by_side(metrics: Metrics) -> None:
    other = Metrics(Role.BRIDGE, "JPN", "0.1.0", {"from": ["JPN"], "to": ["GBR"]})
    other.add(spec.REPLICATED_RECORDS, 1, "JPN", "GBR", RecordKind.RECALLED)
    metrics.add(spec.QUARANTINED_RECORDS, 1, QuarantineStage.INTAKE, RejectReason.TRUNCATED)
    assert value(other, "replicated_records_total", **{"from": "JPN", "to": "GBR", "kind": "content"}) == 0
    assert value(other, "quarantined_records_total", stage="intake", reason="truncated") is None


@pytest.fixture
def page(metrics: Metrics) -> Iterator[Page]:
    served = serve(metrics, 0, ready=lambda: Health(False, "intake shard 1 is restoring"))
    yield served
    served.close()


def test_prometheus_reads_the_metrics(metrics: Metrics, page: Page) -> None:
    metrics.add(spec.REPORTS, 3, ReportFate.DUPLICATE)
    status, body = get(page, "/metrics")
    assert status == 200
    assert 'kakehashi_reports_total{fate="duplicate"} 3.0' in body
    assert "process_resident_memory_bytes" in body
    assert "_created" not in body


def test_health_is_served_with_its_reason(page: Page) -> None:
    assert get(page, "/live") == (200, "nothing to watch\n")
    assert get(page, "/ready") == (503, "intake shard 1 is restoring\n")


def test_any_other_path_states_what_is_here(page: Page) -> None:
    assert get(page, "/") == (404, "/metrics, /live and /ready are here\n")


def test_port_zero_is_logged_as_the_port_that_was_found(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "exchange.metrics.registry"):
        served = serve(metrics, 0)
    served.close()
    assert served.port > 0
    assert caplog.messages == [f"metrics.serving address=127.0.0.1 port={served.port}"]


def test_a_taken_port_is_a_configuration_error_that_states_what_to_do(metrics: Metrics, page: Page) -> None:
    with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1 port {page.port}: .*Choose another port, or 0"):
        serve(metrics, page.port)


def test_the_page_is_served_on_ipv6_too(metrics: Metrics) -> None:
    served = serve(metrics, 0, "::1")
    try:
        with urllib.request.urlopen(f"http://[::1]:{served.port}/live", timeout=5) as response:
            assert response.status == 200
    finally:
        served.close()
