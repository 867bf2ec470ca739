"""Two feeds as one: urgent records never wait behind bulk."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from exchange.feeds.assigned import AssignedFeed
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record

LOOK_S: Final = 0.2  # so much later than the rest's client, at most, does its own one get an urgent record


class UrgentFeed(Feed[None]):
    """A ``Feed`` over one urgent input, and over the feed of all others.

    They have clients of their own on purpose: within one client, a recall would wait behind all that has been fetched
    of a backlog. A wait is one for the rest, whose client is woken by an urgent record, too, and drops it. The urgent
    input is looked at before each batch, without waiting, and again while that batch waits
    for its turn to be computed (``ahead``); and a new owner of the shard reads it to the end that it has by then before
    anything else: indicators recalled while no worker ran are not released first. The urgent topic is one without
    transactions, where the end is a record's.
    """

    looks_ahead = True

    def __init__(self, source: Input, urgent: AssignedFeed, rest: Feed[None]) -> None:
        self._source, self._urgent, self._rest = source, urgent, rest
        self._next = 0
        self._end: int | None = None
        self._was_urgent = False
        rest.wake_for(source)

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start both; each knows its own inputs."""
        gaps = self._urgent.resume(next_offsets)
        self._next, self._end = self._urgent.start_of(self._source), None
        return gaps + self._rest.resume(next_offsets)

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """Urgent records in a batch of their own: a small batch is a quick one. Right behind it comes the rest: so
        neither holds up the other for longer than a batch. While the rest gathers, urgent records are waited for."""
        if self._end is None:
            self._end = self._urgent.end_of(self._source)
        if self._end is None or self._next < self._end:
            return self._poll_urgent(timeout_s)
        if self._was_urgent:
            self._was_urgent = False
            return self._rest.poll(0)
        until = time.monotonic() + timeout_s
        while True:
            urgent_s = LOOK_S if self._rest.rung() > self._next else self._rest.gathering_s()
            records = self._poll_urgent(min(timeout_s, urgent_s)) or self._rest.poll(max(0.0, until - time.monotonic()))
            timeout_s = until - time.monotonic()
            if records or timeout_s <= 0:
                return records

    def more(self) -> Sequence[Record]:
        """Of the rest, if the batch is of it."""
        return () if self._was_urgent else self._rest.more()

    def places(self) -> Mapping[Input, int] | None:
        """The next offset of each input; None while some of either are to be handed out."""
        urgent, rest = self._urgent.places(), self._rest.places()
        if self._end is None or self._next < self._end or self._was_urgent or urgent is None or rest is None:
            return None
        return {**urgent, **rest}

    def close_clients(self) -> None:
        """Close both clients."""
        self._urgent.close_clients()
        self._rest.close_clients()

    def open_clients(self, places: Mapping[Input, int]) -> None:
        """Read on at these offsets, urgent records first, as behind ``resume``: no other overtakes one that has ended a
        rest while its client connects."""
        self._next, self._end = max(self._next, places[self._source]), None
        self._urgent.open_clients(places)
        self._rest.open_clients(places)

    def ahead(self) -> Sequence[Record]:
        """Urgent records by now, while a batch of the rest must wait. Behind a batch of its own kind
        nothing goes ahead: a position would pass over it."""
        return () if self._was_urgent else self._advance(self._urgent.poll(0))

    def _poll_urgent(self, timeout_s: float) -> Sequence[Record]:
        records = self._advance(self._urgent.poll(timeout_s))
        self._was_urgent = bool(records)
        return records

    def _advance(self, records: Sequence[Record]) -> Sequence[Record]:
        if records:
            self._next = records[-1].offset + 1
        return records

    def facts(self, records: Sequence[Record]) -> None:  # see its result
        """Nothing besides the records."""

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """Acknowledge to both."""
        self._urgent.acknowledge(next_offsets)
        self._rest.acknowledge(next_offsets)

    def lag(self) -> int:
        """Records that wait in either."""
        return self._urgent.lag() + self._rest.lag()

    def close(self) -> None:
        """Stop reading both."""
        self._urgent.close()
        self._rest.close()
