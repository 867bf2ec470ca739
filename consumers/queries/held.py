"""Finds what a nation has accepted from a partner."""

from typing import cast

from consumers.queries.named import ids_of
from consumers.subscription.subscription import latest
from consumers.subscription.topic_reader import TopicReader
from exchange.errors import NotFound, Refused
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import ReleasedIndicator


def held(cluster: Cluster, origin: str, words: str, shards: int) -> ReleasedIndicator:
    """The partner's indicator of this id or value, with content.

    Raises NotFound if the partner has released none to us, or if it has ended; Refused if several types have the value.
    """
    codec = cluster.codec()
    found: list[ReleasedIndicator] = []
    with TopicReader(cluster, topics.accepted(origin)) as reader:
        for name in ids_of(words):
            standing = reader.records(shard_of_key(key_of_id(name), shards))
            for record in latest(each for each in standing if each.key == name.encode()):
                decoded = codec.decode(RELEASED_INDICATOR, record.value)
                if not isinstance(decoded, Undecodable) and decoded["content"] is not None:
                    found.append(cast("ReleasedIndicator", decoded))
    if len(found) > 1:
        names = ", ".join(each["id"] for each in found)
        raise Refused(f"{cluster.nation} holds several indicators of {origin} with this value; give the id: {names}")
    if found:
        return found[0]
    raise NotFound(
        f"{cluster.nation} holds no {words} of {origin}: it was never released to {cluster.nation}, or it has ended"
    )
