"""Follows places into a spool, in a process that may be killed: ``folder quiet_s place…``; no cluster answers."""

import sys
from pathlib import Path

from exchange.clock import now_ms
from producers.follow.follow import follow
from producers.produce import Options
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched


class Announcing(Unwatched):
    """Prints gaps."""

    def gap(self, text: str) -> None:  # type: ignore[override]
        """Print it."""
        sys.stdout.write(f"gap: {text}\n")
        sys.stdout.flush()


def main(folder: str, quiet_s: str, *places: str) -> None:
    """Follow until SIGTERM."""
    stop = Stop()
    with stop.on_signals(), Spool(Path(folder), SENSOR.nation, SENSOR.name, now_ms()) as spool:
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        options = Options(SENSOR, places)
        try:
            follow(
                options, spool, publisher, Announcing(), codec=CODEC, now_ms=now_ms, stop=stop, quiet_s=float(quiet_s)
            )
        except Stopped:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
