"""(a) The rival: a plain Faust application, one observation per record, the same stages, as a competent user writes it.

Two agents, as there are two steps: one takes an observation from its sensor's partition, checks and normalises it and
sends it on to its indicator's; the other merges it there.

It includes everything that helps a plain agent at no cost (see docs/performance.md): a raw topic decoded by fastavro
with a parsed schema, normalisation and decisions remembered, the row in a Faust Table on RocksDB with its changelog,
replays known by the offset kept in the row, sends not awaited for their acknowledgement, large lz4 batches with a
linger, no standby; the observation continues in the bytes that it came in.
"""

import logging
import sys
import time
from typing import Final

import faust
import msgspec
from faust.types import StreamT, TopicT

from bench.agent_options import AgentOptions
from bench.agent_stages import KEYED, SOURCE, FurtherSources, Stages
from bench.stand import PARTNER, SHARDS
from schemas import topics
from schemas.identity import indicator_id, indicator_key, shard_of_key
from streams.correlate.merge import merge as merge_row
from streams.correlate.row import Row

TABLE: Final = "indicators"


class Kept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The table's entry of an indicator: its row, and the offset of the last record in it."""

    row: Row
    offset: int


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Kept).decode


def application(bootstrap: str, name: str, roll_up_ms: int) -> faust.App:
    """The application. Everything is registered here, at import, as Faust wants it."""
    app = faust.App(
        name,
        broker=f"kafka://{bootstrap}",
        store="rocksdb://",
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="lz4",
        producer_linger=0.02,
        producer_max_batch_size=256 << 10,
        broker_max_poll_records=1000,
        stream_buffer_maxsize=100_000,
        stream_wait_empty=False,
    )
    keyed = app.topic(KEYED, key_type=bytes, value_type=bytes, internal=False)
    national_topic = app.topic(topics.NATIONAL, key_type=bytes, value_type=bytes)
    released_topic = app.topic(topics.released(PARTNER), key_type=bytes, value_type=bytes)
    audit_topic = app.topic(topics.AUDIT, key_type=bytes, value_type=bytes)
    table = app.Table(
        TABLE,
        key_type=bytes,
        value_type=bytes,
        partitions=SHARDS,
        options={"block_cache_size": 32 << 20, "write_buffer_size": 8 << 20, "bloom_filter_size": 10},
    )
    stages = Stages()
    _take(app, keyed, stages)
    pending: dict[bytes, tuple[int, int]] = {}
    further = FurtherSources()

    async def emit(key: bytes, row: Row, partition: int, now_ms: int) -> Row:
        after, outputs = stages.emit(key, row, partition, now_ms)
        name_of = indicator_id(key).encode()
        for topic, value in zip((national_topic, released_topic, audit_topic), outputs, strict=True):
            if value is not None:
                await topic.send(key=name_of, value=value, partition=partition)
        pending.pop(key, None)
        return after

    @app.agent(keyed, name="merge", concurrency=1)
    async def merge(stream: StreamT[bytes]) -> None:
        """Merge each observation into its indicator's row; write new versions for the nation and the partner."""
        async for event in stream.events():
            message = event.message
            now_ms = int(time.time() * 1000)
            key, partition = message.key, message.partition
            read = stages.read(message.value, round(message.timestamp * 1000))
            if isinstance(read, str):
                raise TypeError(f"{KEYED}-{partition}@{message.offset}: {read}")  # it was taken a moment ago
            kind, value, assertion = read
            found = table.get(key)
            kept = None if found is None else _DECODE(found)
            if kept is not None and kept.offset >= message.offset:
                continue  # a replay: it is in the row, and was sent before the row was written
            before = kept.row if kept is not None else Row(kind, value, stages.enricher.enrich(kind, value))
            merged = merge_row(before, key, (assertion,), further)
            further.update({node.key: node.value or b"" for node in merged.nodes})
            row = merged.row
            if kept is None or merged.is_news(before) or now_ms >= row.emitted_ms + roll_up_ms:
                row = await emit(key, row, partition, now_ms)
            else:
                pending[key] = (row.emitted_ms + roll_up_ms, partition)
            table[key] = _ENCODE(Kept(row, message.offset))

    @app.timer(interval=0.5)  # type: ignore[untyped-decorator]  # Faust does not type it
    async def roll_up() -> None:
        """Write roll-ups; a table cannot be written outside a stream, so the table does not record them."""
        now_ms = int(time.time() * 1000)
        for key, (due_ms, partition) in list(pending.items()):
            if due_ms <= now_ms:
                found = table.get(key)
                if found is not None:
                    await emit(key, _DECODE(found).row, partition, now_ms)

    return app


def _take(app: faust.App, keyed: TopicT, stages: Stages) -> None:
    """Register the first agent."""
    source = app.topic(SOURCE, key_type=bytes, value_type=bytes, internal=False)
    quarantine_topic = app.topic(topics.QUARANTINE, key_type=bytes, value_type=bytes)

    @app.agent(source, name="take", concurrency=1)
    async def take(stream: StreamT[bytes]) -> None:
        """Check and normalise each observation, and send it on to its indicator's partition."""
        app.producer.buffer.max_messages = 10_000
        async for event in stream.events():
            message = event.message
            read = stages.read(message.value, round(message.timestamp * 1000))
            if isinstance(read, str):
                await quarantine_topic.send(key=message.key, value=message.value, partition=message.partition)
                continue
            key = indicator_key(read[0], read[1])
            partition = shard_of_key(key, SHARDS)
            await keyed.send(key=key, value=message.value, partition=partition, timestamp=message.timestamp)


def main() -> None:
    """Run a worker until stopped."""
    options = AgentOptions.parsed("The benchmark's plain Faust agent.")
    sys.argv = sys.argv[:1]  # Faust reads it, too
    app = application(options.bootstrap, options.name, options.roll_up_ms)
    app.conf.datadir = options.folder
    logging.basicConfig(level=logging.WARNING)
    faust.Worker(app, override_logging=False, quiet=True, redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
