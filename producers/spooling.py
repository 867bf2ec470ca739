"""Reads one input into the spool: readings become reports and refusals, step by durable step."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from producers.admission import admitted
from producers.readers.reading import Reading, Rejected
from producers.report import MAX_OBSERVATIONS, ReportBuilder
from producers.spool.spool import InputState, Spool
from schemas.codec import QUARANTINED, SENSOR_REPORT, Codec
from schemas.observation import SourcePlace
from schemas.records import Quarantined
from schemas.vocabulary import RejectReason

MAX_REFUSALS: Final = 256
MAX_REFUSED_BYTES: Final = 4 << 20
STAGE: Final = "produce"


@dataclass(frozen=True, slots=True)
class Sensor:
    """Whose observations these are."""

    nation: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one commit added. Refusals are told by reason; the first of them with their places."""

    line: int
    observations: int = 0
    reports: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    first_rejected: tuple[Rejected, ...] = ()


def spooled(
    readings: Iterable[Reading | None],
    source: InputState,
    spool: Spool,
    *,
    sensor: Sensor,
    tool: str,
    codec: Codec,
    now_ms: Callable[[], int],
    max_observations: int = MAX_OBSERVATIONS,
) -> Iterator[Step]:
    """Spool what an input holds behind ``source``'s position; one step for each commit.

    A ``None`` among the readings says that the input rests: what is there goes out now. The last step marks the
    input as complete.
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
    """What the next commit will hold, and the position behind it."""

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
        return bool(len(self.builder) or self._refusals)

    @property
    def is_full_of_refusals(self) -> bool:
        return len(self._refusals) >= MAX_REFUSALS or self._refused_bytes >= MAX_REFUSED_BYTES

    def moves_to(self, line: int) -> bool:
        """Go on to the next reading. False where it was spooled before."""
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
        step = Step(position[0], observations, int(report is not None), self._rejected, tuple(self._first))
        self._refusals, self._refused_bytes, self._rejected, self._first = [], 0, Counter(), []
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


def quarantined(rejected: Rejected, sensor: str, digest: bytes, item: int, now_ms: int) -> Quarantined:
    """The quarantine record of a refusal. Its key is the same whenever the same input is read again."""
    return Quarantined(
        key=f"sensor-{sensor}-{digest.hex()[:16]}-{rejected.place.line}-{item}",
        reason=rejected.reason,
        detail=rejected.detail,
        stage=STAGE,
        at_ms=now_ms,
        sensor=sensor,
        topic="",
        partition=-1,
        offset=-1,
        index=-1,
        place=place_name(rejected.place),
        content_type="text",
        original=rejected.original,
        excerpt=rejected.excerpt,
        size=rejected.size,
        digest=rejected.digest,
    )


def place_name(place: SourcePlace) -> str:
    """``eve.json:17``; the file alone where all of it is meant."""
    return f"{place.file}:{place.line}" if place.line else place.file


def printable(path: str) -> str:
    """A file's name as text that UTF-8 can carry: Linux allows any bytes in one."""
    return os.fsencode(path).decode("utf-8", "replace")
