"""Rotations while older copies are read: all files beside the path get other names, and each is read once."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from exchange.clock import now_ms
from producers.follow.follow import follow
from producers.produce import Options
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from tests.producers.following import Writer, writing
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched, values_in

LINES = 300


def rotated(writer: Writer, *, is_truncated: bool) -> None:
    """As logrotate does, which gives each older copy the next number."""
    for number in range(9, 0, -1):
        older = writer.path.with_name(f"list.txt.{number}")
        if older.exists():
            older.rename(writer.path.with_name(f"list.txt.{number + 1}"))
    first = writer.path.with_name("list.txt.1")
    if is_truncated:
        shutil.copyfile(writer.path, first)
        os.truncate(writer.path, 0)
    else:
        writer.path.rename(first)
        writer.reopen()


class Watching(Unwatched):
    """Does one action with each input that is opened."""

    def __init__(self, actions: Sequence[Callable[[], None]]) -> None:
        self._actions, self.gaps = list(actions), list[str]()

    def opened(self, *_: object) -> None:
        """Do the next action."""
        if self._actions:
            self._actions.pop(0)()

    def gap(self, text: str) -> None:  # type: ignore[override]
        """Keep it."""
        self.gaps.append(text)


class Ending(OfflinePublisher):
    """Ends the run as soon as all is spooled, or after a time."""

    def __init__(self, spool: Spool, stop: Stop, is_all: Callable[[], bool]) -> None:
        super().__init__(NOWHERE, spool, SENSOR.name)
        self._stop, self._is_all, self._until = stop, is_all, time.monotonic() + 10

    def pump(self, *_: object) -> None:
        """Look whether it is the end."""
        if not self._stop.requested and (self._is_all() or time.monotonic() > self._until):
            self._stop.request()


def followed(spool: Spool, writer: Writer, *actions: Callable[[], None]) -> list[str]:
    """The gaps of a run in which these actions happen as inputs are opened, until all that was written is spooled."""
    stop, view = Stop(), Watching(actions)
    publisher = Ending(spool, stop, lambda: len(values_in(spool)) >= writer.written)
    options = Options(SENSOR, (str(writer.path),))
    with pytest.raises(Stopped):
        follow(options, spool, publisher, view, codec=CODEC, now_ms=now_ms, stop=stop, quiet_s=0.5)
    return view.gaps


@pytest.mark.parametrize("is_truncated", [True, False], ids=["copytruncate", "rename"])
def test_a_rotation_while_an_older_copy_is_read_leaves_none_out(
    tmp_path: Path, sensor_spool: Spool, is_truncated: bool
) -> None:
    with writing(tmp_path / "list.txt") as writer:

        def rotate() -> None:
            rotated(writer, is_truncated=is_truncated)
            writer.write(LINES)

        writer.write(LINES)
        followed(sensor_spool, writer)
        for _ in range(4):
            rotate()
        assert followed(sensor_spool, writer, rotate, rotate) == []
        assert sorted(values_in(sensor_spool)) == sorted(writer.values())


def test_a_file_that_is_truncated_before_its_first_line_was_read_is_found_in_its_copy(
    tmp_path: Path, sensor_spool: Spool
) -> None:
    with writing(tmp_path / "list.txt") as writer:

        def rotate() -> None:
            rotated(writer, is_truncated=True)
            writer.write(2 * LINES)

        writer.write(LINES)
        assert followed(sensor_spool, writer, rotate) == []
        assert sorted(values_in(sensor_spool)) == sorted(writer.values())
