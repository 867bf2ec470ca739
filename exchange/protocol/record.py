"""One Kafka record as it was read, and one as it is to be written."""

from collections.abc import Mapping

import msgspec

Headers = tuple[tuple[str, bytes], ...]


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record at its offset. ``offset`` is its own; "next offset" always means the one to read next.

    ``timestamp_ms`` is the broker's append time on topics that are so configured, else the producer's.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: Headers = ()


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to be written. The partition is always explicit: clients' default partitioners differ."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers = ()


class RowChange(msgspec.Struct, frozen=True, gc=False):
    """A row of a step's state after a batch: ``value`` is None if the row is deleted.

    ``due_ms`` is the shard time at which the row wants to be looked at without other input; 0 never.
    """

    key: bytes
    value: bytes | None
    due_ms: int = 0


class Input(msgspec.Struct, frozen=True, gc=False, order=True):
    """One topic-partition that a shard reads."""

    topic: str
    partition: int


class Position(msgspec.Struct, frozen=True, gc=False):
    """The position of one shard of one step: the last committed batch, and where to resume each input."""

    batch: int = 0
    shard_time_ms: int = 0
    next_offsets: Mapping[Input, int] = {}
