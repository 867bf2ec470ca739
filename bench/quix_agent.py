"""The rival of today: Quix Streams with its exactly-once guarantee, one observation a record, the same stages.

Written as its documentation shows it, with what helps at no cost: bytes instead of JSON, a commit once a second, large
lz4 batches. One dataframe checks and normalises an observation and sends it on to its indicator's partition; the other
one merges it into the row, in its state, and routes what is new to its topics. It runs in an environment of its own.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from quixstreams import Application, message_context  # type: ignore[import-not-found]  # not installed here
from quixstreams.models.serializers import Serializer  # type: ignore[import-not-found]  # the same

from bench.agent_options import AgentOptions
from bench.agent_stages import KEYED, SOURCE, FurtherSources, Stages
from bench.stand import PARTNER
from schemas import topics
from schemas.identity import indicator_id, indicator_key
from streams.correlate.merge import merge as merge_row
from streams.correlate.row import Row

TICK: Final = b"tick"
COMMIT_S: Final = 1.0
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(Row).decode
_ROW: Final = "row"
_BYTES: Final = dict.fromkeys(("key_deserializer", "value_deserializer", "key_serializer"), "bytes")

Routed = tuple[str, bytes, bytes]
"""The topic, key and value of a record that is to be written."""


class ValueOf(Serializer):  # type: ignore[misc]  # its base is not installed here
    """The value of a routed record."""

    def __call__(self, value: Routed, *_: Any, **__: Any) -> bytes:
        """Its bytes."""
        return value[2]


class Agent:
    """The functions that both dataframes call."""

    def __init__(self, roll_up_ms: int) -> None:
        self._stages, self._further, self._roll_up_ms = Stages(), FurtherSources(), roll_up_ms
        self._pending: dict[int, dict[bytes, tuple[int, Row]]] = defaultdict(dict)

    def take(self, value: bytes, key: bytes, timestamp_ms: int, _headers: Any) -> list[Routed]:
        """An observation on its way to its indicator's partition, or to the quarantine."""
        read = self._stages.read(value, timestamp_ms)
        if isinstance(read, str):
            return [(topics.QUARANTINE, key, value)]
        return [(KEYED, indicator_key(read[0], read[1]), value)]

    def merge(self, value: bytes, key: bytes, timestamp_ms: int, _headers: Any, state: Any) -> list[Routed]:
        """The new versions that follow from an observation; at a tick, those of the roll-ups that are due."""
        partition, now_ms = message_context().partition, int(time.time() * 1000)
        if key == TICK:
            return list(self._due(partition, now_ms))
        read = self._stages.read(value, timestamp_ms)
        if isinstance(read, str):
            raise TypeError(f"{KEYED}-{partition}: {read}")  # it was taken a moment ago
        kind, name, assertion = read
        found = state.get_bytes(_ROW)
        before = Row(kind, name, self._stages.enricher.enrich(kind, name)) if found is None else _DECODE(found)
        merged = merge_row(before, key, (assertion,), self._further)
        self._further.update({node.key: node.value or b"" for node in merged.nodes})
        row, written = merged.row, list[Routed]()
        if found is None or merged.is_news(before) or now_ms >= row.emitted_ms + self._roll_up_ms:
            row, written = self._emit(key, row, partition, now_ms)
        else:
            self._pending[partition][key] = row.emitted_ms + self._roll_up_ms, row
        state.set_bytes(_ROW, _ENCODE(row))
        return written

    def _due(self, partition: int, now_ms: int) -> Iterator[Routed]:
        """A tick has a key of its own, and state is by key: so the state does not record these."""
        for key, (due_ms, row) in list(self._pending[partition].items()):
            if due_ms <= now_ms:
                yield from self._emit(key, row, partition, now_ms)[1]

    def _emit(self, key: bytes, row: Row, partition: int, now_ms: int) -> tuple[Row, list[Routed]]:
        after, outputs = self._stages.emit(key, row, partition, now_ms)
        self._pending[partition].pop(key, None)
        name = indicator_id(key).encode()
        places = (topics.NATIONAL, topics.released(PARTNER), topics.AUDIT)
        return after, [(to, name, value) for to, value in zip(places, outputs, strict=True) if value is not None]


def main() -> None:
    """Run until stopped."""
    options = AgentOptions.parsed("The benchmark's agent on Quix Streams.")
    app = Application(
        broker_address=options.bootstrap,
        consumer_group=options.name,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_S,
        consumer_poll_timeout=0.1,
        state_dir=options.folder,
        producer_extra_config={"compression.type": "lz4", "linger.ms": 20, "batch.size": 256 << 10},
        loglevel="WARNING",
    )
    names = (SOURCE, KEYED, topics.QUARANTINE, topics.NATIONAL, topics.released(PARTNER), topics.AUDIT)
    known = {name: app.topic(name, value_serializer=ValueOf(), **_BYTES) for name in names}

    def target(routed: Routed, _key: Any, _timestamp: int, _headers: Any) -> Any:
        return known[routed[0]]

    def key_of(routed: Routed) -> bytes:
        return routed[1]

    agent = Agent(options.roll_up_ms)
    app.dataframe(known[SOURCE]).apply(agent.take, expand=True, metadata=True).to_topic(target, key=key_of)
    merging = app.dataframe(known[KEYED]).apply(agent.merge, expand=True, metadata=True, stateful=True)
    merging.to_topic(target, key=key_of)
    app.run()


if __name__ == "__main__":
    main()
