"""The two clusters of a benchmark, with fresh topics for each measurement: same brokers, warm, nothing left over."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient

from exchange.errors import TopicMismatch
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster
from exchange.kafka.topics_admin import ensure_topics
from exchange.settings import Settings
from localkafka.broker import Broker
from localkafka.local import LocalBroker
from localkafka.provider import clusters
from localkafka.settings import BrokerSettings
from schemas.topics import Topic, topics_of

HOME, PARTNER = "GBR", "JPN"
SHARDS = 4
ROLL_UP_MS: Final = 10_000
WORKERS_ROLL_UP_MS: Final = Settings().roll_up_ms
"""What a worker does unless it is told otherwise."""
_TOPICS_SETTLE_S = 30.0


@dataclass(frozen=True)
class Stand:
    """Two running clusters and a folder that goes away with them."""

    brokers: Mapping[str, Broker]
    folder: Path

    def cluster(self, nation: str) -> Cluster:
        """A nation's cluster."""
        return Cluster(nation, self.brokers[nation].bootstrap)

    @property
    def home(self) -> Cluster:
        """The cluster of the reports."""
        return self.cluster(HOME)

    @property
    def partner(self) -> Cluster:
        """The cluster of the partner."""
        return self.cluster(PARTNER)

    def broker_pids(self) -> dict[str, int]:
        """The brokers' processes, if they are ours."""
        return {
            nation: broker.pid
            for nation, broker in self.brokers.items()
            if isinstance(broker, LocalBroker) and broker.pid is not None
        }

    def environment(self, **changes: str) -> dict[str, str]:
        """A role's environment for these clusters, with a state folder of its own."""
        return (
            dict(os.environ)
            | {f"KAKEHASHI_{nation}_BOOTSTRAP": broker.bootstrap for nation, broker in self.brokers.items()}
            | {
                "KAKEHASHI_NATIONS": f"{HOME},{PARTNER}",
                "KAKEHASHI_SHARDS": str(SHARDS),
                "KAKEHASHI_HOME": str(self.folder / "home"),
                "KAKEHASHI_STATE": str(self.folder / "state"),
                "KAKEHASHI_ROLL_UP_MS": str(ROLL_UP_MS),
            }
            | changes
        )

    def refresh(self) -> None:
        """Recreate all topics, empty, and delete all state."""
        for nation, other in ((HOME, PARTNER), (PARTNER, HOME)):
            cluster = self.cluster(nation)
            _delete_all(cluster)
            ensure(cluster, topics_of(nation, [other], SHARDS))
        for name in ("state", "home", "plain"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def _delete_all(cluster: Cluster) -> None:
    admin = AdminClient(cluster.client())

    def ours() -> list[str]:
        return [name for name in admin.list_topics(timeout=CALL_TIMEOUT_S).topics if not name.startswith("__")]

    names = ours()
    if names:
        for future in admin.delete_topics(names, operation_timeout=_TOPICS_SETTLE_S).values():
            future.result(_TOPICS_SETTLE_S)
    deadline = time.monotonic() + _TOPICS_SETTLE_S
    while ours() and time.monotonic() < deadline:
        time.sleep(0.05)


def ensure(cluster: Cluster, wanted: Sequence[Topic]) -> None:
    """A broker may show a topic that was just deleted and made again only after a moment."""
    deadline = time.monotonic() + _TOPICS_SETTLE_S
    while True:
        try:
            ensure_topics(cluster, wanted)
        except TopicMismatch:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


@contextmanager
def stand() -> Iterator[Stand]:
    """Two clusters until the block ends. With a heap that the measured load does not fill."""
    environ = {"KAKEHASHI_KAFKA_HEAP": "1g"} | dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as name:
        folder = Path(name)
        settings = BrokerSettings.from_env(environ, (HOME, PARTNER))
        with clusters(settings, folder / "kafka", lambda _line: None) as brokers:
            yield Stand(brokers, folder)
