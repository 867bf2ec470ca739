"""The commit protocol: exactly-once for one shard of one step, by the same code in every step.

The laws, which the state-machine test in ``tests/exchange/test_shard_laws.py`` tries to break:

1. **One owner.** To take a shard is to fence first (the predecessor's open transaction ends), then to read the
   position and the changelog, then to resume every input at the position. Consumer-group offsets are a hint.
2. **One transaction a batch.** Outputs, changed rows, the batch's number in the changelog, and the position are
   written together or not at all.
3. **Apply after commit.** The local state sees a batch's rows only when the batch is known to be committed. The
   committed changelog is the truth, the local state its cache.
4. **An abort leaves no trace.** The batch that was computed is retained and written again, unchanged, but not
   for ever: what cannot be written ends the shard.
5. **An uncertain commit is asked about.** The log is opened anew and the position read: the batch is in it, or
   it is not and is written again, or somebody else has gone on and we are fenced.
6. **A restore knows that it is whole.** The changelog's last batch number equals the position's, and a local
   state that is so old that the changelog may have forgotten what was dropped since is not built upon.
7. **Time is an input.** Due rows are handed over like records; shard time is logged and never goes back.
8. **A fenced owner stops.** It comes back only by a new assignment.
9. **Home first.** What must be written at home by a step whose transaction is abroad is acknowledged before the
   transaction, under a key that is the same when it is written again.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from operator import attrgetter
from typing import Final

import msgspec

from exchange.errors import FatalError, ProducerFenced
from exchange.protocol.effects import Effects
from exchange.protocol.record import Input, Output, Position, Record
from exchange.protocol.step import (
    ChangelogLost,
    Clock,
    CommitUncertain,
    Feed,
    Footprint,
    Home,
    Log,
    Rows,
    State,
    Step,
    TransactionAborted,
)

__all__ = [
    "ChangelogLost",
    "Clock",
    "CommitUncertain",
    "Effects",
    "Feed",
    "Home",
    "Log",
    "Phase",
    "Rows",
    "Shard",
    "State",
    "Step",
    "TransactionAborted",
    "Turned",
]


# A process works for one shard at a time, from the first record computed until all is handed to the client and only the
# broker is waited for. The interpreter does so anyway, but threads that contend for it take a quarter longer, and all
# are late together instead of one after the other (`make bench`).
# What is little does not wait for its turn: it would wait much longer than it takes. Nor does what may go ahead wait
# with a batch that does: the shard looks for it this often, for to look takes time from whoever works.
_WORKING: Final = threading.Lock()
_LITTLE: Final = 64
_LITTLE_BYTES: Final = 32 << 10
_LOOK_S: Final = 0.05


class Turned(msgspec.Struct, frozen=True):
    """A batch that was committed: what it was made of, and how often its transaction had to be tried.

    ``size`` is the bytes of its records' values.
    ``oldest`` is the record that had waited longest, None where only time had come.
    ``batch_s`` is from when it was read: also what it waited for its turn to be computed, and behind what went ahead.
    """

    effects: Effects
    records: int
    size: int
    oldest: Record | None
    aborted: int
    uncertain: int
    batch_s: float
    transaction_s: float


class Phase(Enum):
    """Where a shard is in its life."""

    NEW = 0
    RESTORING = 1
    RUNNING = 2
    FENCED = 3
    CLOSED = 4


class Shard:
    """One owner of one shard of one step. Not thread-safe: one thread calls it, from ``take`` to ``close``."""

    DUE_LIMIT = 2_000
    TRIES = 8
    READ_WITHIN_MS = 12 * 60 * 60 * 1000  # half of how long compaction keeps a tombstone (delete.retention.ms)

    def __init__(
        self,
        step: Step,
        log: Log,
        feed: Feed,
        open_state: Callable[[], State] | None,
        clock: Clock,
        home: Home | None = None,
        *,
        remedy: str = "Rebuild the shard before it may go on",
        wakes: Callable[[int], Sequence[bytes]] = lambda _: (),
        ahead: Callable[[], Sequence[Record]] | None = None,
        again: Callable[[Sequence[Output]], None] = lambda _: None,
    ) -> None:
        """``remedy`` is what a person is told to do where the changelog does not hold what was committed.

        ``wakes`` are asked at each shard time for rows to look at, due or not: where something that is no record has
        changed, as the rules that are in force.

        ``ahead`` has records that need not wait with the batch that the feed has handed out last: of other inputs.

        ``again`` is shown a batch's outputs before they are written again, and raises where they must not go any more.
        """
        self._step, self._log, self._feed, self._open_state, self._clock = step, log, feed, open_state, clock
        self._home, self._remedy = home, remedy
        self._wakes, self._more = wakes, False
        self._ahead, self._again = ahead, again
        self._waiting: tuple[Sequence[Record], float] | None = None  # for its turn to be computed, and since when
        self._state: State | None = None
        self._writing_since = 0.0
        self._has_turn = False
        self.phase = Phase.NEW
        self.position = Position()
        self.gaps = 0  # of inputs that lost something before it was read, found when the shard was taken

    def take(self, on_portion: Callable[[], None] = lambda: None) -> None:
        """Become the owner and come to where the last owner's last committed batch left off (laws 1 and 6).

        ``on_portion`` is called for each portion of the changelog: a long restore is not a standstill.
        """
        self.phase = Phase.RESTORING
        with self._fate():
            self._log.fence()
            self.position = self._log.position() or Position()
            if self._open_state is not None:
                self._state = self._open_state()  # the predecessor may have held it until it was fenced
                self._restore(self._state, on_portion)
            self.gaps = self._feed.resume(self.position.next_offsets)
        self.phase = Phase.RUNNING

    @contextmanager
    def _fate(self) -> Iterator[None]:
        """What was polled is known to this call alone: whoever went on after an error would skip it."""
        try:
            yield
        except BaseException as error:
            self.phase = Phase.FENCED if isinstance(error, ProducerFenced) else Phase.CLOSED
            raise

    def _restore(self, state: State, on_portion: Callable[[], None] = lambda: None) -> None:
        start, batch = state.start()
        if batch and batch == self.position.batch:
            return
        if start and not self._log.remembers(start):
            state.clear()
            start, batch = state.start()
        began_ms = self._clock()
        for rows, last_batch, next_offset in self._log.changelog(start):
            batch = max(batch, last_batch)
            state.apply(rows, batch, next_offset)
            on_portion()
        if self._clock() - began_ms > self.READ_WITHIN_MS:  # a machine that slept: what was dropped may be forgotten
            state.clear()
            self._restore(state, on_portion)
            return
        if batch != self.position.batch:
            found = self._log.position() or Position()
            if found != self.position:  # a new owner has committed while we were reading
                raise self._fenced(found)
            raise ChangelogLost(
                f"{self._step.name}: the changelog ends with batch {batch}, but batch {self.position.batch} was "
                f"committed: its partition was lost or cut. {self._remedy}"
            )

    def turn(self, timeout_s: float) -> Turned | None:
        """Do one batch; None where there was nothing to do.

        Raises ProducerFenced where another owner has taken over, TransientError where the world stays broken,
        Unwritable where an output can never be written. After any of them only ``close`` is left.
        """
        if self.phase is not Phase.RUNNING:
            raise RuntimeError(f"{self._step.name}: a shard that is {self.phase.name.lower()} does not turn")
        with self._fate():
            return self._turn(timeout_s)

    def _turn(self, timeout_s: float) -> Turned | None:
        waiting, self._waiting = self._waiting, None
        records, read_s = waiting or (self._feed.poll(0 if self._more else timeout_s), time.monotonic())
        now_ms = max(self._clock(), self.position.shard_time_ms)
        due = self._state.due(now_ms, self.DUE_LIMIT) if self._state is not None else []
        woken = self._wakes(now_ms)
        if woken:
            due = [*woken, *(key for key in due if key not in woken)]
        try:
            effects = self._compute(records, due, now_ms, -1 if self._ahead is None else _LOOK_S)
            if effects is None:
                self._waiting = records, read_s
                records, read_s = () if self._ahead is None else self._ahead(), time.monotonic()
                effects = self._compute(records, (), now_ms, -1) if records else None
            return None if effects is None else self._write(records, effects, now_ms, read_s)
        finally:
            self._end_turn()

    def _compute(self, records: Sequence[Record], due: Sequence[bytes], now_ms: int, wait_s: float) -> Effects | None:
        """What a batch comes to; None where its turn has not come in so many seconds. Below 0 they have no end.

        The turn is kept until ``_end_turn``.
        """
        if not records and not due:
            return Effects()
        is_little = len(records) + len(due) <= _LITTLE and _size(records) <= _LITTLE_BYTES
        if not is_little and not _WORKING.acquire(timeout=wait_s):
            return None
        self._has_turn = not is_little
        return self._step.compute(records, due, self._state or _NO_ROWS, now_ms)

    def _end_turn(self) -> None:
        """Let others work; a second time is the same."""
        if self._has_turn:
            self._has_turn = False
            _WORKING.release()

    def _write(self, records: Sequence[Record], effects: Effects, now_ms: int, read_s: float) -> Turned | None:
        """Commit what a batch has come to; None where that is nothing."""
        self._more = effects.more
        if not (records or effects.outputs or effects.rows or effects.home):
            return None
        offsets = dict(self.position.next_offsets)
        for record in records:
            offsets[Input(record.topic, record.partition)] = record.offset + 1
        offsets |= effects.marks
        began = self._writing_since = time.monotonic()
        try:
            aborted, uncertain = self._commit(effects, Position(self.position.batch + 1, now_ms, offsets))
        finally:
            self._writing_since = 0.0
        ended = time.monotonic()
        self._feed.acknowledge(offsets)
        oldest = min(records, key=attrgetter("timestamp_ms"), default=None)
        return Turned(effects, len(records), _size(records), oldest, aborted, uncertain, ended - read_s, ended - began)

    def _commit(self, effects: Effects, position: Position) -> tuple[int, int]:
        """Laws 2 to 5: write until it is known to be written, then apply. How often it was aborted, uncertain."""
        if effects.home:
            if self._home is None:
                raise FatalError(f"{self._step.name}: writes at home, but was given no way to do so")
            self._end_turn()
            self._home.write(effects.home)
        aborted = uncertain = 0
        while True:
            if aborted or uncertain:
                self._again(effects.outputs)
            try:
                next_offset = self._log.commit(effects.outputs, effects.rows, position, self._end_turn)
            except TransactionAborted:
                aborted += 1
                if aborted + uncertain >= self.TRIES:
                    raise
            except CommitUncertain:
                uncertain += 1
                self._log.fence()
                found = self._log.position() or Position()
                if found == position:
                    self._apply_from_changelog(position)
                    return aborted, uncertain
                if found != self.position:
                    raise self._fenced(found) from None
                if aborted + uncertain >= self.TRIES:
                    raise
            else:
                if self._state is not None:
                    # From an earlier place the same rows are read once more: that is safe, a later one is not.
                    self._state.apply(effects.rows, position.batch, next_offset or self._state.start()[0])
                self.position = position
                return aborted, uncertain

    def _apply_from_changelog(self, position: Position) -> None:
        """The uncertain batch was committed after all; its rows are read back, with their place."""
        self.position = position
        if self._state is not None:
            self._restore(self._state)

    def _fenced(self, found: Position) -> ProducerFenced:
        return ProducerFenced(
            f"{self._step.name}: batch {found.batch} was committed by another owner after our batch "
            f"{self.position.batch}; this one stops"
        )

    def lag(self) -> int:
        """Records that wait, as far as is known."""
        return self._feed.lag() + (len(self._waiting[0]) if self._waiting else 0)

    def size(self) -> int:
        """Rows of state, roughly."""
        return 0 if self._state is None else self._state.size()

    def footprint(self) -> Footprint | None:
        """What its state takes of its disk; None where it has none."""
        return None if self._state is None else self._state.footprint()

    def writing_s(self) -> float:
        """For how long its transaction has been in flight; 0 where none is. From any thread."""
        since = self._writing_since
        return time.monotonic() - since if since else 0.0

    def close(self) -> None:
        """Stop reading and give the shard up. What was not committed will be done again by the next owner."""
        if self.phase is not Phase.FENCED:
            self.phase = Phase.CLOSED
        with ExitStack() as closing:  # each is closed, whatever the others say
            if self._state is not None:
                closing.callback(self._state.close)
            closing.callback(self._log.close)
            closing.callback(self._feed.close)


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.value or b"") for record in records)


class _NoRows:
    def size(self) -> int:
        return 0

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [None] * len(keys)

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:  # noqa: ARG002  # there are none
        return []


_NO_ROWS = _NoRows()
