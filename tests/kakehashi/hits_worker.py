"""Follows logs of Suricata for hits, in a process that may be killed: ``folder quiet_s home place…``."""

import sys
from pathlib import Path

from consumers.picture.tables import path_of
from exchange.clock import now_ms
from kakehashi.hits import reader_of
from producers.follow.follow import follow
from producers.hits.suricata import FORMAT
from producers.produce import Options
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from tests.builders import NOW_MS
from tests.producers.following_worker import Announcing
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher


def main(folder: str, quiet_s: str, home: str, *places: str) -> None:
    """Follow until SIGTERM."""
    stop = Stop()
    with stop.on_signals(), Spool(Path(folder), SENSOR.nation, SENSOR.name, now_ms()) as spool:
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        reader = reader_of(FORMAT, path_of(Path(home), "JPN"), "JPN", "GBR", "TLP:GREEN", lambda: NOW_MS)
        options = Options(SENSOR, places, format=reader)
        try:
            follow(
                options, spool, publisher, Announcing(), codec=CODEC, now_ms=now_ms, stop=stop, quiet_s=float(quiet_s)
            )
        except Stopped:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
