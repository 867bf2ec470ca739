"""Records of the exchange's own operation: refusals, and a shard's position."""

from typing import TypedDict


class Quarantined(TypedDict):
    """A refused input."""

    key: str
    reason: str
    detail: str
    stage: str
    at_ms: int
    sensor: str
    topic: str
    partition: int
    offset: int
    index: int
    place: str
    content_type: str
    original: bytes | None
    excerpt: str
    size: int
    digest: bytes


class InputProgress(TypedDict):
    """The position at which to resume one input."""

    topic: str
    topic_id: str
    partition: int
    next_offset: int


class Progress(TypedDict):
    """The committed position of one shard of one step."""

    step: str
    shard: int
    batch: int
    state_format: int
    shard_time_ms: int
    inputs: list[InputProgress]


class RefusedRecord(TypedDict):
    """A record of ``policy.v1`` that a process does not obey."""

    record_id: str
    detail: str


class PolicyReading(TypedDict):
    """What the process that works on a shard has read of ``policy.v1``."""

    role: str
    partner: str
    shard: int
    process: str
    next_offset: int
    refused: list[RefusedRecord]
    at_ms: int


class SensorQuality(TypedDict):
    """What became of one sensor's reports; all numbers but times are sums of weights, in millionths."""

    nation: str
    sensor: str
    at_ms: int
    half_life_ms: int
    indicators: int
    first: int
    revoked: int
    corroborated: dict[str, int]
    disputed: dict[str, int]
    refused: dict[str, int]
