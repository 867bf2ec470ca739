"""Two nations without a broker: the real steps, one after the other, over logs and rows in memory.

It keeps the commit protocol's promises by being too simple to break them, so that tests can choose what Kafka leaves
open: where batches are cut, when time passes, and in which order shards take their turn.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from consumers.bridge.step import Bridge, Link
from exchange.authority.roster import Roster
from exchange.protocol.record import Input, Output, Record, RowChange
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.codec import COMMAND, SENSOR_REPORT, Codec
from schemas.identity import key_of_id, shard_of_key, shard_of_sensor
from schemas.links import all_agreed
from schemas.ratings import Rating
from schemas.records import Command, SensorReport
from schemas.signing import signed_command
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.step import Correlate, CorrelateSettings
from streams.enrichment.enrich import Enricher
from streams.intake.step import Intake
from streams.receive.step import Receive
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load
from tests.builders import NOW_MS
from tests.officers import ROSTER, key_of
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

    step: Step[Any]
    sources: Sequence[Input]
    facts: Any = None
    rows: Rows = field(default_factory=Rows)
    read: Counter[Input] = field(default_factory=Counter)


class MemoryExchange:
    """One direction, GBR to JPN. ``shards`` on both sides."""

    def __init__(
        self, enricher: Enricher, *, shards: int = 2, roll_up_ms: int = ROLL_UP_MS, classifier: Classifier = CLASSIFIER
    ) -> None:
        self.now_ms = NOW_MS
        self.shards = shards
        self._enricher, self._ratings = enricher, classifier.ratings
        self._logs: dict[Input, list[Record]] = defaultdict(list)
        settings = CorrelateSettings(HOME, (PARTNER,), roll_up_ms, LIFETIMES, lambda: ROSTER, shards)
        link = Link(all_agreed(HOME, PARTNER), CODEC, CODEC, shards)
        self.works = [
            work
            for shard in range(shards)
            for work in (
                Work(
                    Intake(HOME, shard, shards, CODEC, quota=QUOTA, roster=lambda: Roster(HOME)),
                    [Input(topics.SENSOR_REPORTS, shard)],
                ),
                Work(
                    Correlate(settings, shard, CODEC, enricher, classifier),
                    [Input(topics.OBSERVATIONS, shard), Input(topics.COMMANDS, shard)],
                ),
                Work(Bridge(link), [Input(topics.released(PARTNER), shard)], facts={}),
                Work(Receive(all_agreed(PARTNER, HOME), shard, shards, CODEC), [Input(topics.inbox(HOME), shard)]),
            )
        ]

    def take_over(self, saved: Mapping[str, Any]) -> None:
        """Continue from the records, rows and positions that an exchange of another version has left, bytes in
        hexadecimal."""
        self.now_ms = saved["now_ms"]
        for topic, partition, records in saved["logs"]:
            self._logs[Input(topic, partition)] = [
                Record(topic, partition, offset, bytes.fromhex(key), _bytes(value), timestamp_ms, _headers(headers))
                for offset, key, value, timestamp_ms, headers in records
            ]
        for work, (step, _, rows, read) in zip(self.works, saved["works"], strict=True):
            assert work.step.name == step
            work.rows.apply(
                [RowChange(bytes.fromhex(key), _bytes(value), due_ms) for key, (value, due_ms) in rows.items()]
            )
            work.read = Counter({Input(topic, partition): offset for topic, partition, offset in read})

    def send(self, report: SensorReport) -> Record:
        """A sensor's report, as its publisher sends it."""
        return self.append(
            report["sensor"], CODEC.encode(SENSOR_REPORT, report), shard_of_sensor(report["sensor"], self.shards)
        )

    def command(self, person: str, made: Command) -> Record:
        """An officer's command, as their desk sends it."""
        value, name = CODEC.encode(COMMAND, signed_command(CODEC, made, key_of(person))), made["indicator_id"]
        return self.append(name, value, shard_of_key(key_of_id(name), self.shards), topics.COMMANDS)

    def append(self, key: str, value: bytes | None, partition: int, topic: str = topics.SENSOR_REPORTS) -> Record:
        """Any bytes on the topic of those who report, or of those who decide."""
        log = self._logs[Input(topic, partition)]
        record = Record(topic, partition, len(log), key.encode(), value, self.now_ms)
        log.append(record)
        return record

    def go_on(self, random: Random) -> None:
        """Let time pass, and do a random amount of work in it."""
        self.now_ms += random.randint(0, 5000)
        if random.random() < 0.5:
            self.run(random)

    def turn(self, work: Work, most: int | None = None) -> bool:
        """Compute one batch of one shard; whether there was anything to do."""
        batch: list[Record] = []
        for source in work.sources:
            read = work.read[source]
            found = self._logs[source][read : None if most is None else read + most]
            work.read[source] += len(found)
            batch += found
        due = work.rows.due(self.now_ms)
        if not batch and not due:
            return False
        effects = work.step.compute(Batch(batch, due, work.facts), work.rows, self.now_ms)
        work.rows.apply(effects.rows)
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
        """Run until every roll-up has been due."""
        self.run(random)
        for _ in range(2):
            self.now_ms += ROLL_UP_MS
            self.run(random)

    def log(self, topic: str) -> list[Record]:
        """A topic, partition by partition."""
        return [record for shard in range(self.shards) for record in self._logs[Input(topic, shard)]]

    def stand(self) -> Stand:
        """The records that the audit reads."""
        return Stand(
            reports=self.log(topics.SENSOR_REPORTS),
            quarantine=self.log(topics.QUARANTINE),
            national=self.log(topics.NATIONAL),
            decisions=self.log(topics.AUDIT),
            released=self.log(topics.released(PARTNER)),
            inbox=self.log(topics.inbox(HOME)),
            accepted=self.log(topics.accepted(HOME)),
            commands=self.log(topics.COMMANDS),
        )

    def expected(self) -> Expected:
        """The model's result for these reports."""
        low = {sensor for sensor, rating in self._ratings.by_sensor.items() if rating is Rating.LOW}
        reports = arrivals(self.log(topics.SENSOR_REPORTS))
        return expected(reports, HOME, PARTNER, self.shards, self._enricher, low=low)

    def audit(self) -> Audit:
        """The audit of the records against the model."""
        return audited(self.stand(), self.expected(), self.now_ms)

    def _write(self, output: Output) -> None:
        log = self._logs[Input(output.topic, output.partition)]
        log.append(
            Record(output.topic, output.partition, len(log), output.key, output.value, self.now_ms, output.headers)
        )


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


def _headers(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, bytes.fromhex(value)) for name, value in headers)


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
