"""One nation with one shard on its own cluster, its steps in this process, and ways to damage its topics."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in the stubs
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from exchange.clock import now_ms
from exchange.feeds.hinted import Mailbox
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.committed import as_record, committed
from exchange.kafka.topics_admin import ensure_topics
from exchange.metrics.kinds import Role
from exchange.protocol.record import Record
from exchange.protocol.thread import ShardThread
from exchange.role import metrics_of
from exchange.settings import Settings
from localkafka.provider import clusters
from localkafka.settings import BrokerSettings, Provider
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, SENSOR_REPORT, Codec
from schemas.records import ReleasedIndicator, SensorReport
from streams.repair.rebuild import Report, rebuild
from streams.worker.workshop import StreamsWorkshop
from tests.polling import eventually

NATION: Final = "GBR"
PARTNER: Final = "JPN"
ROLL_UP_MS: Final = 200
SOON_S: Final = 60.0
_CODEC: Final = Codec()


@dataclass
class LoneNation:
    """GBR. ``broken`` are the errors by which its steps have ended."""

    cluster: Cluster
    settings: Settings
    broken: list[Exception] = field(default_factory=list)
    threads: list[ShardThread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._producer = idempotent_producer(self.cluster)
        metrics = metrics_of(
            Role.STREAMS, NATION, (PARTNER,), tuple(step.name for step in topics.streams_steps((PARTNER,)))
        )
        self._workshop = StreamsWorkshop.open(NATION, self.cluster, self.settings, metrics, self.broken.append)

    # -- its work -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take the shard of every step."""
        self.broken.clear()
        self.threads = list(self._workshop(0, Mailbox(), lambda: True))
        for thread in self.threads:
            thread.start()

    def clocks_are_off(self, by_ms: int) -> None:
        """The clocks of its machine and of its broker are wrong together, from the next start on."""

        def clock() -> int:
            return now_ms() + by_ms

        self._workshop.watch.clock = clock
        self._workshop.watch.read()
        self._workshop = replace(self._workshop, clock=clock)

    def stop(self, *, lose_disk: bool = True) -> None:
        """Stop the shards and delete their state on disk, as if another worker took them."""
        for thread in self.threads:
            thread.ask_to_stop()
        assert all(thread.stop(SOON_S) for thread in self.threads)
        if lose_disk:
            shutil.rmtree(self.settings.state, ignore_errors=True)

    def close(self) -> None:
        """End what watches its cluster in the background."""
        self._workshop.close()

    def send(self, *reports: SensorReport) -> None:
        """Publish reports, as sensors do."""
        self._write(topics.SENSOR_REPORTS, [(r["sensor"].encode(), _CODEC.encode(SENSOR_REPORT, r)) for r in reports])

    def partner_sends(self, *released: ReleasedIndicator) -> None:
        """Write into the inbox, as the partner's bridge does."""
        self._write(topics.inbox(PARTNER), [(r["id"].encode(), _CODEC.encode(RELEASED_INDICATOR, r)) for r in released])

    def _write(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        for key, value in records:
            self._producer.produce(topic, value, key, 0)
        assert self._producer.flush(SOON_S) == 0

    def records(self, topic: str) -> list[Record]:
        """The records of a topic."""
        return [as_record(message) for message in committed(self.cluster, topic, 0)]

    def latest(self, topic: str, schema: str) -> dict[str, dict[str, Any]]:
        """The last record of each key, decoded."""
        found = {(record.key or b"").decode(): _CODEC.decode(schema, record.value) for record in self.records(topic)}
        return {key: record for key, record in found.items() if isinstance(record, dict)}

    @staticmethod
    def decoded(record: Record, schema: str) -> dict[str, Any]:
        """A record that can be read."""
        found = _CODEC.decode(schema, record.value)
        assert isinstance(found, dict), found
        return found

    def await_count(self, topic: str, count: int) -> None:
        """Wait until a topic has so many records."""
        eventually(lambda: len(self.records(topic)) >= count, SOON_S, f"{count} records on {topic}")

    def await_end(self, kind: type[Exception]) -> str:
        """Wait until a step has ended with such an error; returns its message."""
        eventually(lambda: any(isinstance(error, kind) for error in self.broken), SOON_S, f"a {kind.__name__}")
        return next(str(error) for error in self.broken if isinstance(error, kind))

    def rebuild(self, step: str, *, dry_run: bool = False, resume_at: int | None = None) -> Report:
        """Run the command's rebuild."""
        return rebuild(self.cluster, step, 0, self.settings, dry_run=dry_run, resume_at=resume_at, now_ms=now_ms)

    # -- what is done to its topics -----------------------------------------------------------------------------

    def recreate(self, *names: str) -> None:
        """Delete topics, or all but what its workers follow without a shard, and make them again."""
        admin = AdminClient(self.cluster.client())
        known = {name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")}
        gone = set(names or known - {topics.POLICY}) & known
        for deleted in (admin.delete_topics(list(gone)) if gone else {}).values():
            deleted.result(SOON_S)
        eventually(lambda: not gone & admin.list_topics(timeout=10).topics.keys(), SOON_S, f"{gone} deleted")
        ensure_topics(self.cluster, topics.topics_of(NATION, (PARTNER,), 1))

    def cut(self, topic: str, before: int) -> None:
        """Delete the records before an offset, as retention does under a wrong policy."""
        admin = AdminClient(self.cluster.client())
        for policy in ("delete", "compact") if topic.startswith("state.") else ():
            if policy == "compact":
                self._delete(admin, topic, before)
            entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
            resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
            admin.incremental_alter_configs([resource])[resource].result(SOON_S)
        if not topic.startswith("state."):
            self._delete(admin, topic, before)

    def _delete(self, admin: AdminClient, topic: str, before: int) -> None:
        place = TopicPartition(topic, 0, before)

        def deleted() -> bool:
            # A broker learns of a policy a moment after it was set.
            future = admin.delete_records([place])[place]
            return future.exception(SOON_S) is None

        eventually(deleted, SOON_S, f"{topic} cut at {before}")


@contextmanager
def lone_nation(folder: Path) -> Iterator[LoneNation]:
    """The nation, not working yet. They have the exchange's own names: its cluster is its own."""
    settings = BrokerSettings.from_env(os.environ, (NATION,))
    provider = settings.provider if settings.provider != Provider.SETTINGS else Provider.AUTO
    with clusters(replace(settings, given={}, provider=provider), folder / "kafka", lambda _line: None) as brokers:
        mine = Settings(shards=1, roll_up_ms=ROLL_UP_MS, state=folder / "state", session_timeout_s=1.0)
        cluster = Cluster(NATION, brokers[NATION].bootstrap)
        ensure_topics(cluster, topics.topics_of(NATION, (PARTNER,), 1))
        nation = LoneNation(cluster, mine)
        try:
            yield nation
        finally:
            nation.stop()
            nation.close()
