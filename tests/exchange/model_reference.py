"""What a counting shard must have written: the sequential, obvious version, which replays what was committed."""

from collections import Counter
from dataclasses import dataclass, field

from exchange.protocol.record import Input, Position
from tests.exchange.model_kafka import Entry, ModelKafka, Transaction
from tests.exchange.model_parts import CHANGELOG, HOME, INPUTS, OUT, PROGRESS, TICKS, URGENT, Table
from tests.exchange.model_step import BATCH, decode_progress, decode_row


@dataclass
class Batch:
    """What one batch must come to. A row is (value, due time), or None if it is dropped."""

    out: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    ticks: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    home: set[bytes] = field(default_factory=set)
    rows: dict[bytes, tuple[bytes, int] | None] = field(default_factory=dict)


class Reference:
    """Takes in each committed batch once, in order, and raises AssertionError where a law was broken."""

    def __init__(self) -> None:
        self.position = Position()
        self.history: list[Table] = [{}]
        self.rows_ever: set[tuple[bytes, bytes, int]] = set()
        self.outputs: Counter[bytes] = Counter()

    def take_in(self, kafka: ModelKafka, transaction: Transaction) -> None:
        """One more committed transaction of the shard."""
        written = kafka.written_in(transaction)
        [progress] = written[PROGRESS]
        position, _ = decode_progress(progress.value or b"")
        before = self.position
        assert position.batch == before.batch + 1, "batches are numbered without gaps (laws 1, 5)"
        assert position.shard_time_ms >= before.shard_time_ms, "shard time never goes back (law 7)"
        for source in INPUTS:
            assert position.next_offsets.get(source, 0) >= before.next_offsets.get(source, 0)
        table = dict(self.history[-1])
        # What goes ahead of a batch that waits leaves to that batch what is due.
        moved = {source for source in INPUTS if position.next_offsets.get(source) != before.next_offsets.get(source)}
        is_ahead = moved == {URGENT} and not written.get(TICKS)
        expected = _compute(kafka, before, position, table, is_ahead=is_ahead)
        assert Counter((e.key or b"", e.value or b"") for e in written.get(OUT, [])) == expected.out, "laws 2, 4"
        assert Counter((e.key or b"", e.value or b"") for e in written.get(TICKS, [])) == expected.ticks, "law 7"
        rows, numbers = _rows(written[CHANGELOG])
        assert rows == expected.rows
        assert numbers == [position.batch], "the changelog repeats the batch's number (law 6)"
        at_home = {entry.key for entry in kafka.committed(HOME, 0)}
        assert expected.home <= at_home, "law 9"
        self.outputs.update(value.split(b"=")[0] for _, value in expected.out.elements())
        self.history.append(table)
        self.rows_ever |= {(key, row[0], row[1]) for key, row in table.items()}
        self.position = position


def _rows(entries: list[Entry]) -> tuple[dict[bytes, tuple[bytes, int] | None], list[int]]:
    """The rows of one batch in the changelog, and its number."""
    rows: dict[bytes, tuple[bytes, int] | None] = {}
    numbers = []
    for entry in entries:
        if entry.key == BATCH:
            numbers.append(int(entry.value or b"0"))
            continue
        row = decode_row(entry.key or b"", entry.value)
        rows[row.key] = None if row.value is None else (row.value, row.due_ms)
    return rows, numbers


def _compute(
    kafka: ModelKafka, before: Position, after: Position, table: dict[bytes, tuple[bytes, int]], *, is_ahead: bool
) -> Batch:
    """The effects of the inputs between two positions, and of what was due; ``table`` is brought up to date."""
    batch, now_ms = Batch(), after.shard_time_ms
    for key, (count, due_ms) in list(table.items()):
        if 0 < due_ms <= now_ms and not is_ahead:
            batch.ticks[key, count + b"@%d" % now_ms] += 1
            batch.rows[key] = table[key] = (count, 0)
    for source in INPUTS:
        start, end = before.next_offsets.get(source, 0), after.next_offsets.get(source, 0)
        for entry in kafka.committed(source, start):
            if entry.offset < end:
                _count(batch, source, entry, table, now_ms)
    return batch


def _count(batch: Batch, source: Input, entry: Entry, table: dict[bytes, tuple[bytes, int]], now_ms: int) -> None:
    key, value = entry.key or b"", entry.value or b""
    place = b"%d.%d" % (source.partition, entry.offset)
    if value == b"!":
        batch.home.add(place)
    elif value == b"-":
        table.pop(key, None)
        batch.rows[key] = None
        batch.out[key, place + b"=0"] += 1
    else:
        count = int(table[key][0]) + 1 if key in table else 1
        batch.rows[key] = table[key] = (b"%d" % count, now_ms + int(value))
        batch.out[key, place + b"=%d" % count] += 1
