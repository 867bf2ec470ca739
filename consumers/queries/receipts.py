"""The receipts that a nation wrote for what a partner sent: what it did with each version, and what it disputes."""

from collections.abc import Sequence
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import RECEIPT, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Receipt


def receipts_for(cluster: Cluster, origin: str, ids: Sequence[str], shards: int) -> list[Receipt]:
    """Ours for these indicators of ``origin``, as long as their topic keeps them (30 days), the earliest first.

    Raises NotFound if the topic is missing, BrokerUnavailable if no broker answers.
    """
    codec, found = cluster.codec(), list[Receipt]()
    with TopicReader(cluster, topics.receipts(origin)) as reader:
        for name in ids:
            for record in reader.records(shard_of_key(key_of_id(name), shards)):
                if record.key == name.encode():
                    receipt = codec.decode(RECEIPT, record.value)
                    if not isinstance(receipt, Undecodable):
                        found.append(cast("Receipt", receipt))
    return found
