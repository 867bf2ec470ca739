"""The spool under ``kill -9``: nothing lost, nothing twice, no number left out."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from producers.report import observations_of
from producers.spool.spool import QUARANTINED, REPORT, Spool, folder_of
from schemas.codec import QUARANTINED as QUARANTINED_SCHEMA
from schemas.codec import SENSOR_REPORT, Codec
from schemas.records import SensorReport
from tests.builders import NOW_MS
from tests.producers.reading_feeds import observations, readings, refusals

CODEC = Codec()
DEADLINE_S = 60


def run_and_kill(home: Path, file: Path, steps: int) -> bool:
    """Start the worker, kill it when it has said so many steps. Whether it was complete before that."""
    command = [sys.executable, "-m", "tests.producers.spooling_worker", str(home), str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            for _ in range(steps):
                shown = worker.stdout.readline().strip()
                assert shown, "the worker ended without a word"
                if shown == "complete":
                    return True
                worker.stdin.write("\n")
        finally:
            worker.kill()
        worker.wait(DEADLINE_S)
    return False


def spooled_records(home: Path) -> tuple[list[SensorReport], list[str]]:
    """All reports and the keys of all refusals in the spool, in order."""
    with Spool(folder_of(home, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        entries = spool.unsent(0, 1 << 30)
    reports = [CODEC.decode(SENSOR_REPORT, entry.payload) for entry in entries if entry.kind == REPORT]
    refused = [CODEC.decode(QUARANTINED_SCHEMA, entry.payload) for entry in entries if entry.kind == QUARANTINED]
    return reports, [record["key"] for record in refused]  # type: ignore[return-value, index]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_killed_again_and_again_spools_all_of_it_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = [f"n{number}.example.com" if number % 10 else f"no indicator {number}" for number in range(1, 701)]
    file = tmp_path / "list.txt"
    file.write_text("\n".join(lines))
    home, kills = tmp_path / "home", 0
    while not run_and_kill(home, file, chance.randint(1, 30)):
        kills += 1
    assert kills >= 3
    reports, refused = spooled_records(home)
    expected = readings("txt-list", file.read_bytes())
    assert [row for report in reports for row in observations_of(report)] == observations(expected)
    assert [report["sequence"] for report in reports] == list(range(len(reports)))
    assert {(report["nation"], report["sensor"], report["epoch"]) for report in reports} == {("GBR", "edge-1", NOW_MS)}
    assert len(refused) == len(set(refused)) == len(refusals(expected)) == 70


def test_what_was_durable_before_a_kill_is_the_same_after_it(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("\n".join(f"n{number}.example.com" for number in range(300)))
    home = tmp_path / "home"
    assert not run_and_kill(home, file, 5)
    with Spool(folder_of(home, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        before = spool.unsent(0, 1 << 30)
        spool.acknowledge(before[:2])
    assert len(before) >= 5
    assert run_and_kill(home, file, 1000)
    with Spool(folder_of(home, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        assert spool.unsent(0, 1 << 30)[: len(before) - 2] == before[2:]


def test_a_killed_owner_leaves_no_lock_behind(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\n" * 100)
    assert not run_and_kill(tmp_path, file, 1)
    with Spool(folder_of(tmp_path, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        assert spool.pending_reports
