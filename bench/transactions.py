"""How many transactions the steps of both nations commit: most of what a report costs at a trickle."""

from typing import Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not exported to type checkers by the package

from bench.stand import Stand
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster

_PROGRESS: Final = ".progress.v1"
_EACH: Final = 2  # offsets of a transaction in its shard's partition of progress: its record, and its marker


def committed(stand: Stand) -> int:
    """Of all steps on both clusters, so far."""
    return sum(map(_committed, (stand.home, stand.partner)))


def _committed(cluster: Cluster) -> int:
    admin = AdminClient(cluster.client())
    places = {
        TopicPartition(topic, partition): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for topic, about in admin.list_topics(timeout=CALL_TIMEOUT_S).topics.items()
        if topic.endswith(_PROGRESS)
        for partition in about.partitions
    }
    found = admin.list_offsets(places, request_timeout=CALL_TIMEOUT_S)
    return sum(int(future.result().offset) for future in found.values()) // _EACH
