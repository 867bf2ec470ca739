"""What a nation sees, for your own programs: typed, resumable, with everything that has to leave.

    from kakehashi.api import Put, Remove, Subscriber

    blocked = set()
    for change in Subscriber(nation="JPN", origin="GBR", name="my-firewall", activity="active", follow=False):
        if isinstance(change, Put):
            blocked.add(change.entry.value)
        elif isinstance(change, Remove):
            blocked.discard(change.value)

The settings are those of every command (``KAKEHASHI_…``). Importing this loads neither Faust, Polars nor Cedar.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

import msgspec

from consumers.outputs.protocol import Put, Remove
from consumers.outputs.subscriber import Changes, Current, Event, Restart
from consumers.picture.entry import Ended, Entry
from consumers.picture.filters import Filter
from consumers.picture.keep import take
from consumers.picture.keeping import Keeping
from consumers.picture.origins import origins_on
from consumers.picture.picture import Picture
from consumers.picture.tables import path_of
from consumers.subscription.changes import State, Use
from exchange.clock import now_ms
from exchange.errors import ConfigurationError, ExchangeError
from exchange.settings import Settings
from kakehashi.clusters import cluster_of
from schemas.markings import Activity, Pap

__all__ = [
    "Current", "Ended", "Entry", "Event", "ExchangeError", "Filter", "Picture", "Put", "Remove", "Restart", "State",
    "Subscriber",
]  # fmt: skip


class Subscriber:
    """An iterable of changes: ``Restart`` (discard everything), then a ``Put`` for each indicator that is there,
    ``Current``, and then each change as it comes: ``Put`` for what is new or changed, ``Remove`` for what is expired,
    revoked, recalled or no longer let through, with the value that has to go.

    ``name`` is yours: the position is stored under it after each ``Current``, and the next run goes on there. After a
    crash the changes after the last ``Current`` come again: putting and removing twice is the same as once. Until a
    name has applied a recall, `kakehashi output list` shows it; `kakehashi output forget` ends that.

    ``origin`` is one nation, or all that ``nation`` sees if it is empty. ``activity`` is what you do with indicators,
    by PAP: "passive-local", "passive-remote" or "active"; what PAP does not allow is not handed on. ``filters`` narrows
    more. With ``follow=False`` it ends when it is current. Use one per thread. Raises ExchangeError with what to do.
    """

    def __init__(
        self,
        nation: str,
        origin: str = "",
        *,
        name: str = "subscriber",
        activity: str = "passive-local",
        unstated_pap: str = "",
        filters: Filter | None = None,
        follow: bool = True,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        settings = Settings.from_env(environ)
        cluster = cluster_of(nation, settings, environ)
        if origin and origin != nation:
            settings.agreement(nation, origin)
        self._nation, self._follow, self._stopping = nation, follow, threading.Event()
        self._path, self._origins = path_of(settings.home, nation), origins_on(cluster, settings.partners(nation))
        self._codec = cluster.codec()
        wanted = filters or Filter()
        if origin:
            wanted = msgspec.structs.replace(wanted, origins=frozenset({origin}))
        self._changes = Changes(self._path, nation, name, wanted, _use(activity, unstated_pap), now_ms)
        self._failed: Exception | None = None

    def __iter__(self) -> Iterator[Event]:
        """The changes. Ends after ``stop``, or when it is current if it does not follow."""
        if not self._follow:
            keeper = take(self._path, self._nation, now_ms, deep=False)
            if keeper is not None:
                with keeper:
                    keeper.catch_up(self._origins, self._codec)
            yield from self._changes.events(follow=False, stopping=self._stopping)
            return
        keeping = Keeping(self._path, self._nation, self._origins, self._codec, now_ms, self._fail).start()
        try:
            yield from self._changes.events(follow=True, stopping=self._stopping)
        finally:
            keeping.stop()
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """End the iteration after the present change; from any thread or a signal handler."""
        self._stopping.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _fail(self, error: Exception) -> None:
        self._failed = error
        self.stop()


def _use(activity: str, unstated_pap: str) -> Use:
    activities, paps = {each.label: each for each in Activity}, {each.label: each for each in Pap}
    if activity not in activities or unstated_pap not in paps:
        raise ConfigurationError(
            f"activity={activity!r}, unstated_pap={unstated_pap!r}: an activity is one of {', '.join(activities)}, "
            f"a PAP one of {', '.join(filter(None, paps))}"
        )
    return Use(activities[activity], paps[unstated_pap])
