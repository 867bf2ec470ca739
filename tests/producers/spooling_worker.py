"""A process that spools one file, says each durable step on standard output, and waits for a line before it continues.

It is there to be killed.
"""

import sys
from pathlib import Path

from producers.produce import Options, produce
from producers.spool.spool import Spool, folder_of
from producers.summary import Summary
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched

REPORT_SIZE = 7


class Saying(Unwatched):
    """A view that tells the parent of each durable step; between two steps it is called, too, and says nothing."""

    def __init__(self) -> None:
        self._done = (0, 0)

    def progressed(self, *now: object) -> None:
        """Say that one more step is durable."""
        summary = now[1]
        assert isinstance(summary, Summary)
        done = (summary.reports, summary.rejected.total())
        if done != self._done:
            self._done = done
            print("step", flush=True)  # noqa: T201 - the parent reads it
            sys.stdin.readline()


def main(home: str, file: str) -> None:
    """Spool ``file``; a line for each step, and ``complete`` at the end."""
    with Spool(folder_of(Path(home), SENSOR.nation, SENSOR.name), SENSOR.nation, SENSOR.name, NOW_MS) as spool:
        options = Options(SENSOR, (file,), report_size=REPORT_SIZE)
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        produce(options, spool, publisher, Saying(), codec=CODEC, now_ms=lambda: NOW_MS)
        print("complete", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
