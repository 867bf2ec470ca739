"""One owner of a shard in the model: everything it calls stops at a gate first, where a test decides what happens next.

The owner runs in a thread, but never at the same time as the test or another owner: a test is repeatable.
"""

import threading
from collections.abc import Callable
from typing import Any

from exchange.feeds.urgent import UrgentFeed
from exchange.protocol.shard import Shard
from exchange.protocol.step import Batch
from exchange.protocol.turns import Turn
from tests.exchange.model_gate import Crash, Fate, Gate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import INPUTS, URGENT, Disk, ModelFeed, ModelHome, ModelLog, ModelState, OnRead
from tests.exchange.model_step import CountingStep


class ModelTurn(Turn):
    """A turn that has no end to be waited for may not come: the model decides. No batch is small to it."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        super().__init__()
        self._busy = busy

    def begin(self, batch: Batch[Any], wait_s: float | None) -> bool:  # noqa: ARG002  # it may be any
        self.is_held = not (wait_s is not None and self._busy())
        return self.is_held

    def end(self) -> None:
        self.is_held = False


class Owner:
    """A thread that takes the shard and turns until it is stopped, fenced, broken or crashed."""

    def __init__(self, kafka: ModelKafka, disk: Disk, clock: Callable[[], int], on_read: OnRead) -> None:
        self.disk = disk
        self.at: Gate | None = None
        self.error: BaseException | None = None
        self._fate, self._crashing, self._stopping = Fate.FINE, False, False
        disk.held = True
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        log = ModelLog(kafka, self.gate)
        # One of its polls is where it stops: who advances it counts them.
        urgent: Any = ModelFeed(kafka, lambda _: Fate.FINE, (URGENT,))
        feed = UrgentFeed(URGENT, urgent, ModelFeed(kafka, self.gate, [each for each in INPUTS if each != URGENT]))
        self.shard = Shard(
            CountingStep(),
            log,
            feed,
            lambda: ModelState(log.changelog_id, disk, self.gate, on_read),
            clock,
            ModelHome(kafka, self.gate),
            turn=ModelTurn(lambda: self.gate(Gate.TURN) is Fate.BUSY),
        )
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        self._back.acquire()

    @property
    def alive(self) -> bool:
        """Whether it is at a gate."""
        return self.at is not None

    def gate(self, gate: Gate) -> Fate:
        """Called by the owner: wait for the test, and learn what is to happen."""
        self.at = gate
        self._back.release()
        self._go.acquire()
        if self._crashing:
            raise Crash
        return self._fate

    def advance(self, fate: Fate = Fate.FINE) -> None:
        """Called by the test: let it go to its next gate."""
        if self.alive:
            self._fate = fate
            self._go.release()
            self._back.acquire()

    def advance_to(self, gate: Gate) -> None:
        """Let it continue until it is at ``gate``, at most for a turn."""
        polls = 0
        while self.at not in (gate, None) and polls < 2:
            self.advance()
            polls += self.at is Gate.POLL

    def stop(self) -> None:
        """Ask it to stop after the turn it is in."""
        self._stopping = True

    def crash(self) -> None:
        """``kill -9``: nothing more is done or reported."""
        self._crashing = True
        self.advance()

    def _live(self) -> None:
        try:
            self.shard.take()
            while not self._stopping:
                self.shard.turn(0)
        except BaseException as error:
            self.error = error
        if not isinstance(self.error, Crash):
            self.shard.close()
        self.disk.held = False
        self.at = None
        self._back.release()
