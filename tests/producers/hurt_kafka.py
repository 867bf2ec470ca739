"""A Kafka that is killed and started again beside a test, and what a sensor has published to it."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self

from confluent_kafka import TopicPartition

from exchange.errors import BrokerUnavailable
from exchange.kafka.clients import Cluster, reader
from localkafka.broker import Broker
from localkafka.provider import clusters
from localkafka.settings import BrokerSettings, Provider
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec, Undecodable
from schemas.identity import shard_of_sensor
from tests.polling import eventually
from tests.producers.reading_topics import SHARDS, with_topics

_MOST: Final = 1_000
_TAKE_S: Final = 0.5


class HurtKafka:
    """Kills the broker at random moments, and starts it again after a while, in a thread."""

    def __init__(self, broker: Broker) -> None:
        self.cluster = with_topics(Cluster("GBR", broker.bootstrap))
        self._broker, self._over, self._kills = broker, Event(), 0
        self._thread = Thread()

    def begin(self, seconds: float, random: Random) -> None:
        """Hurt it for so long, or until ``ended``."""
        self._over.clear()
        self._kills = 0
        self._thread = Thread(target=self._hurt, args=(seconds, random), daemon=True)
        self._thread.start()

    def ended(self) -> int:
        """Wait until it runs unhurt; how often it was killed."""
        self._over.set()
        self._thread.join()
        return self._kills

    def _hurt(self, seconds: float, random: Random) -> None:
        while not self._over.wait(random.uniform(0.2, 0.5) * min(seconds, 20)):
            self._broker.kill()
            self._kills += 1
            self._over.wait(random.uniform(0, 3))
            while True:
                with suppress(BrokerUnavailable):
                    self._broker.restart()
                    break


@contextmanager
def hurt_kafka() -> Iterator[HurtKafka]:
    """A broker of its own: one that settings name is not ours to kill."""
    settings = BrokerSettings.from_env({**os.environ, "KAKEHASHI_BROKER_PROVIDER": Provider.LOCAL}, ("GBR",))
    with (
        tempfile.TemporaryDirectory(prefix="hurt-kafka") as folder,
        clusters(settings, Path(folder), lambda _line: None) as running,
    ):
        yield HurtKafka(running["GBR"])


class Published:
    """The values that a sensor has published: of each report once, however often it was sent, as intake counts it."""

    def __init__(self, cluster: Cluster, sensor: str) -> None:
        self.values = Counter[str]()
        self._sensor, self._codec, self._seen = sensor, Codec(), set[tuple[int, int]]()
        self._reader = reader(cluster)
        self._reader.assign([TopicPartition(topics.SENSOR_REPORTS, shard_of_sensor(sensor, SHARDS), 0)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    def take(self) -> None:
        """Take what there is."""
        while messages := self._reader.consume(_MOST, _TAKE_S):
            for message in messages:
                if message.error() is None:
                    self._count(message.value() or b"")

    def _count(self, value: bytes) -> None:
        report = self._codec.decode(SENSOR_REPORT, value)
        assert not isinstance(report, Undecodable), report
        identity = report["epoch"], report["sequence"]
        if report["sensor"] == self._sensor and identity not in self._seen:
            self._seen.add(identity)
            self.values.update(report["values"])

    def waits_for(self, observations: int, within_s: float) -> None:
        """Wait until so many are in the topic."""

        def are_there() -> bool:
            self.take()
            return self.values.total() >= observations

        eventually(are_there, within_s, f"{observations} observations are published")
