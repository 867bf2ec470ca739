"""The races that the laws are about, one by one: each was a defect once, or is too rare to be left to chance."""

from collections.abc import Mapping, Sequence

import pytest

from exchange.errors import BrokerUnavailable, FatalError, ProducerFenced
from exchange.protocol.effects import Effects
from exchange.protocol.log import ChangelogLost, CommitUncertain, TransactionAborted
from exchange.protocol.record import Input, Output
from exchange.protocol.rows import Rows
from exchange.protocol.shard import Phase, Shard
from exchange.protocol.step import Batch
from tests.exchange.model_gate import Fate, Gate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_owner import Owner
from tests.exchange.model_parts import CHANGELOG, INPUTS, OUT, PROGRESS, SHARD_ID, Disk, ModelFeed, ModelHome, ModelLog
from tests.exchange.model_step import CountingStep


class Scene:
    """A cluster, a clock, and owners that come and go."""

    def __init__(self) -> None:
        self.kafka, self.now_ms = ModelKafka(), 1_000

    def owner(self, disk: Disk | None = None) -> Owner:
        return Owner(self.kafka, disk or Disk(), lambda: self.now_ms, lambda _batch, _rows: None)

    def running(self, disk: Disk | None = None) -> Owner:
        owner = self.owner(disk)
        owner.advance_to(Gate.POLL)
        return owner

    def count(self, owner: Owner, *what: bytes, key: bytes = b"a") -> None:
        """One batch of these records, by an owner that stands at its feed."""
        for each in what:
            self.kafka.write(INPUTS[0], key, each)
        owner.advance_to(Gate.END)
        owner.advance_to(Gate.POLL)

    def until_it_ends(self, owner: Owner) -> None:
        """Let it continue until it has ended by itself."""
        for _ in range(100):
            owner.advance()
        assert not owner.alive, f"it goes on, at {owner.at}"

    def outputs(self) -> list[bytes | None]:
        return [entry.value for entry in self.kafka.committed(OUT, 0)]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_batch_that_is_always_aborted_ends_its_shard_instead_of_spinning(scene: Scene) -> None:
    owner = scene.running()
    scene.kafka.write(INPUTS[0], b"a", b"+0")
    for _ in range(Shard.TRIES):
        owner.advance_to(Gate.END)
        owner.advance(Fate.ABORT)
    assert isinstance(owner.error, TransactionAborted)
    assert scene.outputs() == []


def test_a_commit_that_stays_uncertain_ends_its_shard_instead_of_spinning(scene: Scene) -> None:
    owner = scene.running()
    scene.kafka.write(INPUTS[0], b"a", b"+0")
    for _ in range(Shard.TRIES):
        owner.advance_to(Gate.END)
        owner.advance(Fate.LOST)
    scene.until_it_ends(owner)
    assert isinstance(owner.error, CommitUncertain)
    assert scene.outputs() == []


def test_an_aborted_batch_is_written_again_unchanged_though_time_has_passed(scene: Scene) -> None:
    owner = scene.running()
    scene.kafka.write(INPUTS[0], b"a", b"+5")
    owner.advance_to(Gate.END)
    scene.now_ms += 1_000
    owner.advance(Fate.ABORT)
    owner.advance_to(Gate.COMMITTED)
    owner.advance_to(Gate.POLL)
    assert owner.disk.rows == {b"a": (b"1", 1_005)}
    owner.crash()


def test_an_owner_that_is_overtaken_while_it_restores_is_fenced_and_reports_no_loss(scene: Scene) -> None:
    first = scene.running()
    scene.count(first, b"+0")
    first.crash()
    slow = scene.owner()
    slow.advance_to(Gate.OPEN)  # it has read its position, and not the changelog
    scene.count(scene.running(), b"+0")
    scene.until_it_ends(slow)
    assert isinstance(slow.error, ProducerFenced)
    assert slow.shard.phase is Phase.FENCED


def test_an_uncertain_owner_whose_successor_has_committed_is_fenced(scene: Scene) -> None:
    paused = scene.running()
    scene.kafka.write(INPUTS[0], b"a", b"+0")
    paused.advance_to(Gate.END)
    paused.advance(Fate.LOST)
    scene.now_ms += 1  # else it would be the very same batch, and as good as the paused owner's own
    successor = scene.running()
    successor.advance_to(Gate.END)
    successor.advance_to(Gate.POLL)
    scene.until_it_ends(paused)
    assert isinstance(paused.error, ProducerFenced)
    assert paused.shard.phase is Phase.FENCED
    assert scene.outputs() == [b"0.0=1"]
    successor.crash()


def test_a_state_that_is_older_than_what_compaction_has_forgotten_is_rebuilt(scene: Scene) -> None:
    old = Disk()
    first = scene.running(old)
    scene.count(first, b"+0", key=b"dropped")
    first.crash()
    second = scene.running()
    scene.count(second, b"-", key=b"dropped")
    scene.kafka.age(CHANGELOG)
    scene.count(second, b"+0", key=b"other")
    scene.kafka.compact(CHANGELOG)
    second.crash()
    third = scene.running(old)
    assert old.rows == {b"other": (b"1", 1_000)}
    third.crash()


def test_a_state_that_is_whole_reads_nothing_of_the_changelog(scene: Scene) -> None:
    disk = Disk()
    first = scene.running(disk)
    scene.count(first, b"+0")
    first.crash()
    scene.kafka.age(CHANGELOG)
    second = scene.running(disk)
    assert disk.rows == {b"a": (b"1", 1_000)}
    second.crash()


def test_an_owner_that_does_not_know_where_its_rows_are_reads_them_once_more(scene: Scene) -> None:
    disk = Disk()
    first = scene.running(disk)
    scene.count(first, b"+0", b"+0")
    at = disk.next_offset
    scene.kafka.write(INPUTS[0], b"a", b"+0")
    first.advance_to(Gate.END)
    first.advance(Fate.UNPLACED)
    first.advance_to(Gate.POLL)
    assert (disk.next_offset, disk.rows) == (at, {b"a": (b"3", 1_000)})
    first.crash()
    scene.count(scene.running(), b"+0")
    last = scene.running(disk)
    assert disk.rows == {b"a": (b"4", 1_000)}
    last.crash()


def test_a_changelog_that_is_shorter_than_the_state_is_a_loss(scene: Scene) -> None:
    disk = Disk()
    first = scene.running(disk)
    scene.count(first, b"+0")
    first.crash()
    scene.count(scene.running(), b"+0")
    del scene.kafka.partition(CHANGELOG).entries[disk.next_offset - 1 :]
    late = scene.owner(disk)
    scene.until_it_ends(late)
    assert isinstance(late.error, ChangelogLost)


def test_a_lost_position_is_a_loss_where_there_is_state(scene: Scene) -> None:
    first = scene.running()
    scene.count(first, b"+0")
    first.crash()
    scene.kafka.recreate(PROGRESS)
    late = scene.owner()
    scene.until_it_ends(late)
    assert isinstance(late.error, ChangelogLost)


# -- without owners: the shard's own manners ------------------------------------------------------------------------


class _Broken(CountingStep):
    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002  # see its name
        raise ValueError("a defect of the step")


class _HomeWithout(CountingStep):
    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002  # see its name
        return Effects(home=[Output("home", 0, b"k", b"v")])


def _pass(_gate: Gate) -> Fate:
    return Fate.FINE


def _stateless(step: CountingStep, kafka: ModelKafka, *, home: ModelHome | None = None) -> Shard:
    kafka.write(INPUTS[0], b"a", b"+0")
    shard = Shard(step, ModelLog(kafka, _pass), ModelFeed(kafka, _pass), None, lambda: 1_000, home)
    shard.take()
    return shard


def test_a_shard_whose_turn_has_failed_does_not_turn_again_behind_what_it_lost() -> None:
    shard = _stateless(_Broken(), ModelKafka())
    with pytest.raises(ValueError, match="a defect"):
        shard.turn(0)
    with pytest.raises(RuntimeError, match="closed does not turn"):
        shard.turn(0)


@pytest.mark.parametrize("fate", [Fate.ABORT, Fate.LOST])
def test_a_batch_that_must_not_go_any_more_is_not_written_again(fate: Fate) -> None:
    kafka, may_go = ModelKafka(), [False]

    class Feed(ModelFeed):
        def recheck(self, outputs: Sequence[Output]) -> None:  # noqa: ARG002  # it is for all of them
            if not may_go[0]:
                raise BrokerUnavailable("as by a border that was closed")

    def shard() -> Shard:
        fates = iter([fate])
        log = ModelLog(kafka, lambda gate: next(fates, Fate.FINE) if gate is Gate.END else Fate.FINE)
        made = Shard(CountingStep(), log, Feed(kafka, _pass), None, lambda: 1_000)
        made.take()
        return made

    kafka.write(INPUTS[0], b"a", b"+0")
    first = shard()
    with pytest.raises(BrokerUnavailable, match="closed"):
        first.turn(0)
    assert (first.phase, list(kafka.committed(OUT, 0))) == (Phase.CLOSED, [])
    may_go[0] = True
    shard().turn(0)
    kafka.initialise(SHARD_ID)  # its markers are there
    assert len(list(kafka.committed(OUT, 0))) == 1, "its place was kept"


def test_a_shard_that_was_not_taken_does_not_turn() -> None:
    kafka = ModelKafka()
    shard = Shard(CountingStep(), ModelLog(kafka, _pass), ModelFeed(kafka, _pass), None, lambda: 1_000)
    with pytest.raises(RuntimeError, match="new does not turn"):
        shard.turn(0)


def test_a_step_that_writes_at_home_without_a_home_is_our_defect() -> None:
    kafka = ModelKafka()
    with pytest.raises(FatalError, match="given no way"):
        _stateless(_HomeWithout(), kafka).turn(0)
    assert kafka.end(PROGRESS) == 0


class _Refusing:
    """Closes by saying no, and remembers that it was asked."""

    def __init__(self, asked: list[str], name: str) -> None:
        self._asked, self._name = asked, name

    def close(self) -> None:
        self._asked.append(self._name)
        raise OSError(f"{self._name} will not close")


class _RefusingFeed(_Refusing, ModelFeed):
    def __init__(self, asked: list[str], kafka: ModelKafka) -> None:
        _Refusing.__init__(self, asked, "feed")
        ModelFeed.__init__(self, kafka, _pass)

    def resume(self, next_offsets: Mapping[Input, int]) -> int:  # noqa: ARG002  # nothing to resume
        return 0


class _RefusingLog(_Refusing, ModelLog):
    def __init__(self, asked: list[str], kafka: ModelKafka) -> None:
        _Refusing.__init__(self, asked, "log")
        ModelLog.__init__(self, kafka, _pass)


def test_closing_closes_everything_though_something_refuses() -> None:
    kafka, asked = ModelKafka(), list[str]()
    shard = Shard(CountingStep(), _RefusingLog(asked, kafka), _RefusingFeed(asked, kafka), None, lambda: 1_000)
    shard.take()
    with pytest.raises(OSError, match="will not close"):
        shard.close()
    assert asked == ["feed", "log"]
