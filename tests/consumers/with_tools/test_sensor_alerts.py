"""The alerts about sensors, in Prometheus' own test of rules: gone, quiet and well are told apart."""

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.consumers.with_tools.daemons import program
from tests.helm.chart import CHART

pytestmark = pytest.mark.tools
HEARTBEAT: Final = "kakehashi_sensor_last_heartbeat_timestamp_seconds"
OBSERVATION: Final = "kakehashi_sensor_last_observation_timestamp_seconds"
CANARY: Final = "kakehashi_canary_arrived_timestamp_seconds"
DAY: Final = 24 * 60  # minutes


def series(name: str, label: str, pod: str, values: str) -> dict[str, str]:
    return {"series": f'{name}{{{label}, pod="{pod}"}}', "values": values}


def fires(folder: Path, given: list[dict[str, str]], alert: str, at_minutes: int, labels: list[str]) -> None:
    """Fails unless the alert fires at this time for these labels and no others. Prometheus' time begins at 0."""
    rules, path = folder / "alerts.yaml", folder / "test.yaml"
    rules.write_text((CHART / "files" / "alerts.yaml").read_text("utf-8"))
    firing = {
        "expr": f'count by (sensor, partner) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
        "eval_time": f"{at_minutes}m",
        "exp_samples": [{"labels": f"{{{each}}}", "value": 1} for each in labels],
    }
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": [firing]}],
    }
    path.write_text(json.dumps(test))  # JSON is YAML
    command = (program("promtool", "prometheus"), "test", "rules", str(path))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_sensor_is_gone_ten_minutes_after_its_last_heartbeat_and_one_that_never_sent_one_is_not(
    tmp_path: Path,
) -> None:
    given = [
        series(HEARTBEAT, 'sensor="well"', "new", "0+60x60"),
        series(HEARTBEAT, 'sensor="well"', "old", "0x60"),  # a worker that had its shard before
        series(HEARTBEAT, 'sensor="gone"', "new", "0+60x5 300x60"),
        series(HEARTBEAT, 'sensor="files-now-and-then"', "new", "0x60"),
        series(HEARTBEAT, 'sensor="other"', "new", "0+60x5 300x60"),
    ]
    fires(tmp_path, given, "KakehashiSensorGone", 14, [])
    fires(tmp_path, given, "KakehashiSensorGone", 18, ['sensor="gone"'])


def test_a_sensor_is_quiet_two_days_after_its_last_observation_whatever_its_heartbeats_and_none_before_its_first(
    tmp_path: Path,
) -> None:
    given = [
        series(OBSERVATION, 'sensor="busy"', "one", f"0+60x{4 * DAY}"),
        series(OBSERVATION, 'sensor="quiet"', "one", f"60x{4 * DAY}"),
        series(HEARTBEAT, 'sensor="quiet"', "one", f"0+60x{4 * DAY}"),
        series(OBSERVATION, 'sensor="only-on-the-roster"', "one", f"0x{4 * DAY}"),
    ]
    fires(tmp_path, given, "KakehashiSensorQuiet", 2 * DAY, [])
    fires(tmp_path, given, "KakehashiSensorQuiet", 2 * DAY + 90, ['sensor="quiet"'])
    fires(tmp_path, given, "KakehashiSensorGone", 2 * DAY + 90, [])


def test_a_canary_that_does_not_arrive_any_more_is_lost_after_an_hour(tmp_path: Path) -> None:
    given = [
        series(CANARY, 'partner="JPN"', "one", "0+60x10 600x120"),
        series(CANARY, 'partner="AUS"', "one", "0+60x130"),
    ]
    fires(tmp_path, given, "KakehashiCanaryLost", 69, [])
    fires(tmp_path, given, "KakehashiCanaryLost", 80, ['partner="JPN"'])
