"""A heartbeat is a report like all others: numbered, in the spool, of the sensor; and it has no observation."""

from pathlib import Path
from typing import cast

import pytest

from producers.heartbeat import Heartbeat
from producers.spool.batch import Sensor
from producers.spool.spool import Spool, folder_of
from schemas.codec import SENSOR_REPORT, Codec
from schemas.records import SensorReport
from tests.builders import NOW_MS
from tests.producers.producing import run

CODEC = Codec()
SENSOR = Sensor("GBR", "edge-1")


def reports(spool: Spool) -> list[SensorReport]:
    found = [CODEC.decode(SENSOR_REPORT, entry.payload) for entry in spool.unsent(0, 100)]
    return [cast("SensorReport", each) for each in found]


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("producers.heartbeat.time.monotonic", lambda: 1_000.0)
    return 1_000.0


def test_a_heartbeat_comes_every_so_many_seconds_and_not_before(tmp_path: Path, began: float) -> None:
    with Spool(folder_of(tmp_path, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        heart = Heartbeat(spool, SENSOR, CODEC, lambda: NOW_MS, 60.0)
        for after_s in (0.0, 59.9, 60.0, 60.1, 119.9, 120.0, 500.0):
            heart.beat(began + after_s)
        found = reports(spool)
        assert [(each["sequence"], each["values"], each["sensor"]) for each in found] == [
            (sequence, [], "edge-1") for sequence in range(3)
        ]
        assert spool.pending_reports == 3


def test_a_heartbeat_between_reports_takes_the_next_number_and_changes_no_position(
    tmp_path: Path, began: float
) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\n")
    with Spool(folder_of(tmp_path, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        run(spool, file, sensor=SENSOR)
        Heartbeat(spool, SENSOR, CODEC, lambda: NOW_MS, 60.0).beat(began + 60.0)
        file.write_text("a.example.com\nb.example.com\n")
        run(spool, file, sensor=SENSOR)
        assert [(each["sequence"], each["values"]) for each in reports(spool)] == [
            (0, ["a.example.com"]),
            (1, []),
            (2, ["b.example.com"]),
        ]
