"""``kakehashi sensor run``: the inputs of a profile arrive on Kafka, each read as its entry states."""

import signal
import subprocess
import sys
from pathlib import Path

from exchange.errors import Exit
from exchange.kafka.clients import Cluster
from producers.report import observations_of
from tests.conftest import Brokers
from tests.polling import eventually
from tests.producers.reading_topics import published_reports, with_topics

DEADLINE_S = 90


def test_files_are_read_first_and_then_what_is_followed_until_it_is_stopped(
    brokers: Brokers, unique: str, tmp_path: Path
) -> None:
    cluster, sensor = with_topics(Cluster("GBR", brokers.gbr)), f"{unique}edge"
    (tmp_path / "list.csv").write_text("Host;Seen\nbad.example.com;1/28/2021\n")
    (tmp_path / "values.txt").write_text("worse.example.com\n")
    (tmp_path / "edge.yaml").write_text(
        f"nation: GBR\nsensor: {sensor}\nmarking: {{tlp: TLP:AMBER}}\nconfidence: 50\ninputs:\n"
        "  - at: values.txt\n    follow: true\n"
        "  - at: list.csv\n    mapping: {Host: domain-name, Seen: first_seen}\n    date_format: '%m/%d/%Y'\n"
    )
    environ = {
        "PATH": "/usr/bin:/bin",
        "KAKEHASHI_GBR_BOOTSTRAP": brokers.gbr,
        "KAKEHASHI_HOME": str(tmp_path / "home"),
    }
    command = (sys.executable, "-m", "kakehashi", "sensor", "run", str(tmp_path / "edge.yaml"))
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:

            def arrived() -> list[tuple[str, str, int]]:
                rows = [row for report in published_reports(cluster, sensor) for row in observations_of(report)]
                return [(row.value, row.marking.tlp, row.confidence) for row in rows]

            def both() -> bool:
                return [value for value, *_ in arrived()] == ["bad.example.com", "worse.example.com"]

            eventually(both, DEADLINE_S, "both inputs")
            assert {tuple(rest) for _, *rest in arrived()} == {("TLP:AMBER", 50)}
            run.send_signal(signal.SIGTERM)
            assert run.wait(DEADLINE_S) == Exit.INTERRUPTED
        finally:
            run.kill()
