"""Fills the spool from one input: readings become reports and refusals, commit by commit.

What the source's objects assert and withdraw goes through ``producers.spool.assertions``: an older version of an object
changes nothing, and a value is withdrawn when no object of the source asserts it any more. What an object asserts and
the observation that follows from it are committed together, so a crash between two commits loses neither.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from producers.admission import admitted
from producers.readers.reading import Emptied, Group, LeftOut, Reading, Rejected, Seen, Whole, Withdrawn
from producers.report import MAX_OBSERVATIONS
from producers.spool.assertions import NO_SCOPE, Assertions, Known, Named, scope_of
from producers.spool.batch import Batch, Sensor, Step
from producers.spool.mentions import is_unreadable, mentioned
from producers.spool.removals import ended, kept
from producers.spool.spool import InputState, Spool
from producers.spool.taker import Taker
from producers.stop import Stopped
from schemas.codec import Codec
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType

SUPERSEDED: Final = "superseded"
STILL_ASSERTED: Final = "still-asserted"
UNCHANGED: Final = "unchanged"
_DIGEST_BYTES: Final = 16
RULES: Final = {
    SUPERSEDED: "a newer version of the object is known already",
    STILL_ASSERTED: "an object was withdrawn, and another one of the same source asserts the same value",
    UNCHANGED: "the object is part of a group that has changed, such as a MISP event, and is as it was reported",
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
    agreed: bool = False,
    again: bool = False,
) -> "Filling":
    """Spool the readings of an input that are behind ``source``'s position; one step for each commit.

    ``on_left_out`` is called for each piece that is left out. In a snapshot's ``scope`` each value is noted as named,
    also what was spooled before. ``agreed`` lets even most of a group be withdrawn, ``again`` counts what is unchanged,
    too. If an end is asked for, what was read is committed first.
    """
    batch = Batch(source, spool, sensor, tool, codec, now_ms, max_observations)
    return Filling(readings, batch, Filler(batch, spool.assertions, on_left_out, scope, agreed=agreed, again=again))


class Filler:
    """Takes one reading after the other, and knows which object of the source it is in."""

    def __init__(
        self,
        batch: Taker,
        assertions: Assertions,
        on_left_out: Callable[[LeftOut], None],
        scope: Scope = NOT_A_SNAPSHOT,
        *,
        agreed: bool = False,
        again: bool = False,
    ) -> None:
        """``agreed`` lets a group that was read whole withdraw even most of what it asserted."""
        self.batch, self._assertions, self._on_left_out, self._scope = batch, assertions, on_left_out, scope
        self._agreed, self._again = agreed, again
        self._object: tuple[str, int] | None = None
        self.unreadable: Rejected | None = None
        """The first refused piece of a snapshot whose value cannot be known."""

    def take(self, reading: Reading) -> Iterator[Step]:
        """Take one reading, and what follows from the end of the object before it."""
        if isinstance(reading, Whole):
            yield from self.finish_object(None)
            yield from self._finish_group(reading)
            return
        if isinstance(reading, Emptied):
            yield from self.finish_object(None)
            yield from self._empty(reading)
            return
        if isinstance(reading, Seen | Withdrawn):
            yield from self.finish_object((reading.object_id, reading.modified_ms) if reading.object_id else None)
        is_new = self.batch.moves_to(reading.place.line)
        if isinstance(reading, Seen | Withdrawn) and self._is_outdated(reading.group):
            self._leave_out(LeftOut(reading.place, SUPERSEDED, reading.object_id), is_new)
        elif isinstance(reading, Seen):
            yield from self._seen(reading, is_new)
        elif isinstance(reading, Rejected):
            yield from self._refuse(reading, is_new)
        elif isinstance(reading, Withdrawn):
            if is_new:
                yield from self._withdraw(reading)
        else:
            self._leave_out(reading, is_new)

    def _seen(self, reading: Seen, is_new: bool) -> Iterator[Step]:
        known = admitted(reading)
        if isinstance(known, Seen) and (is_new or self._scope.name):  # before its assertion is noted
            yield from self.batch.room_for(known.observation)
        observation = reading.observation
        if observation.withdrawal is not None and self._scope.name:  # a row that its own status ends
            self._assertions.withdrawn(self._named(reading, observation.kind, observation.value))
        elif reading.object_id or self._scope.name:
            named = self._named(reading, observation.kind, observation.value)
            # Without versions, as a tool's hits are, each is another one, however alike they are.
            if reading.object_id and reading.modified_ms and isinstance(known, Seen):
                named = msgspec.structs.replace(named, content=_content_of(known.observation))
            before = self._assertions.reported(named)
            is_new = is_new or (before is Known.NOT_ASSERTED and bool(self._scope.name))  # it is back in the list
            if before is Known.NEWER:
                self._leave_out(LeftOut(reading.place, SUPERSEDED, reading.object_id), is_new)
                return
            if before is Known.UNCHANGED and not self._again:
                self._leave_out(LeftOut(reading.place, UNCHANGED, reading.object_id), is_new)
                return
        if isinstance(known, Rejected):
            yield from self._refuse(known, is_new)
        elif is_new:
            yield from self.batch.add(known.observation)

    def _refuse(self, rejected: Rejected, is_new: bool) -> Iterator[Step]:
        if self._scope.name and rejected.place.line:
            self._spare(rejected)
        if is_new:
            self.batch.refuse(rejected)
            if self.batch.is_full_of_refusals:
                yield self.batch.commit()

    def _spare(self, rejected: Rejected) -> None:
        """A piece that cannot be read ends nothing: values that it mentions are not missing in the snapshot."""
        is_known = self._assertions.spare(self._scope.name, self._scope.generation, mentioned(rejected))
        if not is_known and self.unreadable is None and is_unreadable(rejected):
            self.unreadable = rejected

    def _withdraw(self, reading: Withdrawn) -> Iterator[Step]:
        named = self._named(reading, reading.kind, reading.value)
        if reading.implied and not self._assertions.asserts(named):
            self._assertions.emptied(reading.object_id, reading.modified_ms)
            self._leave_out(reading, is_new=True)
            return
        ending = Observation(reading.kind, reading.value, withdrawal=reading.withdrawal)
        yield from self.batch.room_for(ending)
        ended = self._assertions.withdrawn(named)
        if ended:
            yield from self.batch.add(ending)
            return
        rule = STILL_ASSERTED if ended is False else SUPERSEDED
        self._leave_out(LeftOut(reading.place, rule, reading.object_id), is_new=True)

    def finish_object(self, following: tuple[str, int] | None) -> Iterator[Step]:
        """Withdraw what a newer version of the object before does not have any more: it has been read whole."""
        before, self._object = self._object, following
        if before is not None and before != following:
            yield from ended(self._assertions.superseded(*before), before[1], self._assertions, self.batch)

    def _empty(self, version: Emptied) -> Iterator[Step]:
        """Withdraw what older versions of an object asserted, and note that they do not count if they come late."""
        if self._is_outdated(version.group):
            return
        object_id, modified_ms = version.object_id, version.modified_ms
        gone = self._assertions.superseded(object_id, modified_ms)
        yield from ended(gone, modified_ms, self._assertions, self.batch)
        self._assertions.emptied(object_id, modified_ms)

    def _finish_group(self, whole: Whole) -> Iterator[Step]:
        """Withdraw what a group does not have any more. In a snapshot its scope decides, not the groups in it."""
        if self._scope.name or self._is_outdated(whole.group):
            return
        scope, at_ms = scope_of(whole.group), whole.group.modified_ms
        gone, named = self._assertions.unnamed(scope, whole.names)
        problem = kept(len(gone), named, agreed=self._agreed or whole.is_express)
        if problem is not None:
            self.batch.keep(problem)
            return
        self._assertions.read_whole(scope, at_ms)
        for held in gone:
            yield from ended([held], at_ms and max(at_ms, held.modified_ms), self._assertions, self.batch)

    def _is_outdated(self, group: Group | None) -> bool:
        """Whether a newer version of the group was read whole: then what this one states does not count."""
        if group is None or not group.modified_ms or self._scope.name:
            return False
        return group.modified_ms < self._assertions.whole_ms(scope_of(group))

    def _named(self, reading: Seen | Withdrawn, kind: IndicatorType, value: str) -> Named:
        scope = self._scope
        if not scope.name and reading.group is not None:
            scope = Scope(scope_of(reading.group))
        return Named(kind, value, reading.object_id, reading.modified_ms, scope.name, scope.generation)

    def _leave_out(self, piece: LeftOut, is_new: bool) -> None:
        if is_new:
            self.batch.left_out[piece.rule] += 1
            self._on_left_out(piece)


def _content_of(observation: Observation) -> bytes:
    return sha256(msgspec.msgpack.encode(observation)).digest()[:_DIGEST_BYTES]


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

    @property
    def unreadable(self) -> Rejected | None:
        """A piece of a snapshot whose value cannot be known, if there is one."""
        return self._filler.unreadable

    def rest(self) -> Step | None:
        """Commit what was read so far. To be called only while the input is being read for the next reading."""
        return self._batch.commit() if self._batch.holds_anything else None
