"""A feed that changes some calls of another one, and hands on the others."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Output, Record

Facts = TypeVar("Facts", covariant=True)  # noqa: PLC0105  # of the feed inside


class FeedAround(Feed[Facts]):
    """Hands on every call to the feed inside."""

    def __init__(self, feed: Feed[Facts]) -> None:
        self._feed = feed
        self.looks_ahead = feed.looks_ahead

    @property
    def idle_s(self) -> float:  # type: ignore[override]  # read only
        """The feed's."""
        return self._feed.idle_s

    def wake(self) -> None:
        """Wake the feed."""
        self._feed.wake()

    def places(self) -> Mapping[Input, int] | None:
        """The feed's."""
        return self._feed.places()

    def close_clients(self) -> None:
        """Have the feed close them."""
        self._feed.close_clients()

    def open_clients(self, places: Mapping[Input, int]) -> None:
        """Have the feed read on."""
        self._feed.open_clients(places)

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start the feed."""
        return self._feed.resume(next_offsets)

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The feed's next records."""
        return self._feed.poll(timeout_s)

    def wake_for(self, other: Input) -> None:
        """Have the feed woken by this input, too."""
        self._feed.wake_for(other)

    def rung(self) -> int:
        """The feed's."""
        return self._feed.rung()

    def more(self) -> Sequence[Record]:
        """The feed's."""
        return self._feed.more()

    def ahead(self) -> Sequence[Record]:
        """The feed's."""
        return self._feed.ahead()

    def gathering_s(self) -> float:
        """The feed's."""
        return self._feed.gathering_s()

    def facts(self, records: Sequence[Record]) -> Facts:
        """The feed's."""
        return self._feed.facts(records)

    def ask(self, questions: Mapping[bytes, int]) -> None:
        """Ask the feed."""
        self._feed.ask(questions)

    def marks(self) -> Mapping[Input, int]:
        """The feed's."""
        return self._feed.marks()

    def recheck(self, outputs: Sequence[Output]) -> None:
        """Have the feed check."""
        self._feed.recheck(outputs)

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """Acknowledge to the feed."""
        self._feed.acknowledge(next_offsets)

    def lag(self) -> int:
        """Records that wait."""
        return self._feed.lag()

    def close(self) -> None:
        """Stop reading."""
        self._feed.close()
