"""Reads the scores of a nation's sensors from its topics: national records, disputes and quarantine."""

from collections.abc import Iterator, Sequence
from typing import cast

from consumers.quality.score import Scores
from consumers.queries.disputes import Disputes, topics_of_disputes
from consumers.queries.quarantine import entries
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Record
from schemas import topics
from schemas.canary import CANARY_KEY
from schemas.codec import INDICATOR, Undecodable
from schemas.records import Indicator


def read_scores(cluster: Cluster, partners: Sequence[str], now_ms: int, half_life_ms: int) -> Scores:
    """The scores at this time. Raises NotFound if a topic is missing, BrokerUnavailable if no broker answers."""
    scores, codec = Scores(now_ms, half_life_ms), cluster.codec()
    with (
        Disputes(cluster, topics_of_disputes(None, partners)) as disputes,
        TopicReader(cluster, topics.NATIONAL) as national,
        TopicReader(cluster, topics.QUARANTINE) as quarantine,
    ):
        disputes.read()
        for partition in national.partitions:
            for record in last_of_each(national, partition):
                found = codec.decode(INDICATOR, record.value)
                if not isinstance(found, Undecodable):
                    indicator = cast("Indicator", found)
                    reasons = [each["reason"] for each in disputes.of(indicator["id"])]
                    scores.add_indicator(indicator, record.timestamp_ms, min(reasons, default=""))
        for entry in entries(quarantine, codec):
            scores.add_refusal(entry)
    return scores


def last_of_each(reader: TopicReader, partition: int) -> Iterator[Record]:
    """The last record of each key of a partition, but the canary's, a test. It is read twice, so that no more than keys
    is kept in memory."""
    begin, end = reader.bounds(partition)
    last = {record.key: record.offset for record in reader.read(partition, begin, end)}
    last.pop(CANARY_KEY, None)
    for record in reader.read(partition, begin, end):
        if record.value is not None and last.get(record.key) == record.offset:
            yield record
