"""A nation's picture for a command: brought up to date if no process keeps it, and then read."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

from exchange.clock import now_ms
from exchange.errors import NotFound, TransientError
from kakehashi.terminal import utc

if TYPE_CHECKING:
    from consumers.picture.filters import Filter
    from consumers.picture.keep import Origin
    from consumers.picture.picture import Picture
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings

_CHECKED_WHOLE: Final = 32 << 20  # bytes: looking for damage takes a tenth of a second
_SHOWN_AFTER_S: Final = 0.5  # a few records need no progress


@contextmanager
def picture_of(nation: str, settings: "Settings", environ: Mapping[str, str], *, update: bool) -> "Iterator[Picture]":
    """The picture. With ``update`` it first takes in what the topics have, unless another process does so.

    If no broker answers, it is not updated, and a line on standard error has its age. Raises NotFound if there is none.
    """
    from consumers.picture.picture import Picture
    from consumers.picture.tables import path_of
    from kakehashi.clusters import cluster_of

    path = path_of(settings.home, nation)
    if update:
        try:
            bring_up_to_date(cluster_of(nation, settings, environ), settings)
        except TransientError as error:
            if not path.exists():
                raise
            typer.echo(f"kakehashi: {error}. What follows may be old.", err=True)
    try:
        picture = Picture(path, nation, now_ms)
    except NotFound as error:
        raise NotFound(
            f"{error}: leave out --local, or start `kakehashi output run --nation {nation} --to NAME:TARGET`"
        ) from error
    with picture:
        for state in picture.origins():
            if not state.is_whole:
                typer.echo(f"kakehashi: what {state.origin} has is still being read: not all of it is here", err=True)
        yield picture


def note_of_ended(picture: "Picture", filters: "Filter") -> None:
    """For a search of ended indicators: since when the picture has them. The topics keep no value of earlier ones."""
    from consumers.picture.filters import LIVE

    if filters.states != LIVE:
        typer.echo(
            f"kakehashi: this picture was made at {utc(picture.made_ms)} UTC. It has the values of what ended since "
            f"then; of what ended before, only ids (`kakehashi get ID --nation {picture.nation}`)",
            err=True,
        )


def origins_of(cluster: "Cluster", settings: "Settings") -> "dict[str, Origin]":
    """The topics of the picture."""
    from consumers.picture.origins import origins_on

    return origins_on(cluster, settings.partners(cluster.nation))


def bring_up_to_date(cluster: "Cluster", settings: "Settings") -> None:
    """Take in what the topics have now, with progress on a terminal; nothing if another process keeps the picture."""
    from consumers.picture.keep import take
    from consumers.picture.tables import path_of

    path = path_of(settings.home, cluster.nation)
    is_small = path.exists() and path.stat().st_size <= _CHECKED_WHOLE
    keeper = take(path, cluster.nation, now_ms, deep=is_small)
    if keeper is None:
        return
    with keeper:
        if keeper.made_anew:
            typer.echo(f"kakehashi: the picture is made anew: {keeper.made_anew}", err=True)
        view = CatchingUp()
        keeper.catch_up(origins_of(cluster, settings), cluster.codec(), view)
        view.end()


class CatchingUp:
    """A count on standard error while much is read, if that is a terminal."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._records, self._is_shown, self._clock_s, self._began_s = 0, False, clock_s, clock_s()

    def __call__(self, origin: str, records: int, share: float) -> None:
        self._records += records
        if self._clock_s() - self._began_s >= _SHOWN_AFTER_S and sys.stderr.isatty():
            self._is_shown = True
            sys.stderr.write(f"\r\x1b[Kreading {origin}: {share:.0%}, {self._records:,} records in all")
            sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
