"""Which shards this worker owns, and the threads that work on them."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from exchange.feeds.hinted import Mailbox
from exchange.health import Health, Pulse, liveness, readiness
from exchange.protocol.record import Record
from exchange.protocol.shard import Phase
from exchange.protocol.standby import Standby
from exchange.protocol.thread import ShardThread

_log = logging.getLogger(__name__)

STOP_S = 10.0
STANDBY_STOP_S = 5.0


class Workshop(Protocol):
    """Makes the threads of one shard: one per step."""

    def __call__(self, shard: int, mailbox: Mailbox, still_assigned: Callable[[], bool]) -> Sequence[ShardThread]:
        """The threads of this shard, not started yet."""
        ...

    def standbys(self, shard: int) -> Sequence[Standby]:
        """Copies of this shard's states, not started yet; empty if standby copies are off."""
        ...


class Ownership:
    """The shards of this worker. ``own`` is called by one thread at a time; the rest from anywhere."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = threading.Lock()
        self._threads: dict[int, Sequence[ShardThread]] = {}
        self._mailboxes: dict[int, Mailbox] = {}
        self._standbys: dict[int, Sequence[Standby]] = {}
        self._shards: frozenset[int] = frozenset()
        self._assigned = False

    def own(self, shards: frozenset[int]) -> None:
        """Own exactly these shards: stop the others, start the new ones. Returns when the others have stopped.

        A thread that does not stop in time is fenced by the next owner: nothing depends on it.
        """
        with self._lock:
            self._shards = shards
            leaving = {shard: self._threads.pop(shard) for shard in set(self._threads) - shards}
            for thread in (thread for threads in leaving.values() for thread in threads):
                thread.ask_to_stop()
            self._ask_standbys_to_stop(shards)
            deadline = time.monotonic() + STOP_S  # for all of them together: the group waits meanwhile
            for shard, threads in leaving.items():
                self._mailboxes.pop(shard, None)
                for thread in threads:
                    if not thread.stop(max(0.0, deadline - time.monotonic())):
                        _log.warning("shard.stuck step=%s shard=%d: its next owner fences it", thread.step, shard)
            self._stop_standbys(shards)
            for shard in sorted(shards - set(self._threads)):
                mailbox = self._mailboxes[shard] = Mailbox()
                self._threads[shard] = self._workshop(shard, mailbox, partial(self._owns, shard))
                for thread in self._threads[shard]:
                    thread.start()
            self._assigned = self._assigned or bool(shards)

    def stand_by(self, shards: frozenset[int]) -> None:
        """Keep copies of exactly these shards' states, which others own."""
        with self._lock:
            self._stop_standbys(frozenset(self._standbys) - shards)
            for shard in sorted(shards - set(self._standbys) - self._shards):
                self._standbys[shard] = self._workshop.standbys(shard)
                for standby in self._standbys[shard]:
                    standby.start()

    def close(self) -> None:
        """Own nothing and copy nothing."""
        self.own(frozenset())
        self.stand_by(frozenset())

    def _ask_standbys_to_stop(self, shards: frozenset[int]) -> None:
        for shard in shards & set(self._standbys):
            for standby in self._standbys[shard]:
                standby.ask_to_stop()

    def _stop_standbys(self, shards: frozenset[int]) -> None:
        """Stop the copies of these shards. One that does not in time ends by itself, and keeps its folder until
        then."""
        self._ask_standbys_to_stop(shards)
        deadline = time.monotonic() + STANDBY_STOP_S  # for all of them together, as above
        for shard in shards & set(self._standbys):
            for standby in self._standbys.pop(shard):
                if not standby.stop(max(0.0, deadline - time.monotonic())):
                    _log.warning("standby.stuck shard=%d: the shard is restored without it", shard)

    def _owns(self, shard: int) -> bool:
        return shard in self._shards

    def offer(self, record: Record) -> bool:
        """Hand a report to the shard of its partition; False if it has no room now."""
        mailbox = self._mailboxes.get(record.partition)
        return mailbox is None or mailbox.offer(record)

    def pulses(self) -> dict[tuple[str, int], Pulse]:
        """The latest state of every shard of this worker."""
        return {
            (thread.step, shard): thread.pulse for shard, threads in list(self._threads.items()) for thread in threads
        }

    def running(self) -> frozenset[int]:
        """The shards of which every step runs."""
        found = self.pulses()
        idle = {shard for (_, shard), pulse in found.items() if pulse.phase is not Phase.RUNNING}
        return frozenset(shard for _, shard in found) - idle

    def live(self, now_ms: int, stalled_after_ms: int) -> Health:
        """Whether every shard still computes."""
        return liveness(self.pulses(), now_ms, stalled_after_ms)

    def ready(self) -> Health:
        """Whether every assigned shard runs."""
        return readiness(self.pulses(), assigned=self._assigned)
