"""The step that the tests of the commit protocol run: it counts; and how its rows and positions are written."""

from collections.abc import Mapping
from typing import Final

import msgspec

from exchange.protocol.effects import Effects
from exchange.protocol.record import Input, Output, Position, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step

BATCH: Final = b"\x00batch"


class CountingStep(Step[None]):
    """Counts the records of each key. A record's value states what becomes of it.

    ``+n`` counts it, and wants to be looked at n ms later; ``-`` drops the row; ``!`` is refused, at home. Each input
    has exactly one output; each look at a due row has one in ``ticks``.
    """

    name = "step"
    topics: Mapping[str, str] = {"out": "out", "ticks": "ticks"}

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        keys = list(dict.fromkeys([*batch.due, *(record.key or b"" for record in batch.records)]))
        found = dict(zip(keys, rows.get_many(keys), strict=True))
        counts = {key: int(row or b"0") for key, row in found.items()}
        changed: dict[bytes, RowChange] = {}
        outputs, home = [], []
        for key in batch.due:
            outputs.append(Output(self.topics["ticks"], 0, key, b"%d@%d" % (counts[key], now_ms)))
            changed[key] = RowChange(key, b"%d" % counts[key])
        for record in batch.records:
            key, value = record.key or b"", record.value or b""
            place = b"%d.%d" % (record.partition, record.offset)
            if value == b"!":
                home.append(Output("home", 0, place, b"%d" % now_ms))
                continue
            counts[key] = 0 if value == b"-" else counts[key] + 1
            row = None if value == b"-" else b"%d" % counts[key]
            changed[key] = RowChange(key, row, 0 if row is None else now_ms + int(value))
            outputs.append(Output(self.topics["out"], 0, key, place + b"=%d" % counts[key]))
        return Effects(outputs, home, list(changed.values()))


def encode_row(row: RowChange) -> bytes | None:
    """A row as the changelog has it."""
    return None if row.value is None else b"%d:" % row.due_ms + row.value


def decode_row(key: bytes, value: bytes | None) -> RowChange:
    """The reverse of ``encode_row``."""
    if value is None:
        return RowChange(key, None)
    due_ms, row = value.split(b":", 1)
    return RowChange(key, row, int(due_ms))


def encode_progress(position: Position, changelog_id: int) -> bytes:
    """A position as the progress topic has it."""
    offsets = [(source.topic, source.partition, offset) for source, offset in position.next_offsets.items()]
    return msgspec.json.encode((position.batch, position.shard_time_ms, offsets, changelog_id))


def decode_progress(value: bytes) -> tuple[Position, int]:
    """The reverse of ``encode_progress``."""
    batch, time_ms, offsets, changelog_id = msgspec.json.decode(
        value, type=tuple[int, int, list[tuple[str, int, int]], int]
    )
    position = Position(batch, time_ms, {Input(topic, number): offset for topic, number, offset in offsets})
    return position, changelog_id
