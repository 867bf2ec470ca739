"""A real Prometheus scrapes a running output: its figures arrive, and the shipped alert fires while a recall waits."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from exchange.metrics import spec
from exchange.metrics.kinds import Role
from tests.consumers.outputs.http_receivers import fresh
from tests.consumers.outputs.pushed import secret
from tests.consumers.with_tools.daemons import call, daemon, free_port, program, until
from tests.helm.chart import CHART
from tests.kakehashi.soc import Soc

pytestmark = [pytest.mark.tools, pytest.mark.kafka]
RECALLED: Final = "recalled.example"
_WAITS: Final = re.compile(r"\n( +)for: [0-9a-z]+\n")


class Prometheus:
    """What it answers."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        """Whether it answers at all."""
        try:
            return str(self._get("/api/v1/query?query=1")["status"]) == "success"
        except OSError:
            return False

    def values(self, query: str) -> dict[str, float]:
        """The values of an expression by the label ``output``."""
        found = self._get(f"/api/v1/query?query={quote(query)}")["data"]["result"]
        return {each["metric"].get("output", ""): float(each["value"][1]) for each in found}

    def types(self) -> dict[str, str]:
        """The metrics that it has scraped, with their types."""
        return {name: each[0]["type"] for name, each in self._get("/api/v1/metadata?limit=5000")["data"].items()}

    def _get(self, path: str) -> dict[str, Any]:
        with urlopen(self._url + path) as answer:  # noqa: S310  # http, on this machine
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[Prometheus]:
    """One that scrapes this port every second, and has the chart's alerts, which wait a second instead of minutes."""
    port, found = free_port(), program("prometheus", "prometheus")
    (folder / "alerts.yaml").write_text(_WAITS.sub(r"\n\1for: 1s\n", (CHART / "files/alerts.yaml").read_text("utf-8")))
    call(program("promtool", "prometheus"), "check", "rules", CHART / "files/alerts.yaml")
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [alerts.yaml]\n"
        f"scrape_configs: [{{job_name: outputs, static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]}}]\n"
    )
    command = [found, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    answering = Prometheus(port)
    address = f"--web.listen-address=127.0.0.1:{port}"
    with daemon([*command, address], folder / "prometheus.log", answering.is_ready):
        yield answering


@contextmanager
def output(soc: Soc, *targets: str) -> Iterator[int]:
    """A running `kakehashi output run`; the port of its metrics."""
    port = free_port()
    words = ["output", "run", "--nation", "JPN", "--from", "GBR"]
    for target in targets:
        words += ["--to", target]
    running = subprocess.Popen(
        [sys.executable, "-m", "kakehashi", *words],
        cwd=soc.folder,
        env=os.environ | soc.environ | {"KAKEHASHI_METRICS_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        running.terminate()
        running.wait(60)


def declared() -> dict[str, str]:
    """The metrics of outputs with their types; OpenMetrics takes the suffix of a counter from its name."""
    own = (each for each in spec.ALL if each.roles[0] is Role.OUTPUT)
    return {each.full_name.removesuffix("_total"): type(each).__name__.lower() for each in own}


def test_prometheus_has_the_outputs_figures_and_its_alert_fires_while_a_recall_waits(soc: Soc, tmp_path: Path) -> None:
    url, received = fresh("webhook")
    hosts, webhook = f"hosts:{soc.folder}/hosts", f"webhook:{url}?secret={secret(tmp_path)}"
    soc.release(RECALLED)
    with output(soc, hosts, webhook) as port, prometheus(tmp_path, port) as monitoring:
        until(lambda: monitoring.values("kakehashi_output_indicators").get(hosts) == 2, "the hosts file's indicators")
        until(lambda: monitoring.values("kakehashi_output_indicators").get(webhook, 0) > 2, "the webhook's indicators")
        assert declared().items() <= monitoring.types().items()
        unapplied = "kakehashi_output_unapplied_recalls"
        firing = 'ALERTS{alertname="KakehashiOutputRecallUnapplied",alertstate="firing"}'
        assert monitoring.values(unapplied) == {hosts: 0, webhook: 0}
        assert monitoring.values(firing) == {}
        received.answers.extend([503] * 10_000)
        soc.release(RECALLED, record="recalled")
        until(lambda: monitoring.values(firing) == {webhook: 1}, "the alert fires for the receiver that is away")
        assert monitoring.values(unapplied) == {hosts: 0, webhook: 1}
        assert RECALLED not in Path(f"{soc.folder}/hosts").read_text()
        received.answers.clear()
        until(lambda: monitoring.values(firing) == {}, "the alert ends with the receiver's trouble")
        assert monitoring.values(unapplied) == {hosts: 0, webhook: 0}
        assert all(each["value"] != RECALLED for each in received.held.values())
