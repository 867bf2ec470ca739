"""Finds the decisions on an indicator in a nation's audit."""

from collections.abc import Sequence
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import DECISION, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Decision


def decisions_on(cluster: Cluster, ids: Sequence[str], shards: int) -> list[Decision]:
    """Every decision on these indicators, in the order in which they were made."""
    codec = cluster.codec()
    found: list[Decision] = []
    with TopicReader(cluster, topics.AUDIT) as reader:
        for name in ids:
            for record in reader.records(shard_of_key(key_of_id(name), shards)):
                if record.key == name.encode():
                    decision = codec.decode(DECISION, record.value)
                    if not isinstance(decision, Undecodable):
                        found.append(cast("Decision", decision))
    return found
