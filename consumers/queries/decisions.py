"""Finds the decisions on an indicator in a nation's audit."""

from collections.abc import Sequence
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.errors import Refused
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import DECISION, Undecodable
from schemas.identity import indicator_id, indicator_key, key_of_id, shard_of_key
from schemas.normalise import Invalid, canonical, detect
from schemas.records import Decision


def ids_of(words: str) -> list[str]:
    """The ids that a person may mean: an id, or a value of the type that it looks like.

    Raises Refused if it is neither.
    """
    if words.startswith("indicator--"):
        try:
            return [indicator_id(key_of_id(words))]
        except ValueError as error:
            raise Refused(f"{words} is no indicator's id: {error}") from error
    kind = detect(words)
    found = None if kind is None else canonical(kind, words)
    if found is None or isinstance(found, Invalid):
        raise Refused(
            f"{words} is neither an indicator's id nor a valid value whose type can be seen: give its id; an "
            "invalid value that was reported is in quarantine (`kakehashi quarantine list`)"
        )
    return [indicator_id(indicator_key(*found))]


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
