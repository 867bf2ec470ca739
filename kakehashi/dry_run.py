"""A dry run of ``kakehashi produce``: what its inputs would become, without Kafka and without the sensor's spool.

Readers → the source's objects and admission (``producers.spool.fill``) → a report → ``kakehashi.fates``. What depends
on more than the inputs is not known here: what the spool and the nation hold, other sensors, officers' decisions,
rules that were published on Kafka.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from kakehashi.fates import REFUSE, SKIP, Fate, Judge, Origin
from producers.readers.reading import LeftOut, Reading, Rejected, Seen, Withdrawn
from producers.report import ReportBuilder
from producers.spool.assertions import TABLES, Assertions
from producers.spool.batch import Kept, Sensor, Step
from producers.spool.fill import SUPERSEDED, Filler
from schemas.observation import Observation, SourcePlace

_MOST_WAITING: Final = 2000
_KEPT: Final = "removals-not-accepted"


class DryRun:
    """Takes readings and gives fates, in order and in bounded memory: what the spool would take (``fill.Taker``)."""

    def __init__(self, sensor: Sensor, judge: Judge) -> None:
        self.left_out: Counter[str] = Counter()
        self._sensor, self._judge = sensor, judge
        self._builder = ReportBuilder()
        self._waiting: list[Fate | None] = []  # None: the next observation of the report
        self._origins: list[Origin] = []
        self._ends: dict[tuple[int, str], bool] = {}
        self._ready: list[Fate] = []
        self._origin = Origin(SourcePlace("", 0))
        self._place = self._origin.place
        self._database = sqlite3.connect("", isolation_level=None)  # SQLite's own temporary file
        for table in TABLES:
            self._database.execute(table)
        self._assertions = Assertions(self._database)

    def fates(self, readings: Iterable[Reading]) -> Iterator[Fate]:
        """The fates of one input's pieces."""
        filler = Filler(self, self._assertions, self._skip)
        for reading in readings:
            self._origin = _origin(reading)
            for _ in filler.take(reading):
                pass
            self._place = reading.place
            if len(self._waiting) >= _MOST_WAITING:
                self._decide()
            yield from self._given()
        for _ in filler.finish_object(None):
            pass
        self._decide()
        yield from self._given()

    def rest(self) -> Iterator[Fate]:
        """The fates of what waits. To be called only while the input is being read for the next reading."""
        self._decide()
        yield from self._given()

    @property
    def is_full_of_refusals(self) -> bool:
        """Refusals are not kept here."""
        return False

    def moves_to(self, _line: int) -> bool:
        """Go on to the next reading: each is new."""
        return True

    def room_for(self, observation: Observation, *, of_reading: bool = True) -> Iterator[Step]:  # noqa: ARG002
        """Decide a report that has no room for this observation, as ``batch.Batch`` commits it."""
        value, ends = (int(observation.kind), observation.value), observation.withdrawal is not None
        if not self._builder.has_room(observation) or self._ends.get(value, ends) != ends:
            self._decide()
        return iter(())

    def add(self, observation: Observation, *, of_reading: bool = True) -> Iterator[Step]:
        """Put an observation into the report."""
        self.room_for(observation)
        self._ends[int(observation.kind), observation.value] = observation.withdrawal is not None
        self._builder.add(observation)
        self._waiting.append(None)
        # What is not of a reading follows from the end of the object before it.
        self._origins.append(self._origin if of_reading else Origin(self._place, reason=SUPERSEDED))
        return iter(())

    def refuse(self, rejected: Rejected) -> None:
        """Take note of what no record can carry, or no reader can read."""
        place = rejected.place
        self._waiting.append(Fate(place.file, place.line, "", "", REFUSE, str(rejected.reason), rejected.detail))

    def keep(self, kept: Kept) -> None:
        """Withdrawals that would not be made before a person agrees."""
        place = self._origin.place
        detail = f"{kept.gone} of {kept.before} values are not named any more, and none is withdrawn: {kept.reason}"
        self._waiting.append(Fate(place.file, place.line, "", "", SKIP, _KEPT, detail))

    def commit(self) -> Step:
        """Decide what waits."""
        self._decide()
        return Step(self._place.line)

    def _skip(self, piece: LeftOut) -> None:
        self._waiting.append(Fate(piece.place.file, piece.place.line, "", "", SKIP, piece.rule, piece.detail))

    def _decide(self) -> None:
        """Decide the report, and give all that waits in its order."""
        decided: Iterator[Fate] = iter(())
        if self._origins:
            sensor, now_ms = self._sensor, self._judge.now_ms
            report = self._builder.build(
                nation=sensor.nation, sensor=sensor.name, epoch=1, sequence=0, produced_at_ms=now_ms, tool=""
            )
            decided = iter(self._judge.fates(report, self._origins))
        self._ready += [next(decided) if each is None else each for each in self._waiting]
        self._waiting, self._origins, self._ends = [], [], {}
        self._assertions.write()
        self._assertions.committed()

    def _given(self) -> Iterator[Fate]:
        ready, self._ready = self._ready, []
        yield from ready


def _origin(reading: Reading) -> Origin:
    if isinstance(reading, Withdrawn):
        return Origin(reading.place, reason=reading.rule)
    if not isinstance(reading, Seen):
        return Origin(reading.place)
    withdrawal = reading.observation.withdrawal
    return Origin(reading.place, reading.marking_from, "" if withdrawal is None else withdrawal.label)
