"""Two nations without a broker: the real steps, one after the other, over logs and rows in memory.

It keeps the commit protocol's promises by being too simple to break them, so that tests can choose what Kafka leaves
open: where batches are cut, when time passes, and in which order shards take their turn.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from consumers.bridge import Bridge, Link
from exchange.record import Input, Output, Record, RowChange
from exchange.roster import Roster
from exchange.shard import Step
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.records import SensorReport
from streams.classification.engine import Engine
from streams.classification.policy_set import load
from streams.correlate import Correlate, CorrelateSettings
from streams.intake import Intake
from streams.receive import Receive
from streams.stages.enrich import Enricher
from streams.stages.lifecycle import Lifetimes
from streams.stages.release import Classifier
from tests.builders import NOW_MS
from tests.reference.audit import Audit, Stand, arrivals, audited
from tests.reference.model import Expected, expected

HOME, PARTNER = "GBR", "JPN"
ROLL_UP_MS = 60_000
QUOTA = 1_000_000
CODEC = Codec()
LIFETIMES = Lifetimes.load()
CLASSIFIER = Classifier(Engine(load(HOME)))


@dataclass
class Rows:
    """A shard's rows."""

    rows: dict[bytes, RowChange] = field(default_factory=dict)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows[key].value if key in self.rows else None for key in keys]

    def size(self) -> int:
        return len(self.rows)

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        found = [(key, self.rows[key].value) for key in sorted(self.rows) if key > after]
        return [(key, value) for key, value in found if value is not None][:limit]

    def due(self, now_ms: int) -> list[bytes]:
        found = [row for row in self.rows.values() if 0 < row.due_ms <= now_ms]
        return [row.key for row in sorted(found, key=lambda row: (row.due_ms, row.key))]

    def apply(self, changes: Sequence[RowChange]) -> None:
        for change in changes:
            self.rows[change.key] = change


@dataclass
class Work:
    """One shard of one step, and how far it has read."""

    step: Step
    source: Input
    rows: Rows = field(default_factory=Rows)
    read: int = 0


class MemoryExchange:
    """One direction, GBR to JPN. ``shards`` on both sides."""

    def __init__(self, enricher: Enricher, *, shards: int = 2, roll_up_ms: int = ROLL_UP_MS) -> None:
        self.now_ms = NOW_MS
        self.shards = shards
        self._enricher = enricher
        self._logs: dict[Input, list[Record]] = defaultdict(list)
        settings = CorrelateSettings(HOME, (PARTNER,), roll_up_ms, LIFETIMES, Roster(HOME), shards)
        link = Link(HOME, PARTNER, CODEC, CODEC, shards)
        self.works = [
            work
            for shard in range(shards)
            for work in (
                Work(Intake(HOME, shard, shards, CODEC, quota=QUOTA), Input(topics.SENSOR_REPORTS, shard)),
                Work(Correlate(settings, shard, CODEC, enricher, CLASSIFIER), Input(topics.OBSERVATIONS, shard)),
                Work(Bridge(link), Input(topics.released(PARTNER), shard)),
                Work(Receive(PARTNER, HOME, shard, shards, CODEC), Input(topics.inbox(HOME), shard)),
            )
        ]

    def send(self, report: SensorReport) -> Record:
        """A sensor's report, as its publisher sends it."""
        return self.append(
            report["sensor"], CODEC.encode(SENSOR_REPORT, report), shard_of_sensor(report["sensor"], self.shards)
        )

    def append(self, sensor: str, value: bytes | None, partition: int) -> Record:
        """Any bytes on the sensors' topic."""
        log = self._logs[Input(topics.SENSOR_REPORTS, partition)]
        record = Record(topics.SENSOR_REPORTS, partition, len(log), sensor.encode(), value, self.now_ms)
        log.append(record)
        return record

    def turn(self, work: Work, most: int | None = None) -> bool:
        """One batch of one shard; whether there was anything to do."""
        log = self._logs[work.source]
        batch = log[work.read : None if most is None else work.read + most]
        due = work.rows.due(self.now_ms)
        if not batch and not due:
            return False
        effects = work.step.compute(batch, due, work.rows, self.now_ms)
        work.rows.apply(effects.rows)
        work.read += len(batch)
        for output in (*effects.outputs, *effects.home):
            self._write(output)
        return True

    def run(self, random: Random | None = None) -> None:
        """Turn until nothing is left to do; with ``random``, in its order and with its batches."""
        while True:
            works = list(self.works)
            if random is not None:
                random.shuffle(works)
            turned = [self.turn(work, None if random is None else random.randint(1, 5)) for work in works]
            if not any(turned):
                return

    def settle(self, random: Random | None = None) -> None:
        """Run, and let every roll-up come due."""
        self.run(random)
        for _ in range(2):
            self.now_ms += ROLL_UP_MS
            self.run(random)

    def log(self, topic: str) -> list[Record]:
        """A topic, partition by partition."""
        return [record for shard in range(self.shards) for record in self._logs[Input(topic, shard)]]

    def stand(self) -> Stand:
        """What the audit looks at."""
        return Stand(
            reports=self.log(topics.SENSOR_REPORTS),
            quarantine=self.log(topics.QUARANTINE),
            national=self.log(topics.NATIONAL),
            decisions=self.log(topics.AUDIT),
            released=self.log(topics.released(PARTNER)),
            inbox=self.log(topics.inbox(HOME)),
            accepted=self.log(topics.accepted(HOME)),
        )

    def expected(self) -> Expected:
        """What the model wants of these reports."""
        return expected(arrivals(self.log(topics.SENSOR_REPORTS)), HOME, PARTNER, self.shards, self._enricher)

    def audit(self) -> Audit:
        """What stands, against the model."""
        return audited(self.stand(), self.expected(), self.now_ms)

    def _write(self, output: Output) -> None:
        log = self._logs[Input(output.topic, output.partition)]
        log.append(
            Record(output.topic, output.partition, len(log), output.key, output.value, self.now_ms, output.headers)
        )


def played(
    enricher: Enricher, reports: Sequence[SensorReport], random: Random | None = None, *, pause: Callable[[], int] = int
) -> MemoryExchange:
    """An exchange that has had these reports, ``pause()`` milliseconds after each other, and has settled."""
    exchange = MemoryExchange(enricher)
    for report in reports:
        exchange.send(report)
        exchange.now_ms += pause()
        if random is not None and random.random() < 0.5:
            exchange.run(random)
    exchange.settle(random)
    return exchange
