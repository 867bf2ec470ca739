"""Finds what a nation has accepted from a partner."""

from typing import cast

from consumers.queries.decisions import ids_of
from consumers.subscription.subscription import latest
from consumers.subscription.topic_reader import TopicReader
from exchange.errors import NotFound
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import ReleasedIndicator


def held(cluster: Cluster, origin: str, words: str, shards: int) -> ReleasedIndicator:
    """The partner's indicator of this id or value, with content.

    Raises NotFound if the partner has released none to us, or if it has ended.
    """
    codec = cluster.codec()
    with TopicReader(cluster, topics.accepted(origin)) as reader:
        for name in ids_of(words):
            standing = reader.records(shard_of_key(key_of_id(name), shards))
            for record in latest(each for each in standing if each.key == name.encode()):
                found = codec.decode(RELEASED_INDICATOR, record.value)
                if not isinstance(found, Undecodable) and found["content"] is not None:
                    return cast("ReleasedIndicator", found)
    raise NotFound(
        f"{cluster.nation} holds no such indicator of {origin}: what it has seen otherwise goes by `kakehashi produce`"
    )
