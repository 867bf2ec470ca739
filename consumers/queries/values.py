"""National records of indicators by their ids: decisions have neither value nor labels."""

from collections.abc import Collection
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import INDICATOR, Undecodable
from schemas.identity import key_of_id, shard_of_key
from schemas.normalise import Invalid, canonical, detect
from schemas.records import Indicator


def national_records(cluster: Cluster, ids: Collection[str], shards: int) -> dict[str, Indicator]:
    """The latest national record of each of these ids that has one.

    Raises NotFound if their topic is missing, BrokerUnavailable if no broker answers.
    """
    wanted, codec = {name.encode() for name in ids}, cluster.codec(INDICATOR)
    found: dict[str, Indicator] = {}
    if not wanted:
        return found
    with TopicReader(cluster, topics.NATIONAL) as reader:
        for shard in sorted({shard_of_key(key_of_id(name), shards) for name in ids}):
            for record in reader.records(shard):
                if record.key in wanted and record.value is not None:
                    decoded = codec.decode(INDICATOR, record.value)
                    if not isinstance(decoded, Undecodable):
                        found[record.key.decode()] = cast("Indicator", decoded)
    return found


def values_of(cluster: Cluster, ids: Collection[str], shards: int) -> dict[str, str]:
    """The value of each of these ids that the national records still have. Raises as ``national_records``."""
    return {name: record["value"] for name, record in national_records(cluster, ids, shards).items()}


def canonical_value(text: str) -> str:
    """The canonical spelling of what a person wrote, defanged or not; the text itself if its type is not recognised."""
    kind = detect(text)
    found = None if kind is None else canonical(kind, text)
    return text if found is None or isinstance(found, Invalid) else found[1]
