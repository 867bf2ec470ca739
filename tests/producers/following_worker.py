"""Follows places into a spool, in a process that may be killed: ``folder quiet_s place…``; no cluster answers.

A live input is polled every 0.2 s, with the credentials in ``folder/secret`` and so on.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from exchange.clock import now_ms
from producers.follow.follow import follow
from producers.live.documents import LiveInput
from producers.live.feed import Live
from producers.live.kinds import followed_kind_of
from producers.produce import Options
from producers.spool.batch import Sensor
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from tests.producers.producing import CODEC, NOWHERE, SENSOR, OfflinePublisher, Unwatched


class Announcing(Unwatched):
    """Prints gaps and troubles."""

    def failed(self, text: str) -> None:  # type: ignore[override]
        """Print it."""
        sys.stdout.write(f"trouble: {text}\n")
        sys.stdout.flush()

    def gap(self, text: str) -> None:  # type: ignore[override]
        """Print it."""
        sys.stdout.write(f"gap: {text}\n")
        sys.stdout.flush()


def main(folder: str, quiet_s: str, *places: str) -> None:
    """Follow until SIGTERM."""
    followed(SENSOR, lambda spool: OfflinePublisher(NOWHERE, spool, SENSOR.name), folder, quiet_s, *places)


def followed(sensor: Sensor, publishing: Callable[[Spool], Publisher], folder: str, quiet_s: str, *places: str) -> None:
    """Follow as this sensor until SIGTERM."""
    stop = Stop()
    with stop.on_signals(), Spool(Path(folder), sensor.nation, sensor.name, now_ms()) as spool:
        publisher = publishing(spool)
        options = Options(sensor, tuple(place for place in places if followed_kind_of(place) is None))
        try:
            follow(
                options,
                spool,
                publisher,
                Announcing(),
                codec=CODEC,
                now_ms=now_ms,
                stop=stop,
                quiet_s=float(quiet_s),
                live=[live for place in places if (live := _live(place, Path(folder), stop)) is not None],
            )
        except Stopped:
            return


def _live(address: str, folder: Path, stop: Stop) -> Live | None:
    kind = followed_kind_of(address)
    if kind is None:
        return None
    secret, authorities, reviewed = (
        path if (path := folder / name).exists() else None for name in ("secret", "authorities", "reviewed")
    )
    place = LiveInput(address, folder / "fetched", secret, authorities, reviewed, is_followed=True, stop=stop)
    return Live(kind, place, kind.options_of(Options(SENSOR, (), format="auto")), 0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
