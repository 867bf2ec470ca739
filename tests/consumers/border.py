"""A border of a test's own on the shared clusters: two nations that no one else has, with their topics."""

import random
import string
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product

from confluent_kafka import Producer

from consumers.bridge.threads import border_watch, bridge_threads
from exchange.clock import now_ms
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.committed import as_record, committed
from exchange.kafka.topics_admin import ensure_topics
from exchange.metrics.registry import Metrics
from exchange.protocol.record import Headers, Output, Record
from exchange.settings import Settings
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.links import all_agreed
from schemas.records import ReleasedIndicator
from streams.correlate.released import is_urgent
from tests.conftest import Brokers
from tests.exchange.test_kafka_log import _recreate

SHARDS = 1
STOP_S = 30.0

# Each border of a run has codes of its own, that no nation has: with random ones two tests would share an inbox now and
# then. The order is random for clusters that outlive a run.
_CODES = iter(random.sample(["".join(each) for each in product("QXYZ", *2 * [string.ascii_uppercase])], 4 * 26**2))


class Border:
    """``home`` on the first cluster, ``partner`` on the second. Records go in by hand, past everyone."""

    def __init__(self, brokers: Brokers, codec: Codec | None = None) -> None:
        self.home, self.partner = next(_CODES), next(_CODES)
        self.here, self.there = Cluster(self.home, brokers.gbr), Cluster(self.partner, brokers.jpn)
        nations = self.home, self.partner
        links = {pair: all_agreed(*pair) for pair in (nations, nations[::-1])}
        self.settings = Settings(nations=nations, shards=SHARDS, links=links)
        self.codec = codec or Codec()
        self._producers: dict[str, Producer] = {}
        for cluster, other in ((self.here, self.partner), (self.there, self.home)):
            wanted = topics.topics_of(cluster.nation, (other,), SHARDS)
            of_pair = [topic for topic in wanted if other in topic.name]
            # Quarantine is everyone's on these clusters: as the other tests have it.
            shared = [
                topic
                for topic in topics.topics_of(cluster.nation, (other,), 4)
                if topic.name in (topics.QUARANTINE, topics.POLICY, topics.POLICY_READINGS)
            ]
            ensure_topics(cluster, [*of_pair, *shared])

    def put(
        self, cluster: Cluster, topic: str, values: Iterable[tuple[bytes | None, bytes | None]], headers: Headers = ()
    ) -> None:
        """These keys and values, acknowledged."""
        producer = self._producer(cluster)
        for key, value in values:
            producer.produce(topic, value, key, 0, headers=list(headers))
        assert producer.flush(30) == 0

    def _producer(self, cluster: Cluster) -> Producer:
        """One for each cluster: to begin takes it longer than to write."""
        if cluster.bootstrap not in self._producers:
            self._producers[cluster.bootstrap] = idempotent_producer(cluster, **{"message.max.bytes": 20 << 20})
        return self._producers[cluster.bootstrap]

    def release(self, *records: ReleasedIndicator) -> None:
        """Put records on the released topic, and copies on the fast lane, as correlate would."""
        named = [(each["id"].encode(), self.codec.encode(RELEASED_INDICATOR, each)) for each in records]
        copies = [pair for pair, each in zip(named, records, strict=True) if is_urgent(each["content"])]
        self.put(self.here, topics.released(self.partner), named)
        self.put(self.here, topics.urgent(self.partner), copies)

    def write(self, cluster: Cluster, outputs: Sequence[Output]) -> None:
        """What a step has put out."""
        producer = self._producer(cluster)
        for output in outputs:
            producer.produce(output.topic, output.value, output.key, 0)
        assert producer.flush(30) == 0

    def read(self, cluster: Cluster, topic: str) -> list[Record]:
        """What is committed there."""
        return [as_record(message) for message in committed(cluster, topic, 0)]

    def recreate(self, cluster: Cluster, topic: str, config: dict[str, str]) -> None:
        """Delete a topic, and make it anew under its name."""
        _recreate(cluster, topic, config)
        self._producers.clear()  # they number what they write to a topic


@contextmanager
def carrying(border: Border, metrics: Metrics, settings: Settings | None = None) -> Iterator[list[Exception]]:
    """Run a bridge over this border until the block ends. Yields the errors that ended it."""
    broken: list[Exception] = []
    settings = settings or border.settings
    watch = border_watch(border.here, settings, now_ms).start()
    threads = bridge_threads(border.here, border.there, settings, watch, now_ms, metrics, broken.append, range(SHARDS))
    for thread in threads:
        thread.start()
    try:
        yield broken
    finally:
        stopped = [thread.stop(STOP_S) for thread in threads]
        watch.stop()
        assert all(stopped)
