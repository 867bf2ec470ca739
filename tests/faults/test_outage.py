"""A cluster that does not answer, on a quiet system: readiness, a metric, an alert within a minute, and a short log."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import promql_parser
import pytest

from exchange.errors import ExchangeError
from tests.helm.chart import CHART, load
from tests.integration.nations import Nations, two_nations
from tests.integration.role import Role
from tests.polling import eventually

pytestmark = pytest.mark.kafka

WITHIN_S: Final = 40.0
SCRAPE_S: Final = 30.0  # Prometheus' interval in the chart, at most
MOST_LINES: Final = 40


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Nations]:
    """A nation with a worker and a bridge, which have nothing to do."""
    try:
        with two_nations(tmp_path, shards=1, more={"KAKEHASHI_POLICY_LEAD_S": "10"}) as both:
            both.add_worker("GBR")
            both.add_bridge("GBR")
            both.start()
            for role in both.all_roles:
                eventually(lambda role=role: asked(role, "ready")[0] == 200, WITHIN_S, f"{role.name} is ready")  # type: ignore[misc]
            yield both
    except ExchangeError as error:
        pytest.fail(f"No Kafka for this test: {error}", pytrace=False)


def asked(role: Role, path: str) -> tuple[int, str]:
    """What its page answers. Fails if the process has ended."""
    found = re.search(r"metrics.serving address=\S+ port=(\d+)", role.log.read_text("utf-8"))
    assert role.runs, role.tail()
    if found is None:
        return 0, ""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def silent_s(role: Role) -> float:
    """The metric, as Prometheus reads it."""
    [value] = re.findall(r'^kakehashi_cluster_silent_seconds\{cluster="GBR"\} (\S+)$', asked(role, "metrics")[1], re.M)
    return float(value)


def threshold_of(alert: str) -> tuple[str, float, float]:
    """The metric that an alert looks at, above what it fires, and for how many seconds it waits then."""
    [rule] = [each for group in load(CHART / "files" / "alerts.yaml")["groups"] for each in group["rules"]
              if each["alert"] == alert]  # fmt: skip
    expression = promql_parser.parse(rule["expr"])
    assert isinstance(expression, promql_parser.BinaryExpr)
    assert isinstance(expression.rhs, promql_parser.NumberLiteral)
    wait = promql_parser.parse_duration(rule["for"]).total_seconds() if "for" in rule else 0.0
    return rule["expr"], expression.rhs.val, wait


def test_a_dead_broker_is_seen_by_readiness_metric_and_alert_and_the_log_stays_short(quiet: Nations) -> None:
    expression, above_s, wait_s = threshold_of("KakehashiClusterUnreachable")
    assert "kakehashi_cluster_silent_seconds" in expression
    assert above_s + wait_s + SCRAPE_S <= 60  # to the next scrape and evaluation
    roles = quiet.all_roles
    assert [silent_s(role) for role in roles] == [0.0, 0.0]
    before = {role.name: role.logged_bytes for role in roles}
    quiet.brokers["GBR"].kill()
    for role in roles:
        eventually(lambda role=role: silent_s(role) > above_s, WITHIN_S, f"{role.name}'s alert fires")  # type: ignore[misc]
        status, why = asked(role, "ready")
        assert (status, "GBR's Kafka has not answered for" in why) == (503, True)
        assert asked(role, "live")[0] == 200, "a restart does not help"
        shown = role.log.read_bytes()[before[role.name] :].decode()
        assert shown.count("cluster.unreachable nation=GBR") == 1
        assert len(shown.splitlines()) <= MOST_LINES, shown
        assert "to=closed" not in shown
    assert "border.unknown" in roles[1].log.read_text("utf-8")
    quiet.brokers["GBR"].restart()
    for role in roles:
        eventually(lambda role=role: asked(role, "ready")[0] == 200, WITHIN_S, f"{role.name} is ready again")  # type: ignore[misc]
        assert silent_s(role) == 0.0
