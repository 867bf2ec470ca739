"""Brings the answers on one origin's indicators into the picture: the receipts of one topic, with their position."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from consumers.picture.write import PictureWriter
from consumers.subscription.answers import AnswerReader
from consumers.subscription.cursor import Cursor
from consumers.subscription.subscription import Quiet, SnapshotEnd, Source, Subscription
from exchange.errors import ConfigurationError
from exchange.protocol.record import Record
from schemas.codec import Codec
from schemas.identity import indicator_id
from schemas.records import Receipt

_BATCH: Final = 1_000
_SAVE_MS: Final = 10_000


class Answers:
    """A topic of receipts: which nation answers in it, and how it is opened."""

    def __init__(self, nation: str, opened: Callable[[], AbstractContextManager[Source]]) -> None:
        self.nation, self.opened = nation, opened


class AnswerFeed:
    """The receipts of one nation for one origin on their way into a picture. ``lock`` guards the writer.

    A receipt of another nation is skipped: the guards of the border let none through.
    """

    def __init__(
        self,
        writer: PictureWriter,
        lock: threading.RLock,
        source: Source,
        codec: Codec,
        *,
        origin: int,
        nation: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._writer, self._lock, self._source = writer, lock, source
        self._origin, self._nation, self._clock_ms = origin, nation, clock_ms
        with lock, writer.transaction():
            text, disputed = writer.answers.topic(origin, nation)
        self._reader = AnswerReader(codec, map(indicator_id, disputed))
        try:
            self._cursor = Cursor.from_json(text) if text else None
        except ConfigurationError:
            self._cursor = None
        self._saved_ms = 0

    def run(self, *, follow: bool, stopping: Callable[[], bool] = lambda: False) -> None:
        """Read from the stored position to the topic's end, or with ``follow`` until ``stopping``.

        After a gap the topic is read again from its beginning. Raises NotFound if the topic is missing,
        BrokerUnavailable if no broker answers.
        """
        reading = Subscription(self._source, self._cursor, clock_ms=self._clock_ms, every=True)
        found: list[Receipt] = []
        for event in reading.events(follow=follow, stopping=stopping):
            if isinstance(event, Record):
                receipt = self._reader.read(event)
                if receipt is not None and receipt["nation"] == self._nation:
                    found.append(receipt)
            is_old = self._clock_ms() - self._saved_ms >= _SAVE_MS
            if (
                len(found) >= _BATCH
                or isinstance(event, SnapshotEnd)
                or (isinstance(event, Quiet) and (found or is_old))
            ):
                self._commit(found, reading.cursor)
                found = []
            if stopping():
                break

    def _commit(self, found: list[Receipt], cursor: Cursor) -> None:
        with self._lock, self._writer.transaction() as database:
            self._writer.answers.take(self._origin, found)
            database.execute(
                "UPDATE answering SET cursor = ? WHERE origin = ? AND nation = ?",
                (cursor.to_json(), self._origin, self._nation),
            )
        self._saved_ms = self._clock_ms()
