"""What is read again and what is not: copies, logs that grow, pipes that rest or break."""

import gzip
import io
import os
import sys
import threading
from pathlib import Path

import pytest

from producers.produce import Options, Summary, produce
from producers.spool.spool import Spool
from tests.builders import NOW_MS
from tests.producers.producing import (
    CODEC,
    NOWHERE,
    SENSOR,
    OfflinePublisher,
    Unwatched,
    quarantined_in,
    reports_in,
    run,
    values_in,
)
from tests.producers.reading_feeds import FEEDS


def test_a_file_that_was_read_is_not_read_again_under_any_name(sensor_spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("a.example.com\n")
    (tmp_path / "copy.txt").write_text("a.example.com\n")
    assert run(sensor_spool, tmp_path / "one.txt").observations == 1
    again = run(sensor_spool, tmp_path / "one.txt", tmp_path / "copy.txt")
    assert (again.observations, again.skipped) == (0, [str(tmp_path / "one.txt"), str(tmp_path / "copy.txt")])
    assert run(sensor_spool, tmp_path / "one.txt", again=True).observations == 1
    assert values_in(sensor_spool) == ["a.example.com"] * 2


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a.example.com\n", "b.example.com\n", ["a.example.com", "b.example.com"]),
        ("a.example.com", "\nb.example.com\n", ["a.example.com", "b.example.com"]),
        # Its last line was still being written: both are what the file said.
        ("a.example.com\nb.example.co", "m\n", ["a.example.com", "b.example.co", "b.example.com"]),
    ],
)
def test_a_file_that_has_grown_is_read_from_there_on(
    before: str, after: str, expected: list[str], sensor_spool: Spool, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(before)
    run(sensor_spool, file)
    file.write_text(before + after)
    run(sensor_spool, file)
    assert values_in(sensor_spool) == expected


def test_half_a_record_at_the_end_of_a_log_is_read_when_it_is_whole(sensor_spool: Spool, tmp_path: Path) -> None:
    record = (FEEDS / "suricata" / "alert-testmyids.json").read_bytes().strip()
    file = tmp_path / "eve.json"
    file.write_bytes(record + b"\n" + record[:300])
    run(sensor_spool, file)
    file.write_bytes(record + b"\n" + record + b"\n")
    run(sensor_spool, file)
    assert len(values_in(sensor_spool)) == 6
    assert len(quarantined_in(sensor_spool)) == 1


def test_a_file_that_was_written_anew_is_another_input(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    for content in ("a.example.com\n", "b.example.com\na.example.com\n"):
        file.write_text(content)
        run(sensor_spool, file)
    assert values_in(sensor_spool) == ["a.example.com", "b.example.com", "a.example.com"]


def test_a_compressed_file_is_read_like_any_other(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt.gz"
    file.write_bytes(gzip.compress(b"a.example.com\n"))
    run(sensor_spool, file)
    assert values_in(sensor_spool) == ["a.example.com"]


def test_standard_input_is_spooled_while_it_rests(
    sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    seen = threading.Event()

    class Watching(Unwatched):
        def progressed(self, *seen_now: object) -> None:
            summary = seen_now[1]
            assert isinstance(summary, Summary)
            if summary.observations == 1:
                seen.set()

    def write() -> None:
        os.write(writing, b"a.example.com\n")
        assert seen.wait(20), "the first line was held back"
        os.write(writing, b"b.example.com\n")
        os.close(writing)

    with os.fdopen(reading, "rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        writer = threading.Thread(target=write)
        writer.start()
        publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
        options = Options(SENSOR, ("-",))
        summary = produce(options, sensor_spool, publisher, Watching(), codec=CODEC, now_ms=lambda: NOW_MS)
        writer.join()
    assert [report["values"] for report in reports_in(sensor_spool)] == [["a.example.com"], ["b.example.com"]]
    assert summary.records.total() == 2


def test_an_interrupted_pipe_loses_nothing_that_was_read(sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def read1(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise KeyboardInterrupt
            return super().read1(size)

    class Standard:
        buffer = Interrupted(b"a.example.com\nb.example.com\n")

    monkeypatch.setattr(sys, "stdin", Standard)
    monkeypatch.setattr("producers.produce.paced", lambda readings, _rest_s: readings)
    with pytest.raises(KeyboardInterrupt):
        run(sensor_spool, "-")
    assert values_in(sensor_spool) == ["a.example.com", "b.example.com"]
