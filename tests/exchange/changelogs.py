"""Changelogs on real Kafka for tests: a step of the test's own, its topics, and an owner that writes rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Producer

from exchange.kafka.clients import Cluster, topic_ids
from exchange.kafka.log import KafkaLog
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.changelog import BATCH_KEY, batch_value
from exchange.protocol.kept_rows import kept
from exchange.protocol.record import Position, RowChange
from exchange.protocol.state import RocksState, open_state
from schemas import topics
from schemas.topics import Topic
from tests.localkafka.kafka import producer_of

FORMAT = 1


@dataclass
class Changelog:
    """One shard of a step called ``step`` on a cluster, and its topics."""

    cluster: Cluster
    step: str
    config: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        progress, changelog = topics.step_topics(self.step, 1, state=True)
        changed = Topic(changelog.name, changelog.key, 1, compacted=True, config=self.config)
        ensure_topics(self.cluster, [progress, changed])

    @property
    def topic(self) -> str:
        return topics.changelog(self.step)

    @property
    def ids(self) -> dict[str, str]:
        return topic_ids(self.cluster, [self.topic])

    def log(self) -> KafkaLog:
        """The log as an owner, or a standby, sees it."""
        return KafkaLog(self.cluster, self.step, 0, input_ids=self.ids, state_format=FORMAT)

    def state(self, folder: Path) -> RocksState:
        """The rows in a folder."""
        return open_state(folder, self.ids[self.topic], FORMAT)


class Owner:
    """Whoever writes rows: one batch a call, as a shard does it."""

    def __init__(self, changelog: Changelog) -> None:
        self.log = changelog.log()
        self.log.fence()
        self.batch = (self.log.position() or Position()).batch
        self.rows: dict[bytes, bytes] = {}

    def write(self, **rows: str | None) -> int:
        """One batch: rows by key, None to drop one. The changelog's next offset."""
        changes = [RowChange(key.encode(), None if row is None else row.encode()) for key, row in rows.items()]
        next_offset = self.log.commit((), changes, Position(self.batch + 1, 0, {}))
        self.batch += 1
        for change in changes:
            if change.value is None:
                self.rows.pop(change.key, None)
            else:
                self.rows[change.key] = change.value
        return next_offset

    def close(self) -> None:
        """Stop."""
        self.log.close()


def write_open(changelog: Changelog, owner: str, *rows: RowChange, batch: int, at_ms: int = 0) -> Producer:
    """Rows in a transaction that is left open, by a client of ours; ``at_ms`` dates them."""
    producer = producer_of(changelog.cluster.bootstrap, owner)
    producer.begin_transaction()
    for key, value in [*((row.key, kept(row)) for row in rows), (BATCH_KEY, batch_value(batch))]:
        producer.produce(changelog.topic, value, key, 0, timestamp=at_ms)
    producer.flush(20)
    return producer
