"""A shard turns without input where its step asks for it, and does not commit a turn that comes to nothing."""

from collections.abc import Mapping, Sequence

from exchange.protocol.effects import Effects
from exchange.protocol.record import Input, Output, Position, Record
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Shard
from exchange.protocol.step import Batch, Step
from tests.exchange.model_gate import Fate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import INPUTS, OUT, Disk, ModelFeed, ModelLog, ModelState


class WorkingStep(Step[None]):
    """Has so many portions of work of its own; one each turn."""

    name = "step"

    def __init__(self, portions: int) -> None:
        self.portions, self.woken, self.asleep = portions, list[bytes](), False
        self.questions: Mapping[bytes, int] = {}
        self.gauges: Mapping[tuple[str, ...], float] = {}

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:
        assert (rows.size(), now_ms) == (0, 1_000)
        return () if self.asleep else (b"cursor",)

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002
        self.woken += batch.due
        if not self.portions:
            return Effects(gauges=self.gauges)
        self.portions -= 1
        return Effects(
            [Output("out", 0, b"a", b"%d" % self.portions)], more=self.portions > 0, questions=self.questions
        )


class PatientFeed(ModelFeed):
    """Remembers how long it might have waited."""

    waits: list[float]
    kept: Mapping[Input, int] = {}
    asked: Mapping[bytes, int] = {}

    def marks(self) -> Mapping[Input, int]:
        return self.kept

    def ask(self, questions: Mapping[bytes, int]) -> None:
        self.asked = questions

    def poll(self, timeout_s: float) -> Sequence[Record]:
        self.waits = [*getattr(self, "waits", []), timeout_s]
        return super().poll(timeout_s)


class Scene:
    """One owner that nothing happens to."""

    def __init__(self, portions: int) -> None:
        self.kafka = ModelKafka()
        self.feed = PatientFeed(self.kafka, lambda _: Fate.FINE)
        self.step = WorkingStep(portions)
        log = ModelLog(self.kafka, lambda _: Fate.FINE)
        state = ModelState(log.changelog_id, Disk(), lambda _: Fate.FINE, lambda _batch, _rows: None)
        self.shard = Shard(self.step, log, self.feed, lambda: state, lambda: 1_000)
        self.shard.take()


def test_a_row_that_the_step_asks_for_is_looked_at_though_it_is_not_due_and_nothing_comes() -> None:
    scene = Scene(1)
    assert scene.shard.turn(1.0) is not None
    assert scene.step.woken == [b"cursor"]
    assert [entry.value for entry in scene.kafka.committed(OUT, 0)] == [b"0"]
    scene.step.asleep = True
    assert scene.shard.turn(1.0) is None
    assert scene.step.woken == [b"cursor"]


def test_what_a_feed_marks_is_kept_with_the_position() -> None:
    scene = Scene(1)
    mark = Input("beside", 0)
    scene.feed.kept = {mark: 7}
    scene.shard.turn(1.0)
    log = ModelLog(scene.kafka, lambda _: Fate.FINE)
    log.fence()
    assert (log.position() or Position()).next_offsets[mark] == 7


def test_a_step_s_questions_reach_the_feed_once_the_batch_is_committed() -> None:
    scene = Scene(1)
    scene.step.questions = {b"a": 7}
    scene.shard.turn(1.0)
    assert scene.feed.asked == {b"a": 7}


def test_a_turn_that_comes_to_nothing_is_not_committed() -> None:
    scene = Scene(0)
    assert scene.shard.turn(1.0) is None
    assert scene.step.woken == [b"cursor"]
    assert scene.shard.position.batch == 0


def test_what_is_only_shown_is_returned_without_a_transaction() -> None:
    scene = Scene(0)
    scene.step.gauges = {("shown", "edge-1"): 7.0}
    turned = scene.shard.turn(1.0)
    assert turned is not None
    assert (turned.effects.gauges, turned.only_shows) == (scene.step.gauges, True)
    assert scene.shard.position.batch == 0
    assert not list(scene.kafka.committed(OUT, 0))


def test_while_there_is_more_to_do_no_input_is_waited_for_and_what_comes_is_taken_along() -> None:
    scene = Scene(3)
    for _ in range(2):
        scene.shard.turn(1.0)
    scene.kafka.write(INPUTS[0], b"a", b"+0")
    turned = scene.shard.turn(1.0)
    scene.shard.turn(1.0)
    assert scene.feed.waits == [1.0, 0, 0, 1.0]
    assert turned is not None
    assert turned.records == 1
