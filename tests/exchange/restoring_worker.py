"""Restores a shard's state as its owner does.

``python -m tests.exchange.restoring_worker BOOTSTRAP STEP FOLDER BYTES``: no file may become larger than BYTES, which
stands in for a disk. Standard output gets a line for each portion, and one for the last batch or an error.
"""

import resource
import sys
from pathlib import Path

from exchange.clock import now_ms
from exchange.errors import ExchangeError
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Position
from exchange.protocol.restore import Restorer
from exchange.protocol.restore_apart import RestoreApart
from exchange.protocol.state import RocksState
from tests.exchange.changelogs import Changelog


def restored(changelog: Changelog, folder: Path) -> RocksState:
    """The state, as the owner of the committed position has it."""
    log = changelog.log()
    position = log.position() or Position()
    RestoreApart(changelog.cluster, log, changelog.step, 0, lambda: changelog.state(folder), 1)(position, _say_so)
    state = changelog.state(folder)
    Restorer(changelog.step, log, now_ms, "").restore(state, position)
    return state


def _say_so() -> None:
    sys.stdout.write("portion\n")
    sys.stdout.flush()


if __name__ == "__main__":
    bootstrap, step, place, limit = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    try:
        found = restored(Changelog(Cluster("GBR", bootstrap), step), Path(place))
    except ExchangeError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
    else:
        sys.stdout.write(f"{found.start()[1]}\n")
        found.close()
