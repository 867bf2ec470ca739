"""``kakehashi produce -`` as a process: a real pipe, real signals, and a cluster that goes away and comes back."""

import os
import re
import signal
import sqlite3
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from exchange.errors import Exit
from exchange.kafka.clients import Cluster
from localkafka.broker import Broker
from localkafka.ports import free_ports
from producers.spool.spool import folder_of
from tests.polling import eventually
from tests.producers.reading_topics import published_reports, with_topics
from tests.producers.test_produce_command import COMMAND, DEADLINE_S

NOWHERE = "127.0.0.1:1"


@contextmanager
def producing(home: Path, bootstrap: str, sensor: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command with a pipe as its standard input."""
    environ = {
        "KAKEHASHI_GBR_BOOTSTRAP": bootstrap,
        "KAKEHASHI_JPN_BOOTSTRAP": NOWHERE,
        "KAKEHASHI_HOME": str(home),
        **settings,
    }
    command = (*COMMAND, "--sensor", sensor, "-")
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, bufsize=0, env=os.environ | environ, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def write(process: subprocess.Popen[bytes], content: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(content)  # unbuffered: at most PIPE_BUF bytes are written whole


def test_the_last_alert_of_an_outage_leaves_without_another_line_and_the_metrics_are_true(
    own_broker: Broker, unique: str, tmp_path: Path
) -> None:
    cluster, port = with_topics(Cluster("GBR", own_broker.bootstrap)), free_ports().client
    sensor = f"{unique}edge"

    def shown(metric: str) -> float:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            found = re.search(rf"^kakehashi_{metric} (\S+)$", page.read().decode(), re.M)
            return -1.0 if found is None else float(found[1])
        return -1.0

    with producing(tmp_path, own_broker.bootstrap, sensor, KAKEHASHI_METRICS_PORT=str(port)) as process:
        write(process, b"before.example.com\n")
        eventually(lambda: shown("published_reports_total") == 1, DEADLINE_S, "the first is acknowledged")
        own_broker.kill()
        write(process, b"last.example.com\n")
        eventually(lambda: shown("spool_reports") == 1, DEADLINE_S, "it waits")
        eventually(lambda: shown("spool_oldest_seconds") > 2, DEADLINE_S, "its age grows while no line comes")
        own_broker.restart()
        eventually(lambda: shown("published_reports_total") == 2, DEADLINE_S, "it is sent while no line comes")
        assert (shown("spool_reports"), shown("spool_oldest_seconds")) == (0, 0)
    assert [report["values"] for report in published_reports(cluster, sensor)][-1] == ["last.example.com"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "busy"])
def test_a_pipe_ends_at_a_signal_with_all_that_was_read_on_disk(
    busy: bool, number: signal.Signals, tmp_path: Path
) -> None:
    database = folder_of(tmp_path, "GBR", "edge") / "spool.sqlite"
    done = threading.Event()

    def spooled() -> int:
        with suppress(sqlite3.Error), sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
            return int(opened.execute("SELECT COALESCE(SUM(observations), 0) FROM outbox").fetchone()[0])
        return 0

    def feed(process: subprocess.Popen[bytes]) -> None:
        with suppress(BrokenPipeError):
            while not done.is_set():
                write(process, b"busy.example.com\n" * 50)

    with producing(tmp_path, NOWHERE, "edge") as process:
        write(process, b"first.example.com\n")
        writer = threading.Thread(target=feed, args=(process,))
        if busy:
            writer.start()
        eventually(lambda: spooled() > 0, DEADLINE_S, "something is on disk")
        process.send_signal(number)
        assert process.stderr is not None
        reported = process.stderr.read().decode().replace("\n", " ")
        assert process.wait(DEADLINE_S) == Exit.INTERRUPTED, reported
        done.set()
        if busy:
            writer.join()
    assert "the same command goes on from here" in reported
    assert "Fatal" not in reported
    assert spooled() >= 1
