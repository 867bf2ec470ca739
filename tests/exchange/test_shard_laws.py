"""The laws of ``exchange.protocol.shard``, against a world that does its worst between any two of a shard's calls.

Several owners take the same shard, are paused anywhere, continue as zombies, crash, lose their disks or come back to
old ones, while transactions are aborted, lost, late or timed out, and compaction forgets. After each of these steps
whatever has been committed must be what the sequential reference states.
"""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from exchange.errors import ProducerFenced, SchemaIncompatible, TransientError
from exchange.protocol.log import ChangelogLost
from exchange.protocol.shard import Phase
from tests.builders import DAY_MS
from tests.exchange.model_gate import Crash, Fate, Gate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_owner import Owner
from tests.exchange.model_parts import CHANGELOG, HOME, INPUTS, OUT, PROGRESS, SHARD_ID, URGENT, Disk, Table
from tests.exchange.model_reference import Reference
from tests.exchange.shard_world import DISKS, FATE, GATE, REPORTS, WHICH, WORK, End, Move, Report, World

_STEPS_TO_HEAL = 2_000
_SENSOR = "sensor"


class ShardLaws(RuleBasedStateMachine):
    """Rules are what the world and the owners may do; the invariants are the laws."""

    def __init__(self) -> None:
        super().__init__()
        self.kafka, self.reference = ModelKafka(), Reference()
        self.disks = [Disk() for _ in range(DISKS)]
        self.owners: list[Owner] = []
        self.judged = 0
        self.now_ms, self.skew_ms = 1_000, 0
        self.lost = False
        self.sensor_epoch = self.kafka.initialise(_SENSOR)

    # -- the world ----------------------------------------------------------------------------------------------

    @initialize(reports=REPORTS)
    def begin(self, reports: list[Report]) -> None:
        """Something to count, and someone who counts it."""
        self.send(reports)
        self.owners.append(self.owner_on(self.disks[0]))
        self.owners[0].advance_to(Gate.POLL)

    def send(self, reports: list[Report]) -> None:
        """Records come in; aborted ones and markers make holes in the offsets."""
        for source, keys, what, commit in reports:
            for key in keys:
                if source == URGENT:  # a topic without transactions
                    self.kafka.write(source, b"%d" % source.partition + key, what)
                else:
                    self.kafka.append(_SENSOR, self.sensor_epoch, source, b"%d" % source.partition + key, what)
            self.kafka.end_transaction(_SENSOR, self.sensor_epoch, commit=commit)
            self.kafka.mark(_SENSOR)

    # Each rule continues with work: Hypothesis leaves rules out of an example, and work is what they are to disturb.

    @rule(
        event=st.sampled_from([World.MARKER, World.COMPACTION_A_DAY_LATER, World.COMPACTION_A_DAY_LATER, *World]),
        on_ms=st.integers(1, 60),
        then=WORK,
    )
    def world(self, event: World, on_ms: int, then: list[Move]) -> None:
        """Something happens that is no one's doing."""
        match event:
            case World.MARKER:
                self.kafka.mark(SHARD_ID)
            case World.LATE:
                self.kafka.deliver_late()
            case World.TIMEOUT:
                self.kafka.time_out(SHARD_ID)
            case World.CLOCK_AHEAD | World.CLOCK_RIGHT | World.CLOCK_BEHIND:
                self.skew_ms = {World.CLOCK_AHEAD: 40, World.CLOCK_RIGHT: 0, World.CLOCK_BEHIND: -40}[event]
            case World.COMPACTION:
                self.kafka.compact(CHANGELOG)
                self.kafka.compact(PROGRESS)
            case World.COMPACTION_A_DAY_LATER:
                self.now_ms += DAY_MS
                self.kafka.age(CHANGELOG)
                self.kafka.compact(CHANGELOG)
        self.now_ms += on_ms
        self.work(then)

    # -- the owners ---------------------------------------------------------------------------------------------

    def owner_on(self, disk: Disk) -> Owner:
        return Owner(self.kafka, disk, lambda: self.now_ms + self.skew_ms, self.on_read)

    @rule(which=WHICH, then=WORK)
    def take_over(self, which: int, then: list[Move]) -> None:
        """Someone starts to own the shard, whoever does already."""
        self.take(which, then)

    def take(self, which: int, then: list[Move]) -> None:
        if not self.disks[which].held:
            self.owners.append(self.owner_on(self.disks[which]))
        self.work(then)

    @rule(which=WHICH, how=st.sampled_from(End), then=WORK)
    def end(self, which: int, how: End, then: list[Move]) -> None:
        """``kill -9`` wherever it stands, perhaps with its machine; or asked to stop in good order."""
        if self.owners:
            owner = self.owners[which % len(self.owners)]
            if how is End.STOP:
                owner.stop()
            else:
                owner.crash()
                if how is End.CRASH_WITH_DISK:
                    owner.disk.wipe()
        self.work(then)

    @rule(gate=GATE, fate=FATE, reports=REPORTS, then=WORK)
    def overtaken(self, gate: Gate, fate: Fate, reports: list[Report], then: list[Move]) -> None:
        """An owner stands still behind a gate while another takes the shard and works; then it continues."""
        if self.owners and (free := [disk for disk in self.disks if not disk.held]):
            paused, successor = self.owners[0], self.owner_on(free[0])
            self.owners.append(successor)
            self.send(reports)
            paused.advance_to(gate)
            paused.advance(fate)
            for report in reports:
                self.send([report])
                successor.advance_to(Gate.END)
                successor.advance_to(Gate.POLL)
        self.work(then)

    @rule(which=WHICH, reports=REPORTS, meanwhile=REPORTS, then=WORK)
    def waits_for_its_turn(self, which: int, reports: list[Report], meanwhile: list[Report], then: list[Move]) -> None:
        """A batch is read, and its turn does not come, but something urgent does."""
        if self.owners:
            owner = self.owners[which % len(self.owners)]
            self.send(reports)
            owner.advance_to(Gate.TURN)
            self.send([*meanwhile, (URGENT, [b"a", b"b"], b"+5", True)])
            owner.advance(Fate.BUSY)
            owner.advance_to(Gate.POLL)
        self.work(then)

    @rule(which=WHICH, reports=REPORTS, then=WORK)
    def comes_back_late(self, which: int, reports: list[Report], then: list[Move]) -> None:
        """A disk that was once whole is taken up again when compaction has forgotten what was dropped since."""
        for owner in [owner for owner in self.owners if owner.disk is self.disks[which]]:
            owner.crash()
        for report in reports:
            self.work([(0, Gate.POLL, Fate.FINE, report), (0, Gate.END, Fate.FINE, report)])
        self.kafka.age(CHANGELOG)
        self.kafka.compact(CHANGELOG)
        self.work([(0, Gate.POLL, Fate.FINE, report) for report in reports])
        self.take(which, then)

    def work(self, moves: list[Move]) -> None:
        """Owners work in turns: each until it is at a gate, which it passes by a fate. There is always something."""
        for which, gate, fate, report in moves:
            self.owners_end_for_a_reason()
            if not self.owners:
                self.owners.append(self.owner_on(next(disk for disk in self.disks if not disk.held)))
            owner = self.owners[which % len(self.owners)]
            if owner.at is Gate.POLL:
                self.send([report])
            owner.advance_to(gate)
            owner.advance(fate)
            self.now_ms += 1
            self.judge()
            self.no_disk_is_ahead()

    # -- the laws -----------------------------------------------------------------------------------------------

    def on_read(self, batch: int, rows: Table) -> None:
        """A step is about to read this state (law 3)."""
        self.judge()
        assert rows == self.reference.history[batch], "the local state is what was committed up to its batch"

    @invariant()
    def judge(self) -> None:
        """Whatever is committed is what the reference states."""
        for transaction in self.kafka.decided[self.judged :]:
            self.judged += 1
            if transaction.owner == SHARD_ID and transaction.committed:
                self.reference.take_in(self.kafka, transaction)

    @invariant()
    def no_disk_is_ahead(self) -> None:
        """A row that was not committed is on no disk."""
        for disk in self.disks:
            assert disk.batch <= self.reference.position.batch
            for key, (row, due_ms) in disk.rows.items():
                assert (key, row, due_ms) in self.reference.rows_ever

    @invariant()
    def owners_end_for_a_reason(self) -> None:
        """Stopped, fenced or because the world stays broken; never by an error of our own."""
        for owner in [owner for owner in self.owners if not owner.alive]:
            self.owners.remove(owner)
            self.judge_end(owner)

    def judge_end(self, owner: Owner) -> None:
        """What an owner ended by."""
        match owner.error:
            case None | TransientError() | Crash():
                assert owner.shard.phase is Phase.CLOSED
            case ProducerFenced():
                assert owner.shard.phase is Phase.FENCED
            case ChangelogLost() | SchemaIncompatible() if self.lost:
                assert owner.shard.phase is Phase.CLOSED
            case error:
                raise AssertionError(f"an owner ended by {error!r}") from error

    # -- the end ------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everybody dies, a last owner heals what is left: all is as if nothing had ever happened."""
        for owner in self.owners:
            owner.crash()
        self.kafka.deliver_late()
        self.kafka.initialise(_SENSOR)
        self.judge()
        if self.lost:
            return
        healer = self.owner_on(self.disks[0])
        try:
            self.heal(healer)
        finally:
            healer.crash()
        self.judge_end(healer)

    def heal(self, healer: Owner) -> None:
        """Run in peace until all is read and nothing will ever be due."""
        wanted = {(source, entry.offset): entry.value for source in INPUTS for entry in self.kafka.committed(source, 0)}
        for _ in range(_STEPS_TO_HEAL):
            healer.advance()
            self.judge()
            self.now_ms += 10
            done = self.reference.position.next_offsets
            unread = any(offset >= done.get(source, 0) for source, offset in wanted)
            if healer.at is Gate.POLL and not unread and not any(due for _, due in self.reference.history[-1].values()):
                break
        else:
            raise AssertionError(f"not healed: {healer.error!r}")
        places = Counter(b"%d.%d" % (place.partition, at) for (place, at), what in wanted.items() if what != b"!")
        assert self.reference.outputs == places, "one output for each input"
        refused = {b"%d.%d" % (place.partition, at) for (place, at), what in wanted.items() if what == b"!"}
        assert refused <= {entry.key for entry in self.kafka.committed(HOME, 0)}
        outputs = Counter((entry.key, (entry.value or b"").split(b"=")[0]) for entry in self.kafka.committed(OUT, 0))
        assert set(outputs.values()) <= {1}, "no (key, version) twice for a reader of committed records"
        assert healer.disk.rows == self.reference.history[-1]


class ShardLawsUnderLoss(ShardLaws):
    """The same, and the changelog is cut or recreated: owners without a whole state of their own are refused."""

    def __init__(self) -> None:
        super().__init__()
        self.unmendable = False

    @precondition(lambda self: not self.lost and not self.kafka.is_open(SHARD_ID))
    @rule()
    def changelog_is_cut(self) -> None:
        """As by retention, where someone has set the wrong policy."""
        self.lost = self.unmendable = self.kafka.cut(CHANGELOG)

    @precondition(lambda self: not self.lost and not self.kafka.is_open(SHARD_ID))
    @rule()
    def changelog_is_recreated(self) -> None:
        """Deleted and recreated, perhaps under a running owner."""
        self.kafka.recreate(CHANGELOG)
        self.unmendable = self.reference.position.batch > 0
        self.lost = self.unmendable or bool(self.owners)

    def teardown(self) -> None:
        """A new owner learns of the loss, and goes nowhere."""
        super().teardown()
        if self.unmendable:
            late = self.owner_on(Disk())
            for _ in range(_STEPS_TO_HEAL):
                late.advance()
            late.crash()
            assert isinstance(late.error, ChangelogLost | SchemaIncompatible), late.error


_EXAMPLES = settings().max_examples  # 100, and thousands of them under ``make fuzz``

TestShardLaws = ShardLaws.TestCase
TestShardLaws.settings = settings(max_examples=_EXAMPLES, stateful_step_count=15)
TestShardLawsUnderLoss = ShardLawsUnderLoss.TestCase
TestShardLawsUnderLoss.settings = settings(max_examples=_EXAMPLES // 2, stateful_step_count=10)
