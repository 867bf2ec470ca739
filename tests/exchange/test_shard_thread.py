"""``exchange.protocol.thread``: what becomes of a shard's thread, whatever happens to its shard."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

import pytest

from exchange.authority.policy_watch import PolicyWatch, Published
from exchange.authority.roster import Roster
from exchange.errors import BrokerUnavailable, ProducerFenced
from exchange.health import liveness, readiness
from exchange.kafka.clients import Cluster
from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Phase, Shard
from exchange.protocol.step import Batch
from exchange.protocol.thread import ShardThread
from exchange.role import metrics_of
from tests.exchange.model_gate import Fate, Gate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import INPUTS, OUT, Disk, ModelFeed, ModelLog, ModelState
from tests.exchange.model_step import CountingStep
from tests.polling import eventually

_STEP: Final = "intake"
_SOON_S: Final = 10.0
_LABELS: Final = {"step": _STEP, "shard": "0"}


class World:
    """A model cluster, whose shards' threads it makes; ``broken`` is what a process would have ended by."""

    def __init__(self) -> None:
        self.kafka, self.metrics = ModelKafka(), _metrics()
        self.broken: list[Exception] = []
        self.taken = 0
        self.ended = threading.Event()

    def shard(
        self,
        step: CountingStep | None = None,
        gate: Callable[[Gate], Fate] = lambda _gate: Fate.FINE,
        feed: ModelFeed | None = None,
        disk: Disk | None = None,
    ) -> Shard:
        self.taken += 1
        feed = feed or ModelFeed(self.kafka, gate)
        log = ModelLog(self.kafka, gate)
        state = ModelState(log.changelog_id, disk or Disk(), gate, lambda _batch, _rows: None)
        return Shard(step or CountingStep(), log, feed, lambda: state, lambda: 1_000)

    def thread(self, make: Callable[[], Shard], **more: object) -> ShardThread:
        def on_broken(error: Exception) -> None:
            self.broken.append(error)
            self.ended.set()

        thread = ShardThread(_STEP, 0, make, self.metrics, on_broken=on_broken, **more)  # type: ignore[arg-type]
        thread.start()
        return thread

    def shown(self, gauge: str) -> float:
        return self.metrics.registry.get_sample_value(f"kakehashi_{gauge}", _LABELS) or 0.0

    def outputs(self) -> int:
        return len(list(self.kafka.committed(OUT, 0)))


class PatientFeed(ModelFeed):
    """Waits for an hour, unless it is woken."""

    idle_s = 3_600.0

    def __init__(self, kafka: ModelKafka) -> None:
        super().__init__(kafka, lambda _gate: Fate.FINE)
        self.woken = threading.Event()
        self.waits: list[float] = []

    def poll(self, timeout_s: float) -> Sequence[Record]:
        self.waits.append(timeout_s)
        self.woken.wait(timeout_s)
        self.woken.clear()
        return super().poll(0)

    def wake(self) -> None:
        self.woken.set()


def _metrics() -> Metrics:
    return metrics_of(Role.STREAMS, "GBR", ("JPN",), (_STEP,))


@pytest.fixture
def world() -> World:
    return World()


def test_it_takes_turns_until_it_is_stopped(world: World) -> None:
    world.kafka.write(INPUTS[0], b"a", b"+0")
    thread = world.thread(world.shard)
    eventually(lambda: world.outputs() == 1, _SOON_S, "the record is counted")
    assert thread.pulse.phase is Phase.RUNNING
    assert thread.stop(_SOON_S)
    assert (thread.pulse.phase, world.broken) == (Phase.CLOSED, [])


def test_a_long_wait_is_ended_when_it_is_stopped(world: World) -> None:
    feed = PatientFeed(world.kafka)
    thread = world.thread(lambda: world.shard(feed=feed))
    eventually(lambda: bool(feed.waits), _SOON_S, "it waits")
    assert thread.stop(_SOON_S)
    assert (thread.pulse.phase, world.broken) == (Phase.CLOSED, [])


def test_a_shard_waits_no_longer_than_until_a_row_becomes_due_and_a_second_behind_that(world: World) -> None:
    disk = Disk()
    shard = world.shard(feed=PatientFeed(world.kafka), disk=disk)
    shard.take()
    for due_ms, wait_s in ((8_500, 7.5), (1_200, 1.0), (0, PatientFeed.idle_s), (500, 1.0)):
        disk.rows = {b"key": (b"row", due_ms)}
        assert shard.idle_s == wait_s
    shard.close()


def test_what_a_shard_holds_is_seen_from_outside(world: World) -> None:
    """Also while it hangs: the age of its open transaction is asked for by whoever looks."""
    world.kafka.write(INPUTS[0], b"key", b"+12")
    ending, may_end = threading.Event(), threading.Event()

    def gate(gate: Gate) -> Fate:
        if gate is Gate.END:
            ending.set()
            may_end.wait(_SOON_S)
        return Fate.FINE

    thread = world.thread(lambda: world.shard(gate=gate))
    assert ending.wait(_SOON_S)
    eventually(lambda: world.shown("open_transaction_seconds") > 0.05, _SOON_S, "its transaction ages")
    may_end.set()
    eventually(lambda: world.outputs() == 1, _SOON_S, "it is committed")
    eventually(lambda: world.shown("open_transaction_seconds") == 0, _SOON_S, "none is in flight")
    eventually(
        lambda: world.shown("state_bytes") > 0 and world.shown("state_free_bytes") > 0, _SOON_S, "its disk shows"
    )
    assert world.metrics.registry.get_sample_value("kakehashi_batch_bytes_sum", {"step": _STEP}) == len(b"+12")
    assert thread.stop(_SOON_S)
    assert world.metrics.registry.get_sample_value("kakehashi_state_bytes", _LABELS) is None, "it is not here any more"


def test_a_gap_that_is_found_when_a_shard_is_taken_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelFeed, "GAPS", 2)
    thread = world.thread(world.shard)
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it runs")
    assert world.metrics.registry.get_sample_value("kakehashi_input_gaps_total", {"step": _STEP}) == 2
    assert thread.stop(_SOON_S)


def test_a_fenced_shard_that_no_one_may_retake_breaks_its_process(world: World) -> None:
    thread = world.thread(world.shard)
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it runs")
    _be_fenced(world)
    assert world.ended.wait(_SOON_S)
    assert thread.stop(_SOON_S)
    assert isinstance(world.broken[0], ProducerFenced)
    assert (thread.pulse.phase, world.taken) == (Phase.FENCED, 1)


def test_a_fenced_shard_that_is_still_assigned_is_taken_again(world: World) -> None:
    thread = world.thread(world.shard, retake_after_s=0.01)
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it runs")
    _be_fenced(world)
    eventually(lambda: world.outputs() == 1, _SOON_S, "it goes on")
    assert thread.stop(_SOON_S)
    assert (world.broken, world.taken) == ([], 2)


def test_a_fenced_shard_whose_assignment_is_over_ends_in_silence(world: World) -> None:
    thread = world.thread(world.shard, retake_after_s=0.01, still_assigned=lambda: False)
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it runs")
    _be_fenced(world)
    eventually(lambda: thread.stop(0), _SOON_S, "it has ended")
    assert (world.broken, world.taken, world.outputs()) == ([], 1, 0)


def test_a_fenced_shard_that_waits_to_be_retaken_stops_at_once(world: World) -> None:
    thread = world.thread(world.shard, retake_after_s=3_600.0)
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it runs")
    _be_fenced(world)
    eventually(lambda: thread.pulse.phase is Phase.FENCED, _SOON_S, "it is fenced")
    assert thread.stop(_SOON_S)
    assert world.broken == []


class _Panic(BaseException):
    """As Rust's come to Python."""


class _Panicking(CountingStep):
    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002  # see its name
        raise _Panic("index out of bounds")


def test_a_panic_is_reported(world: World) -> None:
    world.kafka.write(INPUTS[0], b"a", b"+0")
    thread = world.thread(lambda: world.shard(_Panicking()))
    assert world.ended.wait(_SOON_S)
    assert thread.stop(_SOON_S)
    assert "_Panic: index out of bounds" in str(world.broken[0])


def test_a_shard_that_cannot_even_be_made_is_reported(world: World) -> None:
    def make() -> Shard:
        raise BrokerUnavailable("nobody answers")

    thread = world.thread(make)
    assert world.ended.wait(_SOON_S)
    assert thread.stop(_SOON_S)
    assert isinstance(world.broken[0], BrokerUnavailable)


def test_a_long_restore_is_no_standstill(world: World) -> None:
    """Each portion of the changelog moves the pulse: else a big state would be restarted for ever."""
    world.kafka.write(INPUTS[0], b"a", b"+0")
    first = world.shard()
    first.take()
    for number in range(20):
        world.kafka.write(INPUTS[0], b"%d" % number, b"+0")
        first.turn(0)
    pulses = []

    def gate(gate: Gate) -> Fate:
        if gate is Gate.APPLY:
            pulses.append(thread.pulse)
        return Fate.FINE

    thread = ShardThread(_STEP, 0, lambda: world.shard(gate=gate), world.metrics, on_broken=world.broken.append)
    thread.start()
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it is restored")
    assert thread.stop(_SOON_S)
    assert len(set(map(id, pulses))) > 5


def _be_fenced(world: World) -> None:
    """Someone takes the shard and goes away; the owner learns of it when it commits."""
    world.shard().take()
    world.taken -= 1
    world.kafka.write(INPUTS[0], b"a", b"+0")


class RuledStep(CountingStep):
    """It decides by what a watch has read."""

    def __init__(self, watch: PolicyWatch) -> None:
        self._watch = watch

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:
        self._watch.published(now_ms)
        return super().wakes(rows, now_ms)

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        self._watch.published(now_ms)
        return super().compute(batch, rows, now_ms)


def test_while_the_policy_cannot_be_read_it_waits_and_decides_nothing_and_then_each_record_once(world: World) -> None:
    watch = PolicyWatch(Cluster("GBR", "nobody:1"), lambda: Roster("GBR"), ("JPN",), lead_ms=100, clock=lambda: 1_000)
    world.kafka.write(INPUTS[0], b"a", b"+0")
    thread = world.thread(lambda: world.shard(RuledStep(watch)))
    eventually(lambda: thread.pulse.phase is Phase.WAITING, _SOON_S, "the shard waits")
    world.kafka.write(INPUTS[0], b"a", b"+0")
    waiting_since_ms = thread.pulse.turned_at_ms
    eventually(lambda: thread.pulse.turned_at_ms > waiting_since_ms + 1_000, _SOON_S, "it has tried again")
    assert (world.outputs(), world.broken, world.taken) == (0, [], 1)
    pulses = {(_STEP, 0): thread.pulse}
    assert not readiness(pulses, assigned=True).ok
    assert liveness(pulses, thread.pulse.turned_at_ms, 1).ok
    watch._published = Published(1_000)
    eventually(lambda: world.outputs() == 2, _SOON_S, "both are counted")
    eventually(lambda: thread.pulse.phase is Phase.RUNNING, _SOON_S, "it runs")
    assert thread.stop(_SOON_S)
    assert (world.outputs(), world.broken) == (2, [])
