"""Puts the work on the sensors' topic: encoded beforehand, so that the clock sees sending only."""

from collections.abc import Iterable, Sequence

import msgspec

from bench.stand import SHARDS
from bench.workload import Work
from exchange.errors import DeliveryTimeout
from exchange.kafka.clients import Cluster, idempotent_producer
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.records import SensorReport

_FLUSH_S = 120.0


class Sending(msgspec.Struct, frozen=True, gc=False):
    """One encoded record and its partition."""

    partition: int
    key: bytes
    value: bytes


def encoded(work: Work) -> list[Sending]:
    """The reports as sensors send them."""
    codec = Codec()
    return [sending(report, codec) for report in work.reports]


def sending(report: SensorReport, codec: Codec) -> Sending:
    """A report as its sensor sends it."""
    sensor = report["sensor"]
    return Sending(shard_of_sensor(sensor, SHARDS), sensor.encode(), codec.encode(SENSOR_REPORT, report))


class Publisher:
    """Sends in order, idempotently. To be made a while before a clock starts: a new client gets its producer id half
    a second later, and sends nothing before."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._producer = cluster, idempotent_producer(cluster)

    def publish(self, records: Iterable[Sending], topic: str = topics.SENSOR_REPORTS) -> None:
        """Send all of it; returns when all is acknowledged. Raises DeliveryTimeout."""
        for record in records:
            while True:
                try:
                    self._producer.produce(topic, record.value, record.key, record.partition)
                except BufferError:
                    self._producer.poll(0.05)
                else:
                    break
        unsent = self._producer.flush(_FLUSH_S)
        if unsent:
            raise DeliveryTimeout(f"{unsent} records not acknowledged by {self._cluster.bootstrap}")


def per_partition(records: Sequence[Sending]) -> dict[int, int]:
    """How many records each partition gets."""
    counts: dict[int, int] = {}
    for record in records:
        counts[record.partition] = counts.get(record.partition, 0) + 1
    return counts
