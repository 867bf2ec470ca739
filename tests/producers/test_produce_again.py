"""What is read again and what is not: copies, logs that grow, pipes that rest or break."""

import gzip
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from producers.produce import Options, produce
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from producers.summary import Summary
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


@pytest.mark.parametrize(
    ("first", "second"),
    [("eve.json.1", "eve.json.1.gz"), ("eve.json.1.gz", "eve.json.1"), ("eve.json", "old/eve-2026.json.gz")],
)
def test_a_log_that_was_rotated_and_compressed_counts_once(
    first: str, second: str, sensor_spool: Spool, tmp_path: Path
) -> None:
    content = (FEEDS / "suricata" / "alert-testmyids.json").read_bytes() * 2
    (tmp_path / "old").mkdir()
    for name in (first, second):
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert run(sensor_spool, tmp_path / first).observations == 6
    again = run(sensor_spool, tmp_path / second)
    assert (again.observations, again.skipped) == (0, [str(tmp_path / second)])


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_log_that_grew_before_it_was_rotated_is_read_from_there_on(
    compress: Callable[[bytes], bytes], sensor_spool: Spool, tmp_path: Path
) -> None:
    before = "".join(f"n{number}.example.com\n" for number in range(10_000)).encode()
    (tmp_path / "now").write_bytes(before)
    run(sensor_spool, tmp_path / "now")
    (tmp_path / "now.1").write_bytes(compress(before + b"last.example.com\n"))
    assert run(sensor_spool, tmp_path / "now.1").observations == 1
    assert values_in(sensor_spool)[-1] == "last.example.com"


def test_a_compressed_file_that_was_cut_goes_on_at_the_line_that_was_cut(sensor_spool: Spool, tmp_path: Path) -> None:
    first, second = gzip.compress(b"a.example.com\n"), gzip.compress(b"b.example.com\n")
    (tmp_path / "list.gz").write_bytes(first + second[:4])
    run(sensor_spool, tmp_path / "list.gz")
    assert [refused["reason"] for refused in quarantined_in(sensor_spool)] == ["truncated"]
    (tmp_path / "list.gz").write_bytes(first + second)
    run(sensor_spool, tmp_path / "list.gz")
    assert values_in(sensor_spool) == ["a.example.com", "b.example.com"]


def test_a_snapshot_may_be_compressed_since_the_last_time(sensor_spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a.example.com\nb.example.com\nc.example.com\n")
    (tmp_path / "list.gz").write_bytes(gzip.compress(b"a.example.com\nb.example.com\nc.example.com\n"))
    (tmp_path / "next").write_text("a.example.com\nc.example.com\n")
    for name, observations, withdrawn in (("list", 3, 0), ("list.gz", 0, 0), ("next", 2, 1), ("list.gz", 1, 0)):
        result = run(sensor_spool, tmp_path / name, snapshot="")
        assert (result.observations, result.withdrawn) == (observations, withdrawn), name


class Pipe:
    """Standard input, whose other end a test writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, self._writing = os.pipe()
        self.stream = os.fdopen(reading, "rb")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(self.stream))

    def write(self, content: bytes) -> None:
        os.write(self._writing, content)

    def close(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1


def test_standard_input_is_spooled_while_it_rests(sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Pipe(monkeypatch)
    pipe.write(b"a.example.com\n")

    class Writing(Unwatched):
        """Writes the second line once the first is on disk."""

        def progressed(self, *_: object) -> None:
            if sensor_spool.pending_reports == 1:
                pipe.write(b"b.example.com\n")
                pipe.close()

    with pipe.stream:
        summary = produced_from_standard_input(sensor_spool, Writing(), Stop())
    assert [report["values"] for report in reports_in(sensor_spool)] == [["a.example.com"], ["b.example.com"]]
    assert summary.records.total() == 2


def test_an_alert_in_a_busy_pipe_does_not_wait_for_a_full_report(
    sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipe never rests: it is full of what is left out."""
    pipe = Pipe(monkeypatch)
    pipe.write(b"a.example.com\n")

    class Writing(Unwatched):
        def progressed(self, *_: object) -> None:
            pipe.close() if sensor_spool.pending_reports else pipe.write(b"# nothing\n" * 100)

    with pipe.stream:
        produced_from_standard_input(sensor_spool, Writing(), Stop())
    assert values_in(sensor_spool) == ["a.example.com"]


def test_the_publisher_is_pumped_while_a_pipe_is_quiet(sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Pipe(monkeypatch)
    pipe.write(b"a.example.com\n")

    class Late(OfflinePublisher):
        """Has the report acknowledged at the tenth attempt."""

        attempts = 0

        def pump(self, *_: object) -> None:
            if sensor_spool.pending_reports and not pipe.stream.closed:
                self.attempts += 1
                if self.attempts == 10:
                    sensor_spool.acknowledge(sensor_spool.unsent(0, 10))
                    pipe.close()

    with pipe.stream:
        options = Options(SENSOR, ("-",))
        publisher = Late(NOWHERE, sensor_spool, SENSOR.name)
        produce(options, sensor_spool, publisher, Unwatched(), codec=CODEC, now_ms=lambda: NOW_MS)
    assert publisher.attempts >= 10
    assert sensor_spool.pending_reports == 0


def test_a_pipe_that_is_stopped_loses_nothing_that_was_read(
    sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, stop = Pipe(monkeypatch), Stop()
    pipe.write(b"a.example.com\nb.example.com\nhalf.exam")
    stop.request()
    real_check, checks = stop.check, iter(range(100))
    monkeypatch.setattr(stop, "check", lambda: real_check() if next(checks) > 1 else None)
    with pipe.stream, pytest.raises(Stopped):
        produced_from_standard_input(sensor_spool, Unwatched(), stop)
    assert values_in(sensor_spool) == ["a.example.com", "b.example.com"]
    with pytest.raises(KeyboardInterrupt):
        stop.request()


def test_a_file_that_is_stopped_goes_on_behind_what_is_on_disk(sensor_spool: Spool, tmp_path: Path) -> None:
    names = [f"n{number}.example.com" for number in range(100)]
    (tmp_path / "list").write_text("\n".join(names))
    stop = Stop()

    class Stopping(Unwatched):
        def progressed(self, *_: object) -> None:
            if sensor_spool.pending_reports == 3 and not stop.requested:
                stop.request()

    options = Options(SENSOR, (str(tmp_path / "list"),), report_size=10)
    publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    with pytest.raises(Stopped):
        produce(options, sensor_spool, publisher, Stopping(), codec=CODEC, now_ms=lambda: NOW_MS, stop=stop)
    assert values_in(sensor_spool) == names[:30]
    run(sensor_spool, tmp_path / "list")
    assert values_in(sensor_spool) == names


def test_a_named_pipe_without_a_writer_holds_nothing_up(sensor_spool: Spool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pumped: list[bool] = []

    class Publishing(OfflinePublisher):
        def pump(self, *_: object) -> None:
            if not pumped:
                pumped.append(True)
                with open(os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK), "wb") as writer:
                    writer.write(b"a.example.com\n")

    options = Options(SENSOR, (str(tmp_path / "pipe"),))
    publisher = Publishing(NOWHERE, sensor_spool, SENSOR.name)
    produce(options, sensor_spool, publisher, Unwatched(), codec=CODEC, now_ms=lambda: NOW_MS)
    assert values_in(sensor_spool) == ["a.example.com"]


def produced_from_standard_input(spool: Spool, view: Unwatched, stop: Stop) -> Summary:
    publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
    options = Options(SENSOR, ("-",))
    return produce(options, spool, publisher, view, codec=CODEC, now_ms=lambda: NOW_MS, stop=stop)
