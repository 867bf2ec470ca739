"""How many due rows a batch takes: few beside records, and none of them waits for long."""

from typing import Final

import pytest

from exchange.protocol import due, turns
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Shard
from exchange.protocol.state import RocksState
from exchange.protocol.step import Batch, Step
from tests.exchange.model_gate import Fate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import INPUTS, Disk, ModelFeed, ModelLog, ModelState

_FEED: Final = 3 * due.LATE  # rows of a feed that was loaded at once, and is rolled up at once
_DUE_MS: Final = 10_000


class RolledUp(Step[None]):
    """Notes what its batches have, and makes no row due again."""

    name = "step"

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002
        self.seen.append((len(batch.records), len(batch.due)))
        return Effects(rows=[RowChange(key, b"rolled up") for key in batch.due])


class Busy(ModelFeed):
    """Has records whenever it is asked, or never; notes how long it might have waited for them."""

    has_records = True
    waits: tuple[float, ...] = ()

    def poll(self, timeout_s: float) -> list[Record]:
        self.waits += (timeout_s,)
        source = INPUTS[0]
        count = turns.SMALL_ITEMS + 1 if self.has_records else 0
        return [Record(source.topic, source.partition, number, b"k", b"v", 0) for number in range(count)]


class Asked(ModelState):
    """Notes how many rows it was asked for."""

    limits: list[int]

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        self.limits = [*getattr(self, "limits", []), limit]
        return super().due(now_ms, limit)


class Scene:
    """A shard whose rows are due, at a time that the test sets."""

    def __init__(self) -> None:
        kafka, disk = ModelKafka(), Disk()
        self.now_ms, self.step = _DUE_MS, RolledUp()
        self.feed, log = Busy(kafka, lambda _: Fate.FINE), ModelLog(kafka, lambda _: Fate.FINE)
        self.state = Asked(log.changelog_id, disk, lambda _: Fate.FINE, lambda _batch, _rows: None)
        self.shard = Shard(self.step, log, self.feed, lambda: self.state, lambda: self.now_ms)
        self.shard.take()
        disk.rows |= {b"%d" % number: (b"row", _DUE_MS) for number in range(_FEED)}


def test_beside_records_a_batch_takes_few_due_rows_and_alone_not_so_many_that_a_record_waits() -> None:
    scene = Scene()
    scene.shard.turn(0)
    scene.feed.has_records = False
    scene.shard.turn(0)
    assert scene.step.seen == [(turns.SMALL_ITEMS + 1, due.BESIDE), (0, due.ALONE)]


def test_rows_that_have_let_records_go_first_for_long_go_with_them() -> None:
    scene = Scene()
    scene.now_ms += round(due.PATIENCE_S * 1000) + 1
    for _ in range(_FEED // due.LATE):
        scene.shard.turn(0)
    assert scene.step.seen == [(turns.SMALL_ITEMS + 1, due.LATE)] * (_FEED // due.LATE)


def test_a_batch_that_looks_in_vain_for_its_turn_does_not_read_all_that_is_due_each_time() -> None:
    scene = Scene()
    scene.feed.looks_ahead = True
    with turns.COMPUTING:
        for _ in range(3):
            assert scene.shard.turn(0) is None
    assert scene.state.limits == [due.ENOUGH] * 3
    scene.shard.turn(0)
    assert scene.step.seen == [(turns.SMALL_ITEMS + 1, due.BESIDE)]


def test_a_shard_waits_for_no_record_while_due_rows_are_left() -> None:
    scene = Scene()
    scene.feed.has_records = False
    turns_s = [1.0] * (_FEED // due.ALONE + 3)
    done = [scene.shard.turn(timeout_s) for timeout_s in turns_s]
    batches = -(-_FEED // due.ALONE)
    assert [turned is not None for turned in done] == [True] * batches + [False] * (len(turns_s) - batches)
    assert scene.feed.waits == (1.0, *[0] * (batches - 1), *[1.0] * (len(turns_s) - batches))


def test_a_shard_whose_due_rows_have_looked_in_vain_for_their_turn_looks_again_at_once() -> None:
    scene = Scene()
    scene.feed.looks_ahead, scene.feed.has_records = True, False
    with turns.COMPUTING:
        assert [scene.shard.turn(1.0), scene.shard.turn(1.0)] == [None, None]
    assert scene.shard.turn(1.0) is not None
    assert scene.feed.waits == (1.0, 0, 0)


def test_a_search_begins_at_the_first_row_that_was_due_last_time(state: RocksState) -> None:
    state.apply([RowChange(b"first", b"v", _DUE_MS)], 1, 1)
    assert state.due(_DUE_MS, 10) == [b"first"]
    assert state.due_from_ms == _DUE_MS
    state.due_from_ms = _DUE_MS + 1
    assert state.due(_DUE_MS + 1, 10) == [], "what is before it is not looked at"
    state.apply([RowChange(b"sooner", b"v", 5)], 2, 2)
    assert state.due(_DUE_MS, 10) == [b"sooner", b"first"], "a row that is due before it leads the search back"


@pytest.mark.parametrize("count", [1, 15, 16, 17, 40])
def test_few_rows_are_read_one_by_one_and_many_in_a_list_with_the_same_result(state: RocksState, count: int) -> None:
    keys = [b"%02d" % number for number in range(count)]
    state.apply([RowChange(key, b"v" + key) for key in keys[1:]], 1, 1)
    assert state.get_many([*keys, *keys[:1]]) == [None, *(b"v" + key for key in keys[1:]), None]


def test_what_was_due_and_was_done_is_not_passed_again_on_the_way_to_what_is(state: RocksState) -> None:
    rows = [b"%05d" % number for number in range(_FEED)]
    state.apply([RowChange(key, b"v", _DUE_MS + number) for number, key in enumerate(rows)], 1, 1)
    for start in range(0, _FEED, due.ALONE):
        some = state.due(_DUE_MS + _FEED, due.ALONE)
        assert some == rows[start : start + due.ALONE]
        assert state.due_from_ms == _DUE_MS + start, "from here the next search begins"
        state.apply([RowChange(key, b"v") for key in some], 2, 2)
    assert state.due(_DUE_MS + _FEED, due.ALONE) == []
