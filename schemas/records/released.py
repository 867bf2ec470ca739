"""Records between two nations: releases, their receipts, and the digests that both sides compare."""

from typing import Literal, NotRequired, TypedDict


class Content(TypedDict):
    """An indicator's content for the partner. ``tearline`` is there if it is not empty, and in v3."""

    type: str
    value: str
    tlp: str
    pap: str
    releasable_to: list[str]
    caveats: list[str]
    confidence: int
    labels: list[str]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    valid_until_ms: int
    release_expires_ms: int
    registered_domain: str
    asn: int
    country: str
    tearline: NotRequired[str]


class ReleasedIndicator(TypedDict):
    """A release to one partner."""

    id: str
    kind: Literal["content", "expired", "revoked", "recalled"]
    version: int
    recalled_through: int
    origin: str
    hops: list[str]
    reason: str
    content: Content | None


class Receipt(TypedDict):
    """The receiving nation's answer to a released version."""

    indicator_id: str
    version: int
    code: Literal["received", "refused", "applied", "recall_applied", "purged", "disputed", "unknown"]
    reason: str
    nation: str
    at_ms: int


class WindowDigest(TypedDict):
    """The digest of one window of versions, in one shard."""

    window_ms: int
    length_ms: int
    count: int
    sum: bytes
    at_ms: int
