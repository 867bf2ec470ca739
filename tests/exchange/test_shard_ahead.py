"""A batch that waits for its turn to be computed holds up nothing that may go ahead, and is not passed over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import pytest

from exchange.protocol import turns
from exchange.protocol.effects import Effects
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Shard
from exchange.protocol.step import Batch, Step
from tests.exchange.model_gate import Fate, Gate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import INPUTS, ModelLog

_REST, _, _URGENT = INPUTS
_MUCH: Final = 100


class Scene(Feed[None], Step[None]):
    """A shard without state over two lists of records. Its step notes what it gets."""

    name = "step"
    looks_ahead = True

    def __init__(self) -> None:
        self.rest, self.urgent = list[list[Record]](), list[list[Record]]()
        self.computed: list[tuple[Input, int]] = []
        self.gate: Callable[[Gate], Fate] = lambda _: Fate.FINE
        log = ModelLog(ModelKafka(), self._pass)
        self.shard = Shard(self, log, self, None, lambda: 1_000)
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
