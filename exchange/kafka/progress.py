"""One partition of a step's progress topic: the position of a shard, as it is written and read back."""

from collections.abc import Iterable, Mapping
from typing import Final, cast

from exchange.errors import SchemaIncompatible
from exchange.kafka.clients import Cluster, begin_offset, end_offset
from exchange.kafka.committed import committed
from exchange.protocol.record import Input, Output, Position
from schemas import topics
from schemas.codec import PROGRESS, Codec, Undecodable
from schemas.records import InputProgress, Progress

_TAIL: Final = 64  # a position is written with each transaction: the last one is among the last few offsets


def last_progress(cluster: Cluster, step: str, shard: int, codec: Codec) -> Progress | None:
    """The last committed record of a shard, whatever it contains; None if there is none.

    Raises SchemaIncompatible if it cannot be read.
    """
    topic = topics.progress(step)
    begin, end = begin_offset(cluster, topic, shard), end_offset(cluster, topic, shard)
    found: Progress | None = None
    for start in dict.fromkeys((max(begin, end - _TAIL), begin)):
        for message in committed(cluster, topic, shard, start, end):
            record = codec.decode(PROGRESS, message.value())
            if isinstance(record, Undecodable):
                raise SchemaIncompatible(
                    f"{topic}-{shard} offset {message.offset()}: {record.detail}; "
                    "a newer Kakehashi may have written it: start that version"
                )
            found = cast(Progress, record)
        if found is not None:
            break
    return found


def progress_of(
    codec: Codec, step: str, shard: int, position: Position, state_format: int | None, ids: Mapping[str, str]
) -> Output:
    """The record of a position. ``ids`` are Kafka's ids of the topics that must not be recreated."""
    progress: Progress = {
        "step": step,
        "shard": shard,
        "batch": position.batch,
        "state_format": state_format or 0,
        "shard_time_ms": position.shard_time_ms,
        "inputs": [
            {
                "topic": source.topic,
                "topic_id": ids.get(source.topic, ""),
                "partition": source.partition,
                "next_offset": offset,
            }
            for source, offset in sorted(position.next_offsets.items())
        ],
    }
    return Output(topics.progress(step), shard, b"%d" % shard, codec.encode(PROGRESS, progress))


def position_of(progress: Progress, inputs: Iterable[InputProgress]) -> Position:
    """The position in a record, with these of its inputs."""
    return Position(
        progress["batch"],
        progress["shard_time_ms"],
        {Input(each["topic"], each["partition"]): each["next_offset"] for each in inputs},
    )


def rows_begin(progress: Progress | None, changelog: str) -> int:
    """The offset of a shard's changelog from which it has every row: 0, except after a rebuild of one that was cut."""
    inputs = () if progress is None else progress["inputs"]
    return next((source["next_offset"] for source in inputs if source["topic"] == changelog), 0)
