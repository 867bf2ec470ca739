"""A batch that waits for its turn to be computed holds up nothing that may go ahead, and is not passed over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import pytest

from exchange.protocol import preempt, turns
from exchange.protocol.effects import Effects
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Shard
from exchange.protocol.step import Batch, Step
from exchange.protocol.turns import PatientTurn, Turn
from tests.exchange.model_gate import Fate, Gate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import INPUTS, ModelLog

_REST, _, _URGENT = INPUTS
_MUCH: Final = 100


class Scene(Feed[None], Step[None]):
    """A shard without state over two lists of records. Its step notes what it gets."""

    name = "step"
    looks_ahead = True

    def __init__(self, turn: Turn | None = None) -> None:
        self.rest, self.urgent = list[list[Record]](), list[list[Record]]()
        self.arrived: list[list[Record]] = []
        self.computed: list[tuple[Input, int]] = []
        self.gate: Callable[[Gate], Fate] = lambda _: Fate.FINE
        log = ModelLog(ModelKafka(), self._pass)
        self.shard = Shard(self, log, self, None, lambda: 1_000, turn=turn)
        self.shard.take()

    def _pass(self, gate: Gate) -> Fate:
        return self.gate(gate)

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002
        first = batch.records[0]
        self.computed.append((Input(first.topic, first.partition), len(batch.records)))
        return Effects()

    def resume(self, next_offsets: Mapping[Input, int]) -> int:  # noqa: ARG002
        return 0

    def poll(self, timeout_s: float) -> Sequence[Record]:  # noqa: ARG002
        return _next(self.rest)

    def more(self) -> Sequence[Record]:
        return _next(self.arrived)

    def ahead(self) -> Sequence[Record]:
        return _next(self.urgent)

    def facts(self, records: Sequence[Record]) -> None: ...

    def lag(self) -> int:
        return sum(map(len, self.rest))

    def close(self) -> None: ...


def _next(batches: list[list[Record]]) -> Sequence[Record]:
    return batches.pop(0) if batches else ()


def _records(source: Input, count: int, first: int = 0) -> list[Record]:
    return [Record(source.topic, source.partition, first + number, b"k", b"v", 0) for number in range(count)]


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.shard.close()


def test_what_goes_ahead_is_committed_while_a_batch_waits_for_its_turn(scene: Scene) -> None:
    scene.rest, scene.urgent = [_records(_REST, _MUCH), _records(_REST, _MUCH, _MUCH)], [_records(_URGENT, 1)]
    with turns.COMPUTING:
        turned = scene.shard.turn(1.0)
        assert turned is not None
        assert turned.records == 1
        assert scene.shard.position.next_offsets == {_URGENT: 1}, "what waits is not passed over"
        assert scene.shard.turn(1.0) is None
        assert scene.shard.lag() == 2 * _MUCH, "the next batch is not taken before the one that waits"
    turned = scene.shard.turn(1.0)
    assert turned is not None
    assert turned.batch_s > 2 * turns.LOOK_S, "it was read before it waited"
    scene.shard.turn(1.0)
    assert scene.computed == [(_URGENT, 1), (_REST, _MUCH), (_REST, _MUCH)]
    assert scene.shard.position.next_offsets == {_URGENT: 1, _REST: 2 * _MUCH}


def test_what_arrives_while_a_batch_waits_for_its_turn_is_computed_with_it(scene: Scene) -> None:
    scene.rest = [_records(_REST, _MUCH)]
    with turns.COMPUTING:
        assert scene.shard.turn(1.0) is None
        scene.arrived = [_records(_REST, 2, _MUCH)]
    turned = scene.shard.turn(1.0)
    assert turned is not None
    assert turned.records == _MUCH + 2
    assert scene.computed == [(_REST, _MUCH + 2)]
    assert scene.shard.position.next_offsets == {_REST: _MUCH + 2}


def test_a_small_batch_waits_for_no_one_and_for_no_more(scene: Scene) -> None:
    scene.rest, scene.arrived = [_records(_REST, 1)], [_records(_REST, 1, 1)]
    scene.shard.turn(1.0)
    assert scene.computed == [(_REST, 1)]


def test_a_shard_that_no_one_waits_for_keeps_what_it_has_read_while_another_computes() -> None:
    scene = Scene(PatientTurn())
    scene.looks_ahead = False
    scene.rest = [_records(_REST, _MUCH)]
    with turns.COMPUTING:
        assert scene.shard.turn(1.0) is None
        assert scene.shard.turn(1.0) is None
        assert scene.shard.lag() == _MUCH
    turned = scene.shard.turn(1.0)
    assert turned is not None
    assert scene.computed == [(_REST, _MUCH)]
    assert scene.shard.position.next_offsets == {_REST: _MUCH}
    scene.shard.close()


def test_whose_turn_comes_at_once_looks_for_nothing_else(scene: Scene) -> None:
    scene.rest, scene.urgent = [_records(_REST, _MUCH)], [_records(_URGENT, 1)]
    scene.shard.turn(1.0)
    assert scene.computed == [(_REST, _MUCH)]
    assert scene.urgent


def test_others_work_as_soon_as_only_the_broker_is_waited_for(scene: Scene) -> None:
    held: list[tuple[Gate, bool]] = []

    def look(gate: Gate) -> Fate:
        held.append((gate, turns.COMPUTING.locked()))
        return Fate.FINE

    scene.gate = look
    scene.rest = [_records(_REST, _MUCH)]
    scene.shard.turn(1.0)
    assert {is_held for gate, is_held in held if gate is Gate.APPEND} == {True}
    assert [is_held for gate, is_held in held if gate is Gate.END] == [False]


@pytest.mark.parametrize("place", [Gate.APPEND, Gate.END])
def test_whatever_ends_a_turn_lets_others_work(scene: Scene, place: Gate) -> None:
    def stumble(gate: Gate) -> Fate:
        if gate is place:
            raise RuntimeError("a defect")
        return Fate.FINE

    scene.gate, scene.rest = stumble, [_records(_REST, _MUCH)]
    with pytest.raises(RuntimeError):
        scene.shard.turn(1.0)
    assert not turns.COMPUTING.locked()


class Reading(Scene):
    """Its step reads a row for each record; what is urgent arrives at a read."""

    def __init__(self) -> None:
        super().__init__()
        self.arrives_at: list[int] = []  # reads, counted from the start
        self._reads = 0
        self.in_vain = 0

    def ahead(self) -> Sequence[Record]:
        return super().ahead() if self._reads in self.arrives_at else ()

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        self.in_vain += 1
        for record in batch.records:
            self._reads += 1
            rows.get_many([record.key or b""])
        self.in_vain -= 1
        return super().compute(batch, rows, now_ms)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    monkeypatch.setattr(preempt, "EVERY_S", 0.0)
    made = Reading()
    yield made
    made.shard.close()


def test_what_arrives_while_a_batch_is_computed_preempts_it_and_the_next_batch_is_half_as_large(
    reading: Reading,
) -> None:
    reading.rest, reading.urgent, reading.arrives_at = [_records(_REST, _MUCH)], [_records(_URGENT, 1)], [10]
    turned = reading.shard.turn(1.0)
    assert turned is not None
    assert reading.shard.position.next_offsets == {_URGENT: 1}, "nothing of the batch that was given up is committed"
    assert reading.in_vain == 1
    assert reading.shard.lag() == _MUCH
    assert not turns.COMPUTING.locked()
    for expected in (_MUCH // 2, _MUCH):
        reading.shard.turn(1.0)
        assert reading.shard.position.next_offsets == {_URGENT: 1, _REST: expected}
    assert reading.computed == [(_URGENT, 1), (_REST, _MUCH // 2), (_REST, _MUCH // 2)]


def test_the_rest_of_a_batch_that_was_divided_comes_before_what_arrives(reading: Reading) -> None:
    reading.rest, reading.urgent, reading.arrives_at = [_records(_REST, 4 * _MUCH)], [_records(_URGENT, 1)], [10]
    reading.shard.turn(1.0)
    reading.arrived = [_records(_REST, 1, 4 * _MUCH)]
    for expected in (2 * _MUCH, 4 * _MUCH + 1):
        reading.shard.turn(1.0)
        assert reading.shard.position.next_offsets[_REST] == expected


def test_batches_grow_again_once_nothing_urgent_comes(reading: Reading) -> None:
    reading.rest = [_records(_REST, _MUCH), _records(_REST, _MUCH, _MUCH)]
    reading.urgent, reading.arrives_at = [_records(_URGENT, 1, number) for number in range(2)], [10, 21]
    for _ in range(6):
        reading.shard.turn(1.0)
    sizes = [count for source, count in reading.computed if source == _REST]
    assert sizes == [25, 50, 25, 100]


def test_urgent_records_without_end_do_not_stop_the_work(reading: Reading) -> None:
    reading.rest, reading.urgent = [_records(_REST, 4)], [_records(_URGENT, 1, number) for number in range(100)]
    reading.arrives_at = list(range(1_000))
    for _ in range(12):
        reading.shard.turn(1.0)
    assert reading.shard.position.next_offsets[_REST] == 4
    assert reading.shard.position.next_offsets[_URGENT] >= 1
