"""Records of the exchange's own operation: what was refused, and how far a shard has come."""

from typing import TypedDict


class Quarantined(TypedDict):
    """Something that was refused."""

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
    """Where to resume one input."""

    topic: str
    topic_id: str
    partition: int
    next_offset: int


class Progress(TypedDict):
    """How far one shard of one step has come."""

    step: str
    shard: int
    batch: int
    state_format: int
    shard_time_ms: int
    inputs: list[InputProgress]
