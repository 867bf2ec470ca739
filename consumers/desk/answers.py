"""Answers a partner on one of its indicators: a receipt, which its next bridge carries home (ADR 60)."""

from typing import Literal

from exchange.kafka.clients import Cluster
from exchange.protocol.home import HomeWriter
from exchange.protocol.record import Output
from schemas import topics
from schemas.codec import RECEIPT
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Receipt, ReleasedIndicator
from schemas.vocabulary import DisputeReason, SearchResult


def dispute(
    cluster: Cluster, origin: str, held: ReleasedIndicator, reason: DisputeReason, *, shards: int, now_ms: int
) -> None:
    """Answer that it is wrong. Raises DeliveryTimeout if the receipt was not acknowledged."""
    _answer(cluster, origin, held, "disputed", reason, shards=shards, now_ms=now_ms)


def not_seen(cluster: Cluster, origin: str, held: ReleasedIndicator, *, shards: int, now_ms: int) -> None:
    """Answer that it was searched for and not seen. Raises as ``dispute``."""
    _answer(cluster, origin, held, "received", SearchResult.NOT_SEEN, shards=shards, now_ms=now_ms)


def _answer(
    cluster: Cluster,
    origin: str,
    held: ReleasedIndicator,
    code: Literal["disputed", "received"],
    reason: str,
    *,
    shards: int,
    now_ms: int,
) -> None:
    """Write the receipt for the version that is held."""
    receipt = Receipt(
        indicator_id=held["id"],
        version=held["version"],
        code=code,
        reason=str(reason),
        nation=cluster.nation,
        at_ms=now_ms,
    )
    shard = shard_of_key(key_of_id(held["id"]), shards)
    value = cluster.codec().encode(RECEIPT, receipt)
    HomeWriter(cluster).write([Output(topics.receipts(origin), shard, held["id"].encode(), value)])
