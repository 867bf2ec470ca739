"""Runs one shard in a thread of its own: take it, turn, count; and what to do when it cannot continue."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from exchange.clock import now_ms
from exchange.errors import ProducerFenced
from exchange.health import Pulse
from exchange.metrics import spec
from exchange.metrics.labels import BatchOutcome
from exchange.metrics.registry import Metrics
from exchange.protocol.shard import Phase, Shard, Turned

_log = logging.getLogger(__name__)

GAUGE_S: Final = 2.0
DISK_S: Final = 15.0  # files are counted for it
WAIT_S: Final = 0.5  # before a shard that cannot decide turns again


def ignore(_turned: Turned) -> None:
    """No observer."""


class ShardThread:
    """One shard's life. ``make`` builds a new shard for each take; it may raise like ``Shard.take``.

    A fenced shard stops. If ``retake_after_s`` is given, it waits so long, and takes the shard again if
    ``still_assigned``: a claimant that lost its assignment has learnt of it by then, so two claimants cannot
    fence each other for ever. Anything else that goes wrong is for ``on_broken``, with the error.
    """

    def __init__(
        self,
        step: str,
        number: int,
        make: Callable[[], Shard],
        metrics: Metrics,
        *,
        on_broken: Callable[[Exception], None],
        still_assigned: Callable[[], bool] = lambda: True,
        retake_after_s: float | None = None,
        on_turned: Callable[[Turned], None] = ignore,
    ) -> None:
        self.step, self.number = step, number
        self._make, self._metrics = make, metrics
        self._on_broken, self._still_assigned, self._retake_after_s = on_broken, still_assigned, retake_after_s
        self._on_turned = on_turned
        self._gauged_at = self._disk_at = -DISK_S
        self._stopping = threading.Event()
        self._shard: Shard | None = None  # that turns now
        self._thread = threading.Thread(target=self._live, name=f"{step}-{number}", daemon=True)
        self.pulse = Pulse(Phase.NEW, now_ms())

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> bool:
        """Ask it to stop after the turn it is in, and wait; whether it has stopped."""
        self.ask_to_stop()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def ask_to_stop(self) -> None:
        """Ask it to stop after the turn it is in, without waiting. A turn that waits long for records ends."""
        self._stopping.set()
        shard = self._shard
        if shard is not None:
            shard.wake()

    def _live(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._work()
                except ProducerFenced as error:
                    self._show(Phase.FENCED)
                    self._metrics.add(spec.FENCED_SHARDS, 1, self.step)
                    # Its text: a stored log record must not keep the clients of a traceback alive.
                    _log.warning("shard.fenced step=%s shard=%d: %s", self.step, self.number, str(error))
                    if self._retake_after_s is None:
                        raise
                    if self._stopping.wait(self._retake_after_s) or not self._still_assigned():
                        return
        except BaseException as error:  # whatever it is, it must be reported: a silent thread is a lost shard
            # A panic in Rust (Polars, RocksDB) is no Exception to Python.
            self._on_broken(error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}"))
        finally:
            self._metrics.forget(self.step, self.number)

    def _work(self) -> None:
        began = time.monotonic()
        self._show(Phase.RESTORING)
        shard = self._shard = self._make()
        self._metrics.ask(spec.OPEN_TRANSACTION_SECONDS, shard.writing_s, self.step, self.number)
        try:
            shard.take(lambda: self._show(Phase.RESTORING))
            self._metrics.observe(spec.RESTORE_SECONDS, time.monotonic() - began, self.step)
            self._metrics.add(spec.INPUT_GAPS, shard.gaps, self.step)
            _log.info(
                "shard.running step=%s shard=%d batch=%d after_s=%.2f",
                self.step, self.number, shard.position.batch, time.monotonic() - began,
            )  # fmt: skip
            while not self._stopping.is_set():
                self._show(Phase.WAITING if shard.waits_for else Phase.RUNNING)
                turned = self._turn(shard)
                if turned is not None:
                    self._count(turned)
                self._gauge(shard, turned)
        finally:
            self._shard = None
            shard.close()
            self._show(Phase.CLOSED)

    def _turn(self, shard: Shard) -> Turned | None:
        waited_for, turned = shard.waits_for, shard.turn(shard.idle_s)
        if shard.waits_for and not waited_for:
            _log.warning("shard.waiting step=%s shard=%d: %s", self.step, self.number, shard.waits_for)
        elif waited_for and not shard.waits_for:
            _log.info("shard.continues step=%s shard=%d", self.step, self.number)
        if shard.waits_for:
            self._show(Phase.WAITING)
            self._stopping.wait(WAIT_S)
        return turned

    def _count(self, turned: Turned) -> None:
        metrics, step = self._metrics, self.step
        metrics.show(turned.effects.gauges)
        if turned.only_shows:
            return
        metrics.count(turned.effects.tallies)
        for note in turned.effects.notes:
            _log.warning("%s step=%s shard=%d", note, step, self.number)
        metrics.add(spec.BATCHES, 1, step, BatchOutcome.COMMITTED)
        metrics.add(spec.BATCHES, turned.aborted, step, BatchOutcome.ABORTED)
        metrics.add(spec.BATCHES, turned.uncertain, step, BatchOutcome.UNCERTAIN)
        metrics.observe(spec.BATCH_SECONDS, turned.batch_s, step)
        metrics.observe(spec.BATCH_RECORDS, turned.records, step)
        metrics.observe(spec.BATCH_BYTES, turned.size, step)
        metrics.observe(spec.TRANSACTION_SECONDS, turned.transaction_s, step)
        self._on_turned(turned)

    def _gauge(self, shard: Shard, turned: Turned | None) -> None:
        """Show the shard's lag, rows and disk, at intervals."""
        now = time.monotonic()
        if now - self._gauged_at < GAUGE_S:
            return
        self._gauged_at = now
        oldest = None if turned is None else turned.oldest
        behind_s = 0.0 if oldest is None else max(0.0, (now_ms() - oldest.timestamp_ms) / 1000)
        self._metrics.set(spec.BEHIND_SECONDS, behind_s, self.step, self.number)
        self._metrics.set(spec.LAG_RECORDS, shard.lag(), self.step, self.number)
        self._metrics.set(spec.STATE_ROWS, shard.size(), self.step, self.number)
        if now - self._disk_at >= DISK_S and (footprint := shard.footprint()) is not None:
            self._disk_at = now
            self._metrics.set(spec.STATE_BYTES, footprint.used_bytes, self.step, self.number)
            self._metrics.set(spec.STATE_FREE_BYTES, footprint.free_bytes, self.step, self.number)

    def _show(self, phase: Phase) -> None:
        self.pulse = Pulse(phase, now_ms())
        self._metrics.set(spec.SHARD_STATE, phase.value, self.step, self.number)
