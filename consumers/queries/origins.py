"""Finds what a nation has accepted of an indicator from each of its partners, ends and recalls included."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from consumers.subscription.subscription import latest
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.records import ReleasedIndicator


@dataclass(frozen=True, slots=True)
class Accepted:
    """The latest record of an indicator from one partner, and when it was accepted."""

    origin: str
    record: ReleasedIndicator
    accepted_ms: int


def accepted_from(cluster: Cluster, partners: Sequence[str], ids: Sequence[str], shards: int) -> Iterator[Accepted]:
    """The latest record of these indicators from each partner that has sent one.

    Raises NotFound if a topic is missing, BrokerUnavailable if no broker answers.
    """
    codec = cluster.codec()
    for origin in partners:
        with TopicReader(cluster, topics.accepted(origin)) as reader:
            for name in ids:
                records = reader.records(shard_of_key(key_of_id(name), shards))
                for record in latest(each for each in records if each.key == name.encode()):
                    found = codec.decode(RELEASED_INDICATOR, record.value)
                    if not isinstance(found, Undecodable):
                        yield Accepted(origin, cast("ReleasedIndicator", found), record.timestamp_ms)
