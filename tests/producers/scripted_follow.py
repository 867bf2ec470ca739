"""Follows places in this process, and acts at stated moments: what happens between two looks is no accident."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from exchange.clock import now_ms
from producers.follow.follow import follow
from producers.produce import Options
from producers.report import MAX_OBSERVATIONS
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched, values_in

Action = Callable[[], object]
Awaited = int | str | Callable[[], bool]
"""So many values in the spool, a trouble with this text, or anything else."""
Steps = Sequence[tuple[Awaited, Action]]
_MOST_S = 15


def append(path: Path, text: str) -> None:
    """Write more to a file."""
    with path.open("a") as file:
        file.write(text)


def assert_once(spool: Spool, expected: list[str]) -> None:
    """These values are in the spool, each once."""
    assert sorted(values_in(spool)) == sorted(expected)


def names(first: int, end: int) -> list[str]:
    """The values with these numbers."""
    return [f"{number}.example.com" for number in range(first, end)]


def lines(first: int, end: int) -> str:
    """Lines with these numbers, one value each."""
    return "".join(f"{name}\n" for name in names(first, end))


class Reported(Unwatched):
    """Keeps what an operator sees."""

    def __init__(self) -> None:
        self.gaps, self.troubles = list[str](), list[str]()

    def gap(self, text: str) -> None:  # type: ignore[override]
        """Keep it."""
        self.gaps.append(text)

    def failed(self, text: str) -> None:  # type: ignore[override]
        """Keep it."""
        self.troubles.append(text)


class Acting(OfflinePublisher):
    """Acts each time that what is awaited is there, and ends the run after the last of it."""

    def __init__(self, spool: Spool, stop: Stop, reported: Reported, steps: Steps) -> None:
        super().__init__(NOWHERE, spool, SENSOR.name)
        self._kept, self._stop, self._reported, self._steps = spool, stop, reported, list(steps)
        self._until = time.monotonic() + _MOST_S

    def pump(self, *_: object) -> None:
        """Do what is due."""
        if self._steps and self._is_due(self._steps[0][0]):
            self._steps.pop(0)[1]()
        if not self._stop.requested and (not self._steps or time.monotonic() > self._until):
            self._stop.request()

    def _is_due(self, awaited: Awaited) -> bool:
        if callable(awaited):
            return awaited()
        if isinstance(awaited, int):
            return len(values_in(self._kept)) >= awaited
        return any(awaited in text for text in self._reported.troubles)


def nothing() -> None:
    """The end of a run."""


class Killed(BaseException):
    """Ends a run at once, as ``kill -9`` does."""


def kill() -> None:
    """Kill the run."""
    raise Killed


def followed(spool: Spool, *places: Path | str, steps: Steps, report_size: int = MAX_OBSERVATIONS) -> Reported:
    """One run. Each step waits, and then acts."""
    stop, reported = Stop(), Reported()
    publisher = Acting(spool, stop, reported, steps)
    options = Options(SENSOR, tuple(map(str, places)), report_size=report_size)
    with pytest.raises((Stopped, Killed)):
        follow(options, spool, publisher, reported, codec=CODEC, now_ms=now_ms, stop=stop, quiet_s=0.3)
    return reported
