"""Fills the spool from one input: readings become reports and refusals, commit by commit."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from producers.admission import admitted
from producers.readers.reading import LeftOut, Reading, Rejected
from producers.report import MAX_OBSERVATIONS, ReportBuilder
from producers.spool.refusal import quarantined
from producers.spool.spool import InputState, Spool
from schemas.codec import QUARANTINED, SENSOR_REPORT, Codec
from schemas.vocabulary import RejectReason

MAX_REFUSALS: Final = 256
MAX_REFUSED_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor: its nation, and its name, which is unique in its nation."""

    nation: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one commit added. Refusals are counted by reason, pieces left out by rule.

    ``first_rejected`` are all refusals of the commit, in order.
    """

    line: int
    observations: int = 0
    reports: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    first_rejected: tuple[Rejected, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)


def _unwatched(_reading: LeftOut) -> None:
    """Count it only."""


def fill(
    readings: Iterable[Reading | None],
    source: InputState,
    spool: Spool,
    *,
    sensor: Sensor,
    tool: str,
    codec: Codec,
    now_ms: Callable[[], int],
    max_observations: int = MAX_OBSERVATIONS,
    on_left_out: Callable[[LeftOut], None] = _unwatched,
) -> Iterator[Step]:
    """Spool the readings of an input that are behind ``source``'s position; one step for each commit.

    A ``None`` among the readings means that the input rests: what was read so far is committed. The last step marks
    the input as complete. ``on_left_out`` is called for each piece that is left out.
    """
    batch = _Batch(source, spool, sensor, tool, codec, now_ms, max_observations)
    try:
        for reading in readings:
            if reading is None:
                if batch.holds_anything:
                    yield batch.commit()
                continue
            if not batch.moves_to(reading.place.line):
                continue
            if isinstance(reading, LeftOut):
                batch.left_out[reading.rule] += 1
                on_left_out(reading)
                continue
            known = reading if isinstance(reading, Rejected) else admitted(reading)
            if isinstance(known, Rejected):
                batch.refuse(known)
                if batch.is_full_of_refusals:
                    yield batch.commit()
                continue
            if not batch.builder.has_room(known.observation):
                yield batch.commit(before=True)
            batch.builder.add(known.observation)
    except KeyboardInterrupt:
        batch.commit()  # what came from a pipe cannot be read again
        raise
    yield batch.commit(complete=True)


class _Batch:
    """The content of the next commit, and the position behind it."""

    def __init__(
        self,
        source: InputState,
        spool: Spool,
        sensor: Sensor,
        tool: str,
        codec: Codec,
        now_ms: Callable[[], int],
        max_observations: int,
    ) -> None:
        self.builder = ReportBuilder(max_observations=max_observations)
        self.left_out: Counter[str] = Counter()
        self._source, self._spool, self._sensor, self._tool = source, spool, sensor, tool
        self._codec, self._now_ms = codec, now_ms
        self._refusals: list[tuple[bytes, bytes]] = []
        self._refused_bytes = 0
        self._rejected: Counter[RejectReason] = Counter()
        self._first: list[Rejected] = []
        self._here, self._committed = (0, 0), (source.line, source.item)
        self._before = self._committed

    @property
    def holds_anything(self) -> bool:
        return bool(len(self.builder) or self._refusals or self.left_out)

    @property
    def is_full_of_refusals(self) -> bool:
        return len(self._refusals) >= MAX_REFUSALS or self._refused_bytes >= MAX_REFUSED_BYTES

    def moves_to(self, line: int) -> bool:
        """Go on to the next reading. False if it was spooled before."""
        self._before = self._here
        self._here = (line, self._here[1] + 1 if line == self._here[0] else 1)
        return self._here > self._committed

    def refuse(self, rejected: Rejected) -> None:
        record = quarantined(rejected, self._sensor.name, self._source.digest, self._here[1], self._now_ms())
        value = self._codec.encode(QUARANTINED, record)
        self._refusals.append((record["key"].encode(), value))
        self._refused_bytes += len(value)
        self._rejected[rejected.reason] += 1
        self._first.append(rejected)

    def commit(self, *, before: bool = False, complete: bool = False) -> Step:
        """Make it durable, with the position behind the last reading (or the one before it)."""
        now_ms, observations = self._now_ms(), len(self.builder)
        report = self._report(now_ms) if observations else None
        position = max(self._before if before else self._here, self._committed)
        self._spool.append(
            self._source,
            line=position[0],
            item=position[1],
            complete=complete,
            report=report,
            refusals=self._refusals,
            now_ms=now_ms,
        )
        step = Step(
            position[0], observations, int(report is not None), self._rejected, tuple(self._first), self.left_out
        )
        self._refusals, self._refused_bytes, self._rejected, self._first = [], 0, Counter(), []
        self.left_out = Counter()
        return step

    def _report(self, now_ms: int) -> tuple[bytes, bytes, int]:
        observations = len(self.builder)
        report = self.builder.build(
            nation=self._sensor.nation,
            sensor=self._sensor.name,
            epoch=self._spool.epoch,
            sequence=self._spool.next_sequence(),
            produced_at_ms=now_ms,
            tool=self._tool,
        )
        return self._sensor.name.encode(), self._codec.encode(SENSOR_REPORT, report), observations
