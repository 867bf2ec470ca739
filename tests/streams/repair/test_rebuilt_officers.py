"""What officers decided outlives the rows: a rebuilt shard keeps back what they keep back, and asks nothing twice."""

from typing import cast

from exchange.authority.roster import Roster
from exchange.protocol.record import Record
from schemas import topics
from schemas.records import Decision, Indicator, ReleasedIndicator
from schemas.vocabulary import CommandKind
from streams.audit.entry import HEAD_KEY
from streams.correlate import row as rows_of
from streams.correlate.execute import row_with
from streams.correlate.officers import NO_DECISIONS, OfficerDecisions
from streams.correlate.row import Row
from streams.repair.rebuilt_decision import decided_of
from streams.repair.rebuilt_row import Counted, World, last_release_of, row_of
from streams.repair.vetoes import vetoes_of
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from tests.officers import ALICE, BOB, ROSTER, an_officer
from tests.streams.enrichment_builders import an_enricher
from tests.streams.officers_bench import CODEC, HOUR_MS, KEY, LIFETIMES, OfficersBench

CLASS_3 = "機密性3情報"
CONTENT = ("content", "")
RECALLED = ("recalled", "recalled-by-hand")


class Rebuilding(OfficersBench):
    """A bench that remembers its commands, so that its rows can be lost."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Record] = []

    def arrives_as(self, value: bytes | None, key: bytes, appended_ms: int = 0) -> str:
        at_ms = appended_ms or self.now_ms + 10
        self.commands.append(Record(topics.COMMANDS, 0, len(self.commands), key, value, at_ms))
        return super().arrives_as(value, key, appended_ms)

    def loses_its_rows(self, roster: Roster = ROSTER, *, commands: bool = True) -> Row:
        """They are put together again; the one of the domain."""
        classifier = Classifier(Engine(self.policy))
        refused = frozenset(entry["key"] for entry in self.quarantine)
        received = self.commands if commands else []
        stated = vetoes_of(received, refused, CODEC, roster, classifier, ("JPN",), 1).get(KEY, NO_DECISIONS)
        row = self._made(stated, classifier)
        [head] = self.correlate.get_many([HEAD_KEY])
        rows = {KEY: (row.due_ms, rows_of.encode(row))}
        self.correlate._rows = rows if head is None else rows | {HEAD_KEY: (0, head)}
        return row

    def _made(self, stated: OfficerDecisions, classifier: Classifier) -> Row:
        if not self.national:
            return row_with(None, stated)
        decision = cast("Decision", self.decisions[-1])
        released = [cast("ReleasedIndicator", each) for each in self.released[-1:]]
        reported = [last_release_of(each, "JPN", decision["decision_id"]) for each in released]
        world = World(("JPN",), an_enricher(), classifier, LIFETIMES, lambda _: Counted(self.now_ms))
        national = cast("Indicator", self.national[-1])
        return row_of(national, reported, {"JPN": decided_of(decision)}, world, self.now_ms, stated).row


def recall(bench: OfficersBench, person: str = ALICE) -> str:
    return bench.gives(person, CommandKind.RECALL, reason_code="recalled-by-hand")


def test_a_recall_stands_after_the_rows_were_lost() -> None:
    bench = Rebuilding()
    bench.observes()
    recall(bench)
    bench.loses_its_rows()
    bench.observes(sensor="other")
    bench.waits(HOUR_MS)
    assert bench.announced == [CONTENT, RECALLED]
    assert bench.decisions[-1]["rules"] == ["standing-veto"]


def test_a_recall_stands_though_its_officer_is_not_on_the_roster_any_more() -> None:
    bench = Rebuilding()
    bench.observes()
    recall(bench)
    row = bench.loses_its_rows(Roster("GBR"))
    assert row.officers is not None
    assert len(row.officers.vetoes) == 1
    bench.observes(sensor="other")
    assert bench.announced == [CONTENT, RECALLED]


def test_a_recall_stands_though_the_commands_were_lost_as_well() -> None:
    bench = Rebuilding()
    bench.observes()
    recall(bench)
    bench.loses_its_rows(commands=False)
    bench.observes(sensor="other")
    assert bench.announced == [CONTENT, RECALLED]


def test_a_recall_of_what_no_one_has_reported_stands() -> None:
    bench = Rebuilding()
    recall(bench)
    bench.loses_its_rows()
    bench.observes()
    assert bench.announced == []


def test_what_two_have_lifted_stays_lifted_and_one_may_lift_what_another_has_begun_to() -> None:
    bench = Rebuilding()
    bench.observes()
    recall(bench)
    veto = str(bench.decisions[-1]["veto"]["command_id"])
    assert bench.gives(ALICE, CommandKind.LIFT, about=veto) == ""
    bench.loses_its_rows()
    assert bench.gives(BOB, CommandKind.LIFT, about=veto) == ""
    row = bench.loses_its_rows()
    assert row.officers is not None
    assert row.officers.vetoes == ()
    bench.observes(sensor="other")
    assert bench.announced[:2] == [CONTENT, RECALLED]
    assert bench.announced[-1] == CONTENT


def test_a_command_that_was_refused_does_nothing_later() -> None:
    bench = Rebuilding()
    bench.observes()
    assert recall(bench, "mallory") == "unknown-key"
    assert bench.loses_its_rows().officers is None
    assert bench.loses_its_rows(Roster.of("GBR", [an_officer("mallory")])).officers is None


def test_what_one_has_approved_waits_for_the_other_alone() -> None:
    bench = Rebuilding()
    bench.observes(caveats=(CLASS_3,))
    assert bench.approves(ALICE) == ""
    bench.loses_its_rows()
    assert bench.approves(ALICE) == "nothing-to-do"
    assert bench.announced == []
    assert bench.approves(BOB) == ""
    assert bench.announced == [CONTENT]


def test_what_was_approved_stays_released_and_no_one_is_asked_again() -> None:
    bench = Rebuilding()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    assert bench.approves(ALICE) == ""
    shown, decisions = len(bench.shown), len(bench.decisions)
    bench.loses_its_rows()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    bench.waits(HOUR_MS)
    assert set(bench.announced) == {CONTENT}
    assert (len(bench.shown), len(bench.decisions)) == (shown, decisions)


def test_what_was_refused_stays_refused() -> None:
    bench = Rebuilding()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    assert bench.judges(ALICE, "refuse") == ""
    bench.loses_its_rows()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    assert bench.approves(BOB) == "nothing-to-do"
    assert (bench.announced, bench.pending) == ([], [])
