"""Places that are followed: away, unreadable, many, with odd names and with times of another clock."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from producers.follow import looking
from producers.spool.spool import Spool
from tests.producers.producing import values_in
from tests.producers.scripted_follow import Steps, append, assert_once, followed, lines, names, nothing

BUNDLE = Path(__file__).parents[1] / "feeds" / "stix" / "tlp2-marked.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "list.txt"


def test_a_document_from_a_host_whose_clock_is_a_year_ahead_is_read(path: Path, sensor_spool: Spool) -> None:
    def drop() -> None:
        shutil.copy(BUNDLE, path.with_name("bundle.json"))
        os.utime(path.with_name("bundle.json"), (time.time() + 3e7,) * 2)

    path.write_text(lines(0, 3))
    followed(sensor_spool, path.parent, steps=[(3, drop), (4, nothing)])
    assert len(values_in(sensor_spool)) > 3


def test_a_log_whose_times_jump_is_read_on(path: Path, sensor_spool: Spool) -> None:
    def write(first: int, seconds: float) -> None:
        append(path, lines(first, first + 50))
        os.utime(path, (time.time() + seconds,) * 2)

    write(0, 3e7)
    followed(sensor_spool, path.parent, steps=[(50, partial(write, 50, -3e7)), (100, nothing)])
    assert_once(sensor_spool, names(0, 100))


def test_the_rest_of_what_a_link_named_is_read_after_it_names_another_file(path: Path, sensor_spool: Spool) -> None:
    old, new, link = (path.with_name(name) for name in ("l.20261129", "l.20261130", "current"))
    old.write_text(lines(0, 100))
    link.symlink_to(old)
    followed(sensor_spool, link, steps=[(100, nothing)])
    append(old, lines(100, 150))
    new.write_text(lines(150, 200))
    link.unlink()
    link.symlink_to(new)
    assert followed(sensor_spool, link, steps=[(200, nothing)]).gaps == []
    assert_once(sensor_spool, names(0, 200))


def test_a_file_system_that_is_mounted_late_is_no_gap(path: Path, sensor_spool: Spool) -> None:
    away = path.parent.with_name("away")

    def mount() -> None:
        away.rename(path.parent)

    path.write_text(lines(0, 100))
    followed(sensor_spool, path, steps=[(100, nothing)])
    append(path, lines(100, 150))
    path.parent.rename(away)
    assert followed(sensor_spool, path, steps=[(100, mount), (150, nothing)]).gaps == []
    assert_once(sensor_spool, names(0, 150))


def test_a_name_with_the_characters_of_a_pattern_is_no_pattern_while_the_file_is_away(
    path: Path, sensor_spool: Spool
) -> None:
    named = path.with_name("[a].txt")
    named.write_text(lines(0, 50))
    path.with_name("a.txt").write_text(lines(900, 950))
    looks = iter(range(9))

    def has_been_looked_at() -> bool:
        return next(looks, None) is None

    steps: Steps = [
        (50, partial(named.rename, path.with_name("[a].txt.1"))),
        (has_been_looked_at, partial(named.write_text, lines(50, 90))),
        (90, nothing),
    ]
    followed(sensor_spool, named, steps=steps)
    assert_once(sensor_spool, names(0, 90))


def test_more_files_than_may_be_open_are_all_followed(
    path: Path, sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_MOST_FOLLOWED", 3)
    files = [path.with_name(f"{number}.txt") for number in range(8)]
    for number, file in enumerate(files):
        file.write_text(lines(10 * number, 10 * number + 10))

    def write() -> None:
        for number, file in enumerate(files):
            append(file, lines(1000 + number, 1001 + number))

    followed(sensor_spool, path.parent, steps=[(80, write), (88, nothing)])
    assert_once(sensor_spool, [*names(0, 80), *names(1000, 1008)])


@pytest.mark.parametrize("size", [20, 100])  # lines; the first is less than 1 KiB
def test_a_file_that_its_server_has_lost_is_opened_again(
    path: Path, sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    read, failures = os.pread, list[OSError]()

    def stale(descriptor: int, size: int, offset: int, /) -> bytes:
        if offset >= 100 and failures:
            raise failures.pop()
        return read(descriptor, size, offset)

    def lose() -> None:
        append(path, lines(size, 150))
        failures.append(OSError(errno.ESTALE, os.strerror(errno.ESTALE)))

    monkeypatch.setattr(os, "pread", stale)
    path.write_text(lines(0, size))
    reported = followed(sensor_spool, path, steps=[(size, lose), (150, nothing)])
    assert_once(sensor_spool, names(0, 150))
    [trouble] = reported.troubles
    assert "list.txt cannot be read: Stale file handle: look at its disk or server" in trouble
    assert reported.gaps == []


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("made", "text"), [(_loop, "Too many levels"), (os.mkfifo, "no regular file")], ids=["link", "pipe"]
)
def test_a_place_that_cannot_be_read_is_reported_once_and_tried_again(
    path: Path, sensor_spool: Spool, made: Callable[[Path], None], text: str
) -> None:
    made(path)

    def repair() -> None:
        path.unlink()
        path.write_text(lines(0, 5))

    reported = followed(sensor_spool, path, steps=[(text, repair), (5, nothing)])
    assert len(reported.troubles) == 1
    assert_once(sensor_spool, names(0, 5))
