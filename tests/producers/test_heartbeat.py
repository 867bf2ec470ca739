"""A heartbeat is a report like all others: numbered, in the spool, of the sensor; and it has no observation."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from producers.follow.follow import follow
from producers.heartbeat import Heartbeat
from producers.produce import Options
from producers.spool.spool import Spool, folder_of
from producers.stop import Stop, Stopped
from schemas.records import SensorReport
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched, reports_in, run


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("producers.heartbeat.time.monotonic", lambda: 1_000.0)
    return 1_000.0


def test_a_heartbeat_comes_every_so_many_seconds_and_not_before(tmp_path: Path, began: float) -> None:
    with Spool(folder_of(tmp_path, "GBR", "edge-1"), "GBR", "edge-1", NOW_MS) as spool:
        heart = Heartbeat(spool, SENSOR, CODEC, lambda: NOW_MS, 60.0)
        for after_s in (0.0, 59.9, 60.0, 60.1, 119.9, 120.0, 500.0):
            heart.beat(began + after_s)
        found = reports_in(spool)
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
        run(spool, file)
        Heartbeat(spool, SENSOR, CODEC, lambda: NOW_MS, 60.0).beat(began + 60.0)
        file.write_text("a.example.com\nb.example.com\n")
        run(spool, file)
        assert [(each["sequence"], each["values"]) for each in reports_in(spool)] == [
            (0, ["a.example.com"]),
            (1, []),
            (2, ["b.example.com"]),
        ]


class WithTrouble(OfflinePublisher):
    """No broker answers."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.trouble = "no broker answers"


def followed(folder: Path, publisher: type[OfflinePublisher], enough: Callable[[Spool], bool]) -> list[SensorReport]:
    """What a sensor spools that follows a list with one line, with a heartbeat at every turn, until it is enough."""
    place, stop = folder / "list.txt", Stop()
    place.write_text("a.example.com\n")
    with Spool(folder / "spool", "GBR", "edge-1", NOW_MS) as spool:

        def now_ms() -> int:
            if enough(spool):
                stop.requested = True
            return NOW_MS

        class Watching(Unwatched):
            def progressed(self, *_: object) -> None:
                now_ms()

        options = Options(SENSOR, (str(place),), heartbeat_s=0.0)
        with suppress(Stopped):
            follow(
                options, spool, publisher(NOWHERE, spool, "edge-1"), Watching(), codec=CODEC, now_ms=now_ms, stop=stop
            )
        return reports_in(spool)


def test_a_sensor_that_follows_beats_beside_what_it_reports_and_numbers_both(tmp_path: Path) -> None:
    found = followed(tmp_path, OfflinePublisher, lambda spool: len(reports_in(spool)) >= 4)
    assert [each["sequence"] for each in found] == list(range(len(found)))
    assert [each["values"] for each in found if each["values"]] == [["a.example.com"]]
    assert sum(not each["values"] for each in found) >= 3


def test_while_the_cluster_does_not_answer_no_heartbeats_pile_up(tmp_path: Path) -> None:
    turns = iter(range(20))
    found = followed(tmp_path, WithTrouble, lambda _: next(turns, None) is None)
    assert [each["values"] for each in found] == [["a.example.com"]]


def test_a_file_that_ends_has_no_heartbeat(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\n")
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        run(spool, file, heartbeat_s=0.0)
        assert [each["values"] for each in reports_in(spool)] == [["a.example.com"]]
