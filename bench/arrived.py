"""Reads a topic after the last write, and checks that its records are those that were sent."""

from collections.abc import Iterator, Sequence

from confluent_kafka import Message

from bench.stand import SHARDS
from exchange.kafka.clients import Cluster, end_offset
from exchange.kafka.committed import committed
from schemas import topics


def standing(cluster: Cluster, topic: str) -> Iterator[Message]:
    """All committed records, partition by partition."""
    for shard in range(SHARDS):
        yield from committed(cluster, topic, shard)


def why_void(arrived: Cluster, topic: str, sent: int, refusing: Sequence[Cluster]) -> str:
    """Why figures do not count: each record, all of different keys, must have arrived, and once; none was refused."""
    keys = [message.key() or b"" for message in standing(arrived, topic)]
    refused = sum(end_offset(cluster, topics.QUARANTINE, shard) for cluster in refusing for shard in range(SHARDS))
    if refused or len(keys) != sent or len(set(keys)) != sent:
        return f"{sent} records were sent, {len(keys)} of {len(set(keys))} keys arrived, {refused} were refused"
    return ""
