"""Tells a partner that an indicator of its was searched for and not seen: a receipt, as a dispute is (ADR 60)."""

from exchange.kafka.clients import Cluster
from exchange.protocol.home import HomeWriter
from exchange.protocol.record import Output
from schemas import topics
from schemas.codec import RECEIPT
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Receipt, ReleasedIndicator
from schemas.vocabulary import SearchResult


def not_seen(cluster: Cluster, origin: str, held: ReleasedIndicator, *, shards: int, now_ms: int) -> None:
    """Write the receipt for the version that is held. Raises BrokerUnavailable if it was not acknowledged."""
    receipt = Receipt(
        indicator_id=held["id"],
        version=held["version"],
        code="received",
        reason=str(SearchResult.NOT_SEEN),
        nation=cluster.nation,
        at_ms=now_ms,
    )
    shard = shard_of_key(key_of_id(held["id"]), shards)
    value = cluster.codec().encode(RECEIPT, receipt)
    HomeWriter(cluster).write([Output(topics.receipts(origin), shard, held["id"].encode(), value)])
