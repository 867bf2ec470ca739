"""The commit protocol: exactly-once for one shard of one step, by the same code in every step.

The laws, which the state-machine test in ``tests/exchange/test_shard_laws.py`` tries to break:

1. **One owner.** To take a shard is to fence first (the predecessor's open transaction ends), then to read the
   position and the changelog, then to resume every input at the position. Consumer-group offsets are a hint.
2. **One transaction a batch.** Outputs, changed rows, the batch's number in the changelog, and the position are
   written together or not at all.
3. **Apply after commit.** The local state sees a batch's rows only when the batch is known to be committed. The
   committed changelog is the truth, the local state its cache.
4. **An abort leaves no trace.** The batch is kept and written again, unchanged; one that can never be ends the shard.
5. **An uncertain commit is asked about.** The log is opened again and the position read: the batch is in it, or
   it is not and is written again, or another owner has gone on and we are fenced.
6. **A restore knows that it is whole.** The changelog's last batch number equals the position's, and a local
   state so old that the changelog may no longer have later deletions is not used.
7. **Time is an input.** Due rows are handed over like records; shard time is logged and never goes back.
8. **A fenced owner stops.** It comes back only by a new assignment.
9. **Home first.** What must be written at home by a step whose transaction is abroad is acknowledged before the
   transaction, under a key that is the same when it is written again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from typing import Any, Final, TypeVar

from exchange.errors import CannotDecide, FatalError, ProducerFenced
from exchange.protocol import due
from exchange.protocol.effects import Effects
from exchange.protocol.feed import Feed
from exchange.protocol.log import CommitUncertain, Home, Log, TransactionAborted
from exchange.protocol.phase import Phase
from exchange.protocol.preempt import Preempted, Share, WatchedRows
from exchange.protocol.record import Input, Position, Record
from exchange.protocol.restore import Restorer, fenced
from exchange.protocol.rows import NO_ROWS, Footprint, State
from exchange.protocol.step import Batch, Step
from exchange.protocol.turned import Turned
from exchange.protocol.turns import LOOK_S, Turn

__all__ = ["FAR_AHEAD_MS", "Phase", "Shard", "Turned"]

Facts = TypeVar("Facts")
FAR_AHEAD_MS: Final = 24 * 60 * 60 * 1000


class Shard:
    """One owner of one shard of one step. Not thread-safe: one thread calls it, from ``take`` to ``close``."""

    TRIES = 8

    def __init__(
        self,
        step: Step[Facts],
        log: Log,
        feed: Feed[Facts],
        open_state: Callable[[], State] | None,
        clock: Callable[[], int],
        home: Home | None = None,
        *,
        remedy: str = "Rebuild the shard before it may go on",
        restore_apart: Callable[[Position, Callable[[], None]], None] = lambda _position, _on_portion: None,
        turn: Turn | None = None,
    ) -> None:
        """``clock`` returns milliseconds since 1970, UTC. ``open_state`` is None for a step without rows.

        ``remedy`` is the advice to a person if the changelog lacks committed rows. ``restore_apart`` may restore the
        closed state as far as it likes, with the call for each portion: what is missing then is read here.
        """
        self._step: Step[Any] = step  # of the same facts as the feed: the signature holds that
        self._feed: Feed[Any] = feed
        self._log, self._open_state, self._clock, self._home = log, open_state, clock, home
        self._restorer = Restorer(step.name, log, clock, remedy)
        self._restore_apart = restore_apart
        self._turn = turn or Turn()
        self._more = False  # so the next turn waits for nothing
        self._left_due = False  # by the batch that was made last, as far as is known
        self._waiting: Sequence[Record] = ()  # read, not computed yet
        self._waiting_since = 0.0
        self._share = Share()
        self._state: State | None = None
        self._writing_since = 0.0
        self.phase = Phase.NEW
        self.waits_for = ""  # why nothing can be decided; empty if it can
        self.position = Position()
        self.gaps = 0  # found in the inputs when the shard was taken: records deleted before they were read

    def take(self, on_portion: Callable[[], None] = lambda: None) -> None:
        """Become the owner, with the state of the last committed batch (laws 1 and 6).

        ``on_portion`` is called for each portion of the changelog: a long restore is not a standstill.
        """
        self.phase = Phase.RESTORING
        with self._fate():
            self._log.fence()
            self.position = self._log.position() or Position()
            if self._open_state is not None:
                self._restore_apart(self.position, on_portion)
                self._state = self._open_state()  # the predecessor may have held it until it was fenced
                self._restorer.restore(self._state, self.position, on_portion)
            self.gaps = self._feed.resume(self.position.next_offsets)
        self.phase = Phase.RUNNING

    @contextmanager
    def _fate(self) -> Iterator[None]:
        """Polled records are known to this call alone: to continue after an error would skip them."""
        try:
            yield
        except BaseException as error:
            self.phase = Phase.FENCED if isinstance(error, ProducerFenced) else Phase.CLOSED
            raise

    def turn(self, timeout_s: float) -> Turned | None:
        """Do one batch; None if there was nothing to do, or if nothing can be decided now (``waits_for``).

        Raises ProducerFenced if another owner has taken over, TransientError if an outage lasts,
        Unwritable if an output can never be written. After any of them only ``close`` is left.
        """
        if self.phase is not Phase.RUNNING:
            raise RuntimeError(f"{self._step.name}: a shard that is {self.phase.name.lower()} does not turn")
        with self._fate():
            self.waits_for = ""
            try:
                return self._do_batch(timeout_s)
            except CannotDecide as error:  # raised before anything is written; polled records still wait
                self.waits_for = str(error)
                return None

    def _do_batch(self, timeout_s: float) -> Turned | None:
        if not self._waiting:
            self._waiting = self._feed.poll(0 if self._more else timeout_s)
            self._waiting_since = time.monotonic()
        now_ms = self._now_ms()
        batch, read_s = self._batch(now_ms), self._waiting_since
        watched, effects = self._feed.looks_ahead, None
        ahead: Sequence[Record] = ()
        try:
            try:
                if not self._turn.begin(batch, LOOK_S if watched else None):
                    ahead, self._more = self._feed.ahead(), True
                else:
                    if self._turn.is_held:  # it may have waited, and more has arrived
                        now_ms = self._now_ms()
                        batch = self._batch(now_ms, more=True)
                    effects = self._compute(batch, now_ms, watched=watched)
            except Preempted as preempted:
                self._turn.end()
                self._share.preempted(batch.records)
                ahead = preempted.records
            if effects is not None:
                self._waiting = self._waiting[len(batch.records) :]
                self._share.finished()
            elif ahead:
                batch, read_s = Batch(ahead, (), self._feed.facts(ahead)), time.monotonic()
                self._turn.begin(batch, None)
                effects = self._compute(batch, now_ms, watched=False)
            return None if effects is None else self._write(batch.records, effects, now_ms, read_s)
        finally:
            self._turn.end()

    def _now_ms(self) -> int:
        """Shard time: it never goes back. Of a step without rows nothing depends on the time of its last batch, so one
        that a wrong clock has left far ahead is not waited for."""
        now_ms, last_ms = self._clock(), self.position.shard_time_ms
        return now_ms if self._open_state is None and last_ms - now_ms > FAR_AHEAD_MS else max(now_ms, last_ms)

    def _batch(self, now_ms: int, *, more: bool = False) -> Batch[Any]:
        """The next batch at this time; with ``more``, as its turn has come, also what has arrived since it was read."""
        records = self._share.of(self._waiting)
        if more and len(records) == len(self._waiting):  # of one that was divided, the rest comes first
            records = self._waiting = [*records, *self._feed.more()]
        most = due.limit(self._state, now_ms, beside_records=bool(records)) if more else due.ENOUGH
        keys = due.keys(self._step, self._state, now_ms, most)
        self._left_due = len(keys) >= most
        return Batch(records, keys, self._feed.facts(records))

    def _compute(self, batch: Batch[Any], now_ms: int, *, watched: bool) -> Effects:
        """The effects of a batch. One that is watched may be preempted. Raises Preempted."""
        if batch.is_empty:
            return Effects()
        rows = self._state or NO_ROWS
        can_wait = watched and len(batch.records) > 1
        return self._step.compute(batch, WatchedRows(rows, self._feed.ahead) if can_wait else rows, now_ms)

    def _write(self, records: Sequence[Record], effects: Effects, now_ms: int, read_s: float) -> Turned | None:
        """Commit a batch's effects; None if there are none. Effects that are only shown need no transaction."""
        self._more = effects.more or (self._left_due and effects.needs_transaction)
        if not (records or effects.needs_transaction):
            return Turned(effects) if effects.gauges else None
        offsets = dict(self.position.next_offsets)
        for record in records:
            offsets[Input(record.topic, record.partition)] = record.offset + 1
        offsets |= self._feed.marks()
        began = self._writing_since = time.monotonic()
        try:
            aborted, uncertain = self._commit(effects, Position(self.position.batch + 1, now_ms, offsets))
        finally:
            self._writing_since = 0.0
        ended = time.monotonic()
        self._feed.acknowledge(offsets)
        if effects.questions:
            self._feed.ask(effects.questions)
        oldest = min(records, key=attrgetter("timestamp_ms"), default=None)
        size = sum(len(record.value or b"") for record in records)
        return Turned(effects, len(records), size, oldest, aborted, uncertain, ended - read_s, ended - began)

    def _commit(self, effects: Effects, position: Position) -> tuple[int, int]:
        """Laws 2 to 5: write until it is known to be written, then apply. How often it was aborted, uncertain."""
        if effects.home:
            if self._home is None:
                raise FatalError(f"{self._step.name}: writes at home, but was given no way to do so")
            self._turn.end()
            self._home.write(effects.home)
        aborted = uncertain = 0
        while True:
            if aborted or uncertain:
                self._feed.recheck(effects.outputs)
            try:
                next_offset = self._log.commit(effects.outputs, effects.rows, position, self._turn.end)
            except TransactionAborted:
                aborted += 1
                if aborted + uncertain >= self.TRIES:
                    raise
                continue
            except CommitUncertain:
                uncertain += 1
            else:
                if self._state is not None:
                    # From an earlier offset the same rows are read once more: that is safe, a later one is not.
                    self._state.apply(effects.rows, position.batch, next_offset or self._state.start()[0])
                self.position = position
                return aborted, uncertain
            if self._is_committed(position):
                self._apply_from_changelog(position)
                return aborted, uncertain
            if aborted + uncertain >= self.TRIES:
                raise CommitUncertain(
                    f"{self._step.name}: batch {position.batch} was not committed in {self.TRIES} tries"
                )

    def _is_committed(self, position: Position) -> bool:
        """Law 5. Not within ``except``: see ``exchange.kafka.transactions._failure``."""
        self._log.fence()
        found = self._log.position() or Position()
        if found not in (position, self.position):
            raise fenced(self._step.name, found, self.position)
        return found == position

    def _apply_from_changelog(self, position: Position) -> None:
        """The uncertain batch was committed after all; its rows are read back, with their offset."""
        self.position = position
        if self._state is not None:
            self._restorer.restore(self._state, position)

    @property
    def idle_s(self) -> float:
        """How long a turn may wait for records: a row that becomes due waits no longer than a second."""
        due_s = due.LOOK_S if self._state is None else (self._state.due_from_ms - self._now_ms()) / 1000
        return min(self._feed.idle_s, max(due.LOOK_S, due_s))

    def wake(self) -> None:
        """End a long wait of ``turn``. From any thread."""
        self._feed.wake()

    def lag(self) -> int:
        """Records that wait, as far as is known."""
        return self._feed.lag() + len(self._waiting)

    def size(self) -> int:
        """Rows of state, roughly."""
        return 0 if self._state is None else self._state.size()

    def footprint(self) -> Footprint | None:
        """The disk usage of its state; None if it has none."""
        return None if self._state is None else self._state.footprint()

    def writing_s(self) -> float:
        """For how long its transaction has been in flight; 0 if none is. From any thread."""
        since = self._writing_since
        return time.monotonic() - since if since else 0.0

    def close(self) -> None:
        """Stop reading and give the shard up. Uncommitted work will be done again by the next owner."""
        if self.phase is not Phase.FENCED:
            self.phase = Phase.CLOSED
        with ExitStack() as closing:  # each is closed, whatever the others raise
            if self._state is not None:
                closing.callback(self._state.close)
            closing.callback(self._log.close)
            closing.callback(self._feed.close)
