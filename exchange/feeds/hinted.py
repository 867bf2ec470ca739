"""A feed that is handed records by another component, and trusts its own position only.

A record that is handed over is a hint: one that was seen before is dropped, and if records are missing between the
position and the hint they are read from the topic. So whatever the other side drops, repeats or skips (a consumer
group does all of it in a rebalance), the shard gets each record once and in order.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.gathering import Gathering
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record

_WAITING_RECORDS: Final = 256
_WAITING_BYTES: Final = 32 << 20
MAX_BYTES: Final = 1 << 20  # of a batch
ASK_AGAIN_S: Final = 2.0


class Mailbox:
    """Records on their way to one shard: thread-safe, bounded in number and bytes, and allowed to lose."""

    def __init__(self, *, records: int = _WAITING_RECORDS, size: int = _WAITING_BYTES) -> None:
        self._records, self._size = records, size
        self._waiting: deque[Record] = deque()
        self._bytes = 0
        self._changed = threading.Condition()

    def offer(self, record: Record) -> bool:
        """Hand over a record; False if there is no room. One record always fits."""
        size = len(record.value or b"")
        with self._changed:
            if self._waiting and (len(self._waiting) >= self._records or self._bytes + size > self._size):
                return False
            self._waiting.append(record)
            self._bytes += size
            self._changed.notify()
        return True

    def take(self, timeout_s: float, max_bytes: int = MAX_BYTES, taken: int = 0) -> list[Record]:
        """Waiting records, or the first to arrive within the time: so many bytes of values at most, but for one. If so
        many are ``taken``, these continue a batch."""
        records: list[Record] = []
        size = taken
        with self._changed:
            if not self._waiting:
                self._changed.wait(timeout_s)
            while self._waiting:
                size += len(self._waiting[0].value or b"")
                if (records or taken) and size > max_bytes:
                    break
                self._bytes -= len(self._waiting[0].value or b"")
                records.append(self._waiting.popleft())
        return records

    @property
    def size(self) -> int:
        """Bytes of the values that wait."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._waiting)

    def clear(self) -> None:
        """Drop all waiting records."""
        with self._changed:
            self._waiting.clear()
            self._bytes = 0


class HintedFeed(Feed[None]):
    """A ``Feed`` over one input, fed by a mailbox; missing records are read from the topic itself.

    Only for a topic whose offsets have no holes of their own (no transactions, no compaction): there every missing
    offset is a missing record. Silence proves nothing: neither that the topic has been read to its end, nor that no
    hint was lost. So the end itself is asked for, before we rely on hints and whenever none has come for a while.
    """

    def __init__(self, source: Input, mailbox: Mailbox, own: AssignedFeed, gather_s: float = 0.0) -> None:
        """``gather_s`` is how long hints gather behind a batch (``exchange.feeds.gathering``)."""
        self._source, self._mailbox, self._own = source, mailbox, own
        self._next = 0
        self._behind = True
        self._asked_at = 0.0
        self._gathering = Gathering(gather_s)
        self._size = 0  # bytes of the last batch that was handed over
        self.ask_again_s = ASK_AGAIN_S

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at the position: by reading ourselves, until we have caught up with what is handed over."""
        self._mailbox.clear()
        gaps = self._own.resume(next_offsets)
        self._next = self._own.start_of(self._source)
        self._behind = True
        return gaps

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records, from the mailbox if they follow the last one, else from the topic."""
        if self._behind:
            records = self._own.poll(timeout_s)
            if not records and self._is_at_the_end():
                self._behind = False
                self._own.pause()
            return self._advance(records)
        if not self._gathering.wait(timeout_s):
            return []
        records = self._mailbox.take(timeout_s)
        self._size = _bytes(records)
        if records:
            self._gathering.began(left_some=len(self._mailbox) > 0)
        if not records and time.monotonic() - self._asked_at > self.ask_again_s and not self._is_at_the_end():
            self._fall_behind()
        return self._advance(records)

    def more(self) -> Sequence[Record]:
        """What was handed over since, within the limits of the same batch."""
        if self._behind or not self._size:
            return []
        records = self._mailbox.take(0, taken=self._size)
        self._size += _bytes(records)
        return self._advance(records)

    def places(self) -> Mapping[Input, int] | None:
        """The next offset; None while it reads the topic itself, or hints wait."""
        return None if self._behind or len(self._mailbox) else {self._source: self._next}

    def close_clients(self) -> None:
        """Close the client."""
        self._own.close_clients()

    def open_clients(self, places: Mapping[Input, int]) -> None:
        """Wait for hints again. A client is made when one is needed."""
        self._next = max(self._next, places[self._source])
        self._asked_at = time.monotonic()

    def _is_at_the_end(self) -> bool:
        self._asked_at = time.monotonic()
        end = self._own.end_of(self._source)
        return end is not None and self._next >= end

    def _fall_behind(self) -> None:
        self._behind = True
        self._own.seek(self._source, self._next)

    def _advance(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records that continue from the position; at the first gap we turn to reading ourselves."""
        fine = []
        for record in records:
            if record.offset < self._next:
                continue
            if record.offset > self._next and not self._behind:
                self._fall_behind()
                break
            fine.append(record)
            self._next = record.offset + 1
        return fine

    def facts(self, records: Sequence[Record]) -> None:  # see its result
        """Nothing besides the records."""

    def lag(self) -> int:
        """Records that wait in the mailbox, or in the topic while we read it ourselves."""
        return self._own.lag() if self._behind else len(self._mailbox)

    def close(self) -> None:
        """Stop reading."""
        self._own.close()


def _bytes(records: Sequence[Record]) -> int:
    return sum(len(record.value or b"") for record in records)
