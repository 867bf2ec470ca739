"""The next commit of an input: a report that fills up, refusals, pieces left out, and the position behind them."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from producers.readers.reading import Rejected
from producers.report import ReportBuilder
from producers.spool.refusal import quarantined
from producers.spool.spool import InputState, Spool
from schemas.codec import QUARANTINED, SENSOR_REPORT, Codec
from schemas.observation import Observation
from schemas.vocabulary import RejectReason

MAX_REFUSALS: Final = 256
MAX_REFUSED_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor: its nation, and its name, which is unique in its nation."""

    nation: str
    name: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A complete reading that withdraws nothing, and why. ``gone`` of ``before`` values are not named any more."""

    gone: int
    before: int
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one commit added: observations, reports, withdrawals; refusals by reason, pieces left out by rule.

    ``first_rejected`` are all refusals of the commit, in order.
    """

    line: int
    observations: int = 0
    reports: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    first_rejected: tuple[Rejected, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    kept: tuple[Kept, ...] = ()


class Batch:
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
        beginning: Callable[[], tuple[int, bytes, bytes] | None] = lambda: None,
    ) -> None:
        """``beginning`` records what was read of an input that grows, at each commit (``Spool.append``)."""
        self._beginning = beginning
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
        self._ends: dict[tuple[int, str], bool] = {}
        self._withdrawn = 0
        self._kept: list[Kept] = []

    @property
    def holds_anything(self) -> bool:
        return bool(len(self.builder) or self._refusals or self.left_out or self._kept)

    @property
    def is_full_of_refusals(self) -> bool:
        return len(self._refusals) >= MAX_REFUSALS or self._refused_bytes >= MAX_REFUSED_BYTES

    def moves_to(self, line: int) -> bool:
        """Go on to the next reading. False if it was spooled before."""
        self._before = self._here
        self._here = (line, self._here[1] + 1 if line == self._here[0] else 1)
        return self._here > self._committed

    def room_for(self, observation: Observation, *, of_reading: bool = True) -> Iterator[Step]:
        """Commit a report that has no room for this observation, up to the reading before.

        So is one that has the same value the other way, reported or withdrawn: of one report both join, and the
        order of the source is lost (``streams.intake.collapse``). ``of_reading`` is False for what follows from
        readings that were taken already.
        """
        value, ends = (int(observation.kind), observation.value), observation.withdrawal is not None
        if not self.builder.has_room(observation) or self._ends.get(value, ends) != ends:
            yield self.commit(before=of_reading)

    def add(self, observation: Observation, *, of_reading: bool = True) -> Iterator[Step]:
        """Put an observation into the report, or into the next one if this one has no room."""
        yield from self.room_for(observation, of_reading=of_reading)
        ends = observation.withdrawal is not None
        self._ends[int(observation.kind), observation.value] = ends
        self._withdrawn += ends
        self.builder.add(observation)

    def keep(self, kept: Kept) -> None:
        """Take note of withdrawals that are not made."""
        self._kept.append(kept)

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
            beginning=self._beginning(),
        )
        step = Step(
            position[0],
            observations - self._withdrawn,
            int(report is not None),
            self._rejected,
            tuple(self._first),
            self.left_out,
            self._withdrawn,
            tuple(self._kept),
        )
        self._ends, self._withdrawn, self._kept = {}, 0, []
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
