"""Fills the spool from one input: readings become reports and refusals, commit by commit.

What the source's objects assert and withdraw goes through ``producers.spool.assertions``: an older version of an object
changes nothing, and a value is withdrawn when no object of the source asserts it any more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from producers.admission import admitted
from producers.readers.reading import LeftOut, Reading, Rejected, Seen, Withdrawn
from producers.report import MAX_OBSERVATIONS
from producers.spool.assertions import NO_SCOPE, Assertions, Held, Known, Named
from producers.spool.batch import Batch, Sensor, Step
from producers.spool.spool import InputState, Spool
from producers.stop import Stopped
from schemas.codec import Codec
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType, Withdrawal

SUPERSEDED: Final = "superseded"
STILL_ASSERTED: Final = "still-asserted"
RULES: Final = {
    SUPERSEDED: "a newer version of the object is known already",
    STILL_ASSERTED: "an object was withdrawn, and another one of the same source asserts the same value",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """A complete reading of all that a source asserts: a snapshot, and the number of the reading."""

    name: bytes = NO_SCOPE
    generation: int = 0


NOT_A_SNAPSHOT: Final = Scope()


def _unwatched(_reading: LeftOut) -> None:
    """Count it only."""


def fill(
    readings: Iterable[Reading],
    source: InputState,
    spool: Spool,
    *,
    sensor: Sensor,
    tool: str,
    codec: Codec,
    now_ms: Callable[[], int],
    max_observations: int = MAX_OBSERVATIONS,
    on_left_out: Callable[[LeftOut], None] = _unwatched,
    scope: Scope = NOT_A_SNAPSHOT,
) -> "Filling":
    """Spool the readings of an input that are behind ``source``'s position; one step for each commit.

    ``on_left_out`` is called for each piece that is left out. In a snapshot's ``scope`` each value is noted as named,
    also what was spooled before. If an end is asked for, what was read is committed first.
    """
    batch = Batch(source, spool, sensor, tool, codec, now_ms, max_observations)
    return Filling(readings, batch, Filler(batch, spool.assertions, on_left_out, scope))


class Taker(Protocol):
    """What takes the pieces that a filler has decided on: a batch of the spool, or a dry run (``batch.Batch``)."""

    left_out: Counter[str]

    @property
    def is_full_of_refusals(self) -> bool: ...

    def moves_to(self, line: int, /) -> bool: ...

    def add(self, observation: Observation, /, *, of_reading: bool = True) -> Iterator[Step]: ...

    def refuse(self, rejected: Rejected, /) -> None: ...

    def commit(self) -> Step: ...


class Filler:
    """Takes one reading after the other, and knows which object of the source it is in."""

    def __init__(
        self,
        batch: Taker,
        assertions: Assertions,
        on_left_out: Callable[[LeftOut], None],
        scope: Scope = NOT_A_SNAPSHOT,
    ) -> None:
        self.batch, self._assertions, self._on_left_out, self._scope = batch, assertions, on_left_out, scope
        self._object: tuple[str, int] | None = None

    def take(self, reading: Reading) -> Iterator[Step]:
        """Take one reading, and what follows from the end of the object before it."""
        if isinstance(reading, Seen | Withdrawn):
            yield from self.finish_object((reading.object_id, reading.modified_ms) if reading.object_id else None)
        is_new = self.batch.moves_to(reading.place.line)
        if isinstance(reading, Seen) and (reading.object_id or self._scope.name):
            observation = reading.observation
            named = self._named(observation.kind, observation.value, reading.object_id, reading.modified_ms)
            known = self._assertions.reported(named)
            is_new = is_new or (known is Known.NOT_ASSERTED and bool(self._scope.name))  # it is back in the list
            if known is Known.NEWER:
                self._leave_out(LeftOut(reading.place, SUPERSEDED, reading.object_id), is_new)
                return
        if is_new:
            yield from self._new(reading)

    def _new(self, reading: Reading) -> Iterator[Step]:
        if isinstance(reading, Withdrawn):
            yield from self._withdraw(reading)
            return
        if isinstance(reading, LeftOut):
            self._leave_out(reading, is_new=True)
            return
        known = reading if isinstance(reading, Rejected) else admitted(reading)
        if isinstance(known, Rejected):
            self.batch.refuse(known)
            if self.batch.is_full_of_refusals:
                yield self.batch.commit()
            return
        yield from self.batch.add(known.observation)

    def _withdraw(self, reading: Withdrawn) -> Iterator[Step]:
        named = self._named(reading.kind, reading.value, reading.object_id, reading.modified_ms)
        if reading.implied and not self._assertions.asserts(named):
            self._leave_out(reading, is_new=True)
            return
        ended = self._assertions.withdrawn(named)
        if ended:
            yield from self.batch.add(Observation(reading.kind, reading.value, withdrawal=reading.withdrawal))
            return
        rule = STILL_ASSERTED if ended is False else SUPERSEDED
        self._leave_out(LeftOut(reading.place, rule, reading.object_id), is_new=True)

    def finish_object(self, following: tuple[str, int] | None) -> Iterator[Step]:
        """Withdraw what a newer version of the object before does not have any more: it has been read whole."""
        before, self._object = self._object, following
        if before is not None and before != following:
            for held in self._assertions.superseded(*before):
                yield from self.batch.add(ending(held), of_reading=False)

    def _named(self, kind: IndicatorType, value: str, object_id: str, modified_ms: int) -> Named:
        return Named(kind, value, object_id, modified_ms, self._scope.name, self._scope.generation)

    def _leave_out(self, piece: LeftOut, is_new: bool) -> None:
        if is_new:
            self.batch.left_out[piece.rule] += 1
            self._on_left_out(piece)


class Filling:
    """The commits of one input, in order; ``rest`` makes one beside them while the next reading is awaited."""

    def __init__(self, readings: Iterable[Reading], batch: Batch, filler: Filler) -> None:
        self._readings, self._batch, self._filler = readings, batch, filler

    def __iter__(self) -> Iterator[Step]:
        """Spool all readings; a step for each commit. The last one marks the input as complete."""
        batch = self._batch
        readings = iter(self._readings)
        while True:
            try:
                reading = next(readings)
            except StopIteration:
                break
            except Stopped:
                batch.commit()  # what came from a pipe cannot be read again
                raise
            yield from self._filler.take(reading)
        yield from self._filler.finish_object(None)
        yield batch.commit(complete=True)

    def rest(self) -> Step | None:
        """Commit what was read so far. To be called only while the input is being read for the next reading."""
        return self._batch.commit() if self._batch.holds_anything else None


def ending(held: Held) -> Observation:
    """The withdrawal of a value that no object of the source asserts any more."""
    return Observation(IndicatorType(held.kind), held.value, withdrawal=Withdrawal.REMOVED)
