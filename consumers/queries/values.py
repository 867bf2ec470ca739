"""The values of indicators that a nation has reported, by their ids: decisions have ids only."""

from collections.abc import Collection
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import INDICATOR, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.normalise import Invalid, canonical, detect
from schemas.records import Indicator


def values_of(cluster: Cluster, ids: Collection[str], shards: int) -> dict[str, str]:
    """The value of each of these ids that the national records still have.

    Raises NotFound if their topic is missing, BrokerUnavailable if no broker answers.
    """
    wanted, codec = {name.encode() for name in ids}, cluster.codec(INDICATOR)
    found: dict[str, str] = {}
    if not wanted:
        return found
    with TopicReader(cluster, topics.NATIONAL) as reader:
        for shard in sorted({shard_of_key(key_of_id(name), shards) for name in ids}):
            for record in reader.records(shard):
                if record.key in wanted and record.value is not None:
                    decoded = codec.decode(INDICATOR, record.value)
                    if not isinstance(decoded, Undecodable):
                        indicator = cast("Indicator", decoded)
                        found[record.key.decode()] = indicator["value"]
    return found


def canonical_value(text: str) -> str:
    """The canonical spelling of what a person wrote, defanged or not; the text itself if its type cannot be seen."""
    kind = detect(text)
    found = None if kind is None else canonical(kind, text)
    return text if found is None or isinstance(found, Invalid) else found[1]
