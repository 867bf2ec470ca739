"""Urgent records preempt a batch that is being computed: they wait little although bulk batches are large.

A step reads its rows in portions, and between two the shard looks for records that may go ahead (``Feed.ahead``).
If there are any, the batch is given up: nothing of it was written, so computing it again is the same as computing it
later. The step does not notice any of this, and stays a pure function.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from exchange.protocol.record import Record
from exchange.protocol.rows import Rows

EVERY_S: Final = 0.02
UNLIMITED: Final = 1 << 20


class Preempted(Exception):  # not an error: the batch is computed again
    """These records have arrived, and go ahead of the batch that was being computed."""

    def __init__(self, records: Sequence[Record]) -> None:
        super().__init__(f"{len(records)} records go ahead")
        self.records = records


class WatchedRows(Rows):
    """The rows for one computation, which looks for records that may go ahead while it reads them."""

    def __init__(self, rows: Rows, ahead: Callable[[], Sequence[Record]]) -> None:
        self._rows, self._ahead = rows, ahead
        self._look_at = 0.0

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The row of each key. Raises Preempted."""
        now = time.monotonic()
        if now >= self._look_at:
            if records := self._ahead():
                raise Preempted(records)
            self._look_at = now + EVERY_S
        return self._rows.get_many(keys)

    def size(self) -> int:
        """The approximate number of rows."""
        return self._rows.size()

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The rows with keys above ``after``."""
        return self._rows.scan(after, limit)


class Share:
    """How many of the records that wait are the next batch: all, or fewer while urgent ones keep coming.

    A batch that is given up was computed in vain, so the next one is half as large: under a steady flow of urgent
    records batches become as short as the time between two of them. One record is never given up: so work goes on.
    """

    def __init__(self) -> None:
        self._most = UNLIMITED

    def of(self, waiting: Sequence[Record]) -> Sequence[Record]:
        """The first of these records, as the next batch."""
        return waiting[: self._most]

    def preempted(self, batch: Sequence[Record]) -> None:
        """This batch was given up."""
        self._most = max(1, len(batch) // 2)

    def finished(self) -> None:
        """A batch was computed to its end."""
        self._most = min(2 * self._most, UNLIMITED)
