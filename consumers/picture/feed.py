"""Brings one topic into the picture: ends first, then everything, each batch with its position."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from consumers.picture.arrival import Arrival, arrival_of
from consumers.picture.write import PictureWriter
from consumers.subscription.cursor import Cursor
from consumers.subscription.subscription import Gap, Quiet, Source, Subscription
from exchange.errors import ConfigurationError
from exchange.protocol.record import Record
from schemas.canary import CANARY_KEY
from schemas.codec import Codec
from schemas.topics import DAY_MS

_log = logging.getLogger(__name__)
BATCH: Final = 5_000
_FIRST_BATCH: Final = 20_000
"""Of a picture that is empty: a transaction writes each page of an index once, and random keys are on all of them, so
this writes less than half as much. Nothing else waits for an empty picture."""
_SAVE_MS: Final = 10_000

Progress = Callable[[str, int, float], None]
"""Called with an origin, the records that were brought in since the last call, and the share of its topic that is read,
0 to 1, of what there was when reading began."""


class OriginFeed:
    """One origin's topic on its way into a picture. ``lock`` guards the writer, which origins share.

    ``unreadable`` counts records that are not of this topic's schema: they are left out.
    """

    def __init__(
        self,
        writer: PictureWriter,
        lock: threading.RLock,
        source: Source,
        codec: Codec,
        *,
        nation: str,
        origin: str,
        topic: str,
        clock_ms: Callable[[], int],
        progress: Progress = lambda *_: None,
        deletions_kept_ms: int = DAY_MS,
    ) -> None:
        self._writer, self._lock, self._source, self._codec = writer, lock, source, codec
        self._nation, self._origin, self._clock_ms = nation, origin, clock_ms
        self._progress, self._deletions_kept_ms = progress, deletions_kept_ms
        self.unreadable = 0
        with lock:
            self._number = writer.origin(origin, topic)
        self._saved_ms = 0
        self._bounds: Mapping[int, tuple[int, int]] = {}

    def run(self, *, follow: bool, stopping: Callable[[], bool] = lambda: False) -> None:
        """Read from the stored position to the topic's end, or with ``follow`` until ``stopping``.

        Raises NotFound if the topic is missing, BrokerUnavailable if no broker answers.
        """
        cursor = self._stored()
        with self._lock:
            is_first = cursor is None and self._writer.is_empty()
        if not is_first:
            self._take_ends(cursor)
        reading = self._subscription(cursor)
        self._bounds = {} if follow else self._source.look().bounds
        at_once = _FIRST_BATCH if is_first else BATCH
        batch: list[Arrival] = []
        for event in reading.events(follow=follow, stopping=stopping):
            if isinstance(event, Record):
                self._collect(event, batch)
                if len(batch) >= at_once:
                    self._commit(batch, reading.cursor)
            elif isinstance(event, Gap):
                self._commit(batch, reading.cursor)
                self._begin_again(event)
            elif isinstance(event, Quiet):
                if batch or self._clock_ms() - self._saved_ms >= _SAVE_MS:
                    self._commit(batch, reading.cursor)
            else:
                self._commit(batch, reading.cursor)
                self._finish()
                at_once = BATCH
            if stopping():
                break

    def _subscription(self, cursor: Cursor | None) -> Subscription:
        return Subscription(self._source, cursor, clock_ms=self._clock_ms, deletions_kept_ms=self._deletions_kept_ms)

    def _take_ends(self, cursor: Cursor | None) -> None:
        """Apply the ends and recalls among the unread records, and nothing else. They come again in their order."""
        ends: list[Arrival] = []
        for event in self._subscription(cursor).events(follow=False):
            if isinstance(event, Gap):
                return  # the reading itself will find it, too
            if isinstance(event, Record) and event.key != CANARY_KEY:
                found = arrival_of(event, self._codec, self._nation, self._origin, self._clock_ms())
                if isinstance(found, Arrival) and found.is_end:
                    ends.append(found)
            if len(ends) >= BATCH or not isinstance(event, Record):
                with self._lock, self._writer.transaction():
                    self._writer.apply(self._number, ends)
                ends.clear()

    def _collect(self, record: Record, batch: list[Arrival]) -> None:
        if record.value is None and not (record.key or b"").startswith(b"indicator--"):
            return  # it only makes a partition begin a new segment
        if record.key == CANARY_KEY:
            return  # a test of the exchange: neither people nor tools are shown it
        found = arrival_of(record, self._codec, self._nation, self._origin, self._clock_ms())
        if isinstance(found, Arrival):
            batch.append(found)
            return
        self.unreadable += 1
        _log.warning(
            "picture.unreadable topic=%s partition=%d offset=%d: %s",
            record.topic,
            record.partition,
            record.offset,
            found,
        )

    def _commit(self, batch: list[Arrival], cursor: Cursor) -> None:
        with self._lock, self._writer.transaction() as database:
            self._writer.apply(self._number, batch)
            database.execute(
                "UPDATE origin SET cursor = ?, current_ms = ? WHERE number = ?",
                (cursor.to_json(), cursor.current_ms, self._number),
            )
        self._progress(self._origin, len(batch), self._share(cursor))
        batch.clear()
        self._saved_ms = self._clock_ms()

    def _share(self, cursor: Cursor) -> float:
        """How much of the topic lies before a position. By offsets: compaction may have taken most records of them."""
        ends = self._bounds.items()
        size = sum(end - first for _, (first, end) in ends)
        left = sum(max(0, end - max(first, cursor.next_offsets.get(number, first))) for number, (first, end) in ends)
        return 1 - left / size if size else 1.0

    def _finish(self) -> None:
        """The topic was read whole: what an earlier reading had and this one has not is removed."""
        is_left = True
        while is_left:
            with self._lock, self._writer.transaction() as database:
                is_left = self._writer.sweep(self._number, BATCH) > 0
                if not is_left:
                    database.execute("UPDATE origin SET is_whole = 1 WHERE number = ?", (self._number,))

    def _begin_again(self, gap: Gap) -> None:
        """Declare that changes were missed. What the new reading does not find is removed at its end."""
        _log.warning("picture.gap origin=%s reason=%s: %s", self._origin, gap.reason, gap.detail)
        with self._lock, self._writer.transaction() as database:
            database.execute(
                "UPDATE origin SET cursor = '', pass = pass + 1, is_whole = 0, gap = ?, gap_ms = ? WHERE number = ?",
                (f"{gap.reason}: {gap.detail}", self._clock_ms(), self._number),
            )
        self._take_ends(None)

    def _stored(self) -> Cursor | None:
        with self._lock:
            text = self._writer.cursor_of(self._number)
        try:
            return Cursor.from_json(text) if text else None
        except ConfigurationError:
            return None
