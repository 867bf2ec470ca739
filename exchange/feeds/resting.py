"""A feed that closes its clients while nothing comes."""

import time
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from exchange.feeds.around import FeedAround
from exchange.feeds.bells import Bell, Bells
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record

Facts_co = TypeVar("Facts_co", covariant=True)

REST_AFTER_S: Final = 20.0  # a client that is made again costs as much as one that is kept for about as long
TURN_S: Final = 5.0


class RestingFeed(FeedAround[Facts_co]):
    """A ``Feed`` that rests once nothing has come for a while.

    A bell watches the inputs from its next offsets on. Until the bell has seen the end of each input, the feed keeps
    its own clients: so a record that arrives meanwhile is not late. At rest a wait is ended by the bell or by ``wake``.
    """

    def __init__(self, feed: Feed[Facts_co], bells: Bells, after_s: float = REST_AFTER_S) -> None:
        super().__init__(feed)
        self._bells, self._after_s = bells, after_s
        self._bell: Bell | None = None
        self._places: Mapping[Input, int] = {}  # that the bell was given
        self._is_at_rest = False
        self._last_s = time.monotonic()

    @property
    def idle_s(self) -> float:  # type: ignore[override]  # read only
        """At rest, the time until due rows, rules and metrics are looked at again."""
        return TURN_S if self._is_at_rest else self._feed.idle_s

    def wake(self) -> None:
        """End a wait at rest. One with clients is short."""
        bell = self._bell
        if bell is not None:
            bell.wake()

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start with clients."""
        self._forget()
        return self._feed.resume(next_offsets)

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records."""
        if self._is_at_rest and not self._reads_again(timeout_s):
            return []
        records = self._feed.poll(min(timeout_s, self._feed.idle_s))
        if records:
            self._forget()
        elif time.monotonic() - self._last_s >= self._after_s:
            self._settle_down()
        return records

    def more(self) -> Sequence[Record]:
        """The feed's; at rest there is no batch of records to be continued."""
        return () if self._is_at_rest else self._feed.more()

    def ahead(self) -> Sequence[Record]:
        """The feed's, also while due rows are computed at rest."""
        return () if self._is_at_rest and not self._reads_again(0.0) else self._feed.ahead()

    def _reads_again(self, timeout_s: float) -> bool:
        """Wait for the bell for so long, and open the clients if it has rung; whether it has."""
        if self._bell is None or not self._bell.wait(timeout_s):
            return False
        self._feed.open_clients(self._bells.forget(self._bell))
        self._forget()
        return True

    def _settle_down(self) -> None:
        """Listen first; then close the clients."""
        places = self._feed.places()
        if places is None:
            self._forget()
        elif self._bell is None:
            self._places, self._bell = places, self._bells.listen(places)
        elif self._bell.has_rung.is_set() or places != self._places:
            self._forget()
        elif self._bell.is_heard.is_set():
            self._feed.close_clients()
            self._is_at_rest = True

    def _forget(self) -> None:
        """Something has come, or may have."""
        bell, self._bell = self._bell, None
        if bell is not None:
            self._bells.forget(bell)
        self._is_at_rest, self._last_s = False, time.monotonic()

    def close(self) -> None:
        """Stop reading."""
        self._forget()
        self._feed.close()
