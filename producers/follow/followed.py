"""One followed file: its reader, the commits of its readings, and how far it is durable."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from producers.default_marking import DefaultMarking
from producers.follow.before import FEWEST_COMPARED
from producers.follow.places import Identity
from producers.follow.pulled import Pulled
from producers.follow.sights import Seen, seen_of
from producers.follow.tail import Tail
from producers.inputs import OpenInput, name_in_utf8
from producers.readers.formats import readings_of
from producers.readers.reader import Reader
from producers.readers.reading import Defaults, LeftOut, Reading
from producers.spool.batch import Batch, Sensor, Step
from producers.spool.fill import Filler
from producers.spool.spool import InputState, Spool
from schemas.codec import Codec

_REST_S: Final = 0.5
_CHECKPOINT_S: Final = 1.0
_COMPARED_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every followed file of a run shares."""

    sensor: Sensor
    spool: Spool
    codec: Codec
    now_ms: Callable[[], int]
    defaults: Defaults
    report_size: int
    on_left_out: Callable[[LeftOut], None]
    marked: DefaultMarking


class Followed:
    """A file that grows. It is read from its start; what an earlier run has made durable is passed over."""

    def __init__(
        self,
        path: Path,
        descriptor: int,
        identity: Identity,
        head: bytes,
        reader: Reader,
        state: InputState,
        run: Surroundings,
    ) -> None:
        """Takes the descriptor, and closes it. The state is of the file that began with ``head``."""
        self.path, self.identity, self.state = path, identity, state
        self.rotated_at: float | None = None
        self._descriptor, self._run = descriptor, run
        self._batch = Batch(
            state,
            run.spool,
            run.sensor,
            reader.name,
            run.codec,
            run.now_ms,
            run.report_size,
            self._grown,
        )
        self._filler = Filler(self._batch, run.spool.assertions, run.on_left_out)
        self._committed_at = self.read_at = time.monotonic()
        self._source: OpenInput | None = None
        self._lines = self._durable = 0

        def read(wait: Callable[[], None]) -> Iterator[Reading]:
            self.tail = Tail(descriptor, wait, head)
            self._source = OpenInput(name_in_utf8(str(path)), self.tail, encoding=run.defaults.encoding)  # type: ignore[arg-type]
            readings, _ = readings_of(self._source, reader, run.defaults)
            yield from run.marked.counting(readings, run.defaults)

        self.tail = Tail(descriptor, lambda: None, head)
        self._pulled = Pulled(read, str(path))

    def _grown(self) -> tuple[int, bytes, bytes] | None:
        """What is known of the file's beginning, if it is more than at its first sight: it never becomes less."""
        beginning = self.tail.beginning
        return beginning if beginning[0] >= max(1, self.state.size) else None

    @property
    def has_ended(self) -> bool:
        """Whether the file is read to the end of its life, or was overwritten."""
        return self._pulled.has_ended

    @property
    def is_quiet(self) -> bool:
        """Whether all that the file has was read."""
        return self.tail.is_drained and not self.tail.unread

    @property
    def state_now(self) -> InputState:
        """The input with what was read of it by now."""
        size, digest, _ = self._grown() or (self.state.size, self.state.digest, b"")
        return replace(self.state, size=size, digest=digest)

    @property
    def is_removed(self) -> bool:
        """Whether the file has no name any more."""
        return os.fstat(self._descriptor).st_nlink == 0

    @property
    def seen(self) -> Seen:
        """What a look at the file shows now."""
        return seen_of(os.fstat(self._descriptor))

    def begins_like(self, descriptor: int) -> bool:
        """Whether another file is the beginning of this one, or all of it; not if it is a few lines only."""
        return self._has_in_common(descriptor, os.fstat(descriptor).st_size)

    def goes_on_in(self, descriptor: int) -> bool:
        """Whether another file begins with all that was read of this one; not if that is a few lines only."""
        size = self.tail.beginning[0]
        return os.fstat(descriptor).st_size >= size and self._has_in_common(descriptor, size)

    def _has_in_common(self, descriptor: int, size: int) -> bool:
        """Whether both files have the same first bytes, and at least 1 KiB of them."""
        for at in range(0, size, _COMPARED_BYTES):
            most = min(_COMPARED_BYTES, size - at)
            other = os.pread(descriptor, most, at)
            if len(other) < most or os.pread(self._descriptor, most, at) != other:
                return False
        return size >= FEWEST_COMPARED

    def quiet_s(self, now: float) -> float:
        """How long nothing new has come."""
        return now - self.read_at

    def steps(self) -> Iterator[Step]:
        """The commits of the next readings."""
        before = self.tail.beginning[0]
        for reading in self._pulled.more():
            yield from self._filler.take(reading)
        now = time.monotonic()
        if self.tail.beginning[0] != before:
            self.read_at = now
        is_due = now - self._committed_at >= (_REST_S if self.is_quiet else _CHECKPOINT_S)
        if is_due and self._batch.holds_anything:
            yield self.commit()

    @property
    def is_durable(self) -> bool:
        """Whether all that was read is in the spool."""
        return self._durable == self.tail.beginning[0] and not self._batch.holds_anything

    def commit(self, *, complete: bool = False) -> Step:
        """Make durable what was read."""
        self._committed_at, self._durable = time.monotonic(), self.tail.beginning[0]
        return self._batch.commit(complete=complete)

    def finish(self) -> Iterator[Step]:
        """Make durable that the file has ended; if it was overwritten, its rest may be elsewhere."""
        yield from self._filler.finish_object(None)
        yield self.commit(complete=not self.tail.is_overwritten)

    def newly_read(self) -> int:
        """Lines since the last call."""
        lines, self._lines = self._lines, 0 if self._source is None else self._source.records
        return self._lines - lines

    def close(self) -> None:
        """End its reader."""
        self._pulled.close()
        os.close(self._descriptor)
