"""Which shard computes: one at a time in a process.

A process computes for one shard from the first record computed until all is handed to the Kafka client and only the
broker is waited for. The interpreter runs one thread at a time in any case, but threads that contend for it take a
quarter longer, and all are late together instead of one after the other (`make bench`).

Small batches skip the lock: they would wait much longer than they take. A step that no one waits for lets the others
go first, but not for long.
"""

import threading
import time
from typing import Any, Final

from exchange.protocol.step import Batch

LOOK_S: Final = 0.05  # how long a batch waits until its shard looks for records that may go ahead of it
PATIENCE_S: Final = 15.0  # for how long a step that no one waits for lets others compute
SMALL_ITEMS: Final = 64
SMALL_BYTES: Final = 32 << 10
COMPUTING: Final = threading.Lock()
"""Held while a shard of this process computes a batch that is not small."""


class Turn:
    """One shard's turn. Only the shard's thread uses it."""

    def __init__(self) -> None:
        self.is_held = False
        """Whether other shards wait until it ends: not for a small batch."""

    def begin(self, batch: Batch[Any], wait_s: float | None) -> bool:
        """Wait for the turn to compute this batch, for ``wait_s`` or, if None, until it comes; whether it has come."""
        if _is_small(batch):
            return True
        self.is_held = self._acquire(wait_s)
        return self.is_held

    def _acquire(self, wait_s: float | None) -> bool:
        return COMPUTING.acquire(timeout=-1 if wait_s is None else wait_s)

    def end(self) -> None:
        """Let other shards compute. Called again, it does nothing."""
        if self.is_held:
            self.is_held = False
            COMPUTING.release()


class PatientTurn(Turn):
    """The turn of a step that no one waits for: it comes while no other shard computes, or after ``PATIENCE_S``.

    A burst is over sooner so. Under a load that lasts it computes like all others from then on, until it has caught up
    and a batch is small: it falls behind by no more than its patience. That no other computes at one moment is no end
    of a load.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waits_since: float | None = None

    def begin(self, batch: Batch[Any], wait_s: float | None) -> bool:
        """As any turn. With a small batch its patience begins anew."""
        if _is_small(batch):
            self._waits_since = None
        return super().begin(batch, wait_s)

    def _acquire(self, wait_s: float | None) -> bool:
        if COMPUTING.acquire(blocking=False):
            return True
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
        if now - self._waits_since >= PATIENCE_S:
            return super()._acquire(wait_s)
        time.sleep(LOOK_S)
        return False


def _is_small(batch: Batch[Any]) -> bool:
    return len(batch.records) + len(batch.due) <= SMALL_ITEMS and batch.size <= SMALL_BYTES
