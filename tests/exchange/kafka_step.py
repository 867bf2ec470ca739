"""A counting step of a test's own on real Kafka: its topics, what comes in, and what is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from exchange.feeds.assigned import AssignedFeed
from exchange.kafka.clients import TRANSACTION_TIMEOUT_MS, Cluster, topic_ids
from exchange.kafka.committed import committed
from exchange.kafka.log import KafkaLog
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Input, Output, Position, RowChange
from exchange.protocol.shard import Shard
from exchange.protocol.state import open_state
from schemas import topics
from schemas.topics import Topic, step_topics
from tests.exchange.model_step import CountingStep

FORMAT: Final = 1
_CALL_S: Final = 30.0


@dataclass
class KafkaStep:
    """One shard of a step called ``name`` on ``cluster``: everything is in partition 0 of topics of its own."""

    cluster: Cluster
    name: str
    changelog_config: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.source, self.out = Input(f"{self.name}in", 0), Input(f"{self.name}out", 0)
        self.narrow = Input(f"{self.name}narrow", 0)
        progress, changelog = step_topics(self.name, 1, state=True)
        ensure_topics(
            self.cluster,
            [
                progress,
                Topic(changelog.name, changelog.key, 1, compacted=True, config=self.changelog_config),
                Topic(self.source.topic, "key", 1),
                Topic(self.out.topic, "key", 1),
                Topic(self.narrow.topic, "key", 1, config={"max.message.bytes": "1000"}),
            ],
        )

    @property
    def changelog(self) -> str:
        return topics.changelog(self.name)

    @property
    def progress(self) -> str:
        return topics.progress(self.name)

    def log(self, *, state_format: int = FORMAT, timeout_ms: int = TRANSACTION_TIMEOUT_MS) -> KafkaLog:
        """The log as one owner has it, with the topics' ids of this moment."""
        ids = topic_ids(self.cluster, [self.source.topic, self.changelog])
        return KafkaLog(
            self.cluster, self.name, 0, input_ids=ids, state_format=state_format, transaction_timeout_ms=timeout_ms
        )

    def owner(self) -> KafkaLog:
        """The log of a new owner."""
        log = self.log()
        log.fence()
        return log

    def shard(self, folder: Path, clock_ms: int = 1_000, *, timeout_ms: int = TRANSACTION_TIMEOUT_MS) -> Shard:
        """A shard that counts what is in ``source``; outputs go to ``out``."""
        changelog_id = topic_ids(self.cluster, [self.changelog])[self.changelog]
        return Shard(
            KafkaCounting(self),
            self.log(timeout_ms=timeout_ms),
            AssignedFeed(self.cluster, [self.source]),
            lambda: open_state(folder, changelog_id, FORMAT),
            lambda: clock_ms,
        )

    def position(self, batch: int) -> Position:
        """A position at which this many records have been read."""
        return Position(batch, batch, {self.source: batch})

    def output(self, value: bytes, key: bytes = b"k", to: Input | None = None) -> Output:
        """A record for ``out``, or for another place."""
        place = to or self.out
        return Output(place.topic, place.partition, key, value)

    def send(self, *values: bytes, key: bytes = b"k") -> None:
        """Records for ``source``, acknowledged."""
        producer = Producer(self.cluster.client() | {"enable.idempotence": True})
        for value in values:
            producer.produce(self.source.topic, value, key, 0)
        assert producer.flush(_CALL_S) == 0

    def committed(self, place: Input | None = None) -> list[bytes | None]:
        """The values that a reader of committed records gets, to the end."""
        place = place or self.out
        return [message.value() for message in committed(self.cluster, place.topic, place.partition)]

    def rows(self) -> dict[bytes, RowChange]:
        """The committed rows, read from the changelog alone."""
        found: dict[bytes, RowChange] = {}
        for rows, _, _ in self.log().changelog(0):
            found |= {row.key: row for row in rows}
        return {key: row for key, row in found.items() if row.value is not None}


class KafkaCounting(CountingStep):
    """``CountingStep`` with the topic names of a test's own."""

    def __init__(self, step: KafkaStep) -> None:
        self.name = step.name
        self.topics = {"out": step.out.topic, "ticks": step.out.topic}
