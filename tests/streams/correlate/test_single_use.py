"""A command counts once and for one opening of its question, whoever writes its bytes again."""

from typing import Any

import msgspec
import pytest

from schemas.codec import COMMAND
from schemas.signing import signed_command
from schemas.vocabulary import CommandKind
from streams.correlate import officers
from streams.correlate.officers import MAX_ASKED, MAX_USED, NO_DECISIONS, Review, Used, question_of
from tests.builders import DAY_MS, NOW_MS
from tests.officers import ALICE, BOB, CAROL, key_of
from tests.streams.correlate.test_commands import a_recall
from tests.streams.officers_bench import CODEC, HOUR_MS, NAME, OfficersBench

SENSITIVE = ("OFFICIAL-SENSITIVE",)
CLASS_3 = ("機密性3情報",)
CONTENT = ("content", "")


class Wiretap(OfficersBench):
    """A bench that keeps the bytes of each command, as anyone has who reads the topic."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: list[bytes | None] = []

    def arrives_as(self, value: bytes | None, key: bytes, appended_ms: int = 0) -> str:
        self.bytes.append(value)
        return super().arrives_as(value, key, appended_ms)

    def replays(self, number: int) -> str:
        """Someone without a key writes the bytes of an earlier command again; why it is refused."""
        return super().arrives_as(self.bytes[number], NAME.encode())

    def flips(self, back: tuple[str, ...]) -> None:
        """A sensor reports other markings, and then the earlier ones again."""
        self.observes(caveats=(*back, "PERSONAL DATA"))
        self.observes(caveats=back)


def test_an_approval_s_bytes_do_not_release_what_was_refused_since_and_flipped() -> None:
    bench = Wiretap()
    bench.observes(caveats=SENSITIVE)
    bench.approves(ALICE)
    bench.judges(BOB, "refuse")
    before = bench.announced
    assert bench.replays(0) == "nothing-to-do"
    bench.flips(SENSITIVE)
    assert bench.replays(0) == "nothing-to-do"
    assert bench.announced == before
    assert bench.decisions[-1]["outcome"] == "withhold", "the refusal of this question remains"
    assert bench.approves(ALICE, question=bench.decisions[-1]["question"]) == "nothing-to-do"


def test_an_approval_does_not_outlive_the_opening_that_it_answered() -> None:
    bench = Wiretap()
    bench.observes(caveats=SENSITIVE)
    approved = bench.shown[-1]["question"]
    bench.approves(ALICE)
    bench.flips(SENSITIVE)
    reported = bench.announced
    assert reported[-1][0] == "recalled"
    assert bench.replays(0) == "nothing-to-do"
    assert bench.approves(BOB, question=approved) == "not-as-asked", "another command on the earlier opening"
    assert bench.announced == reported
    assert bench.approves(BOB) == ""
    assert bench.announced == [*reported, CONTENT]


def test_half_of_an_approval_by_two_does_not_count_for_the_next_opening() -> None:
    bench = Wiretap()
    bench.observes(caveats=CLASS_3)
    bench.approves(ALICE)
    bench.flips(CLASS_3)
    assert bench.shown[-1]["verdicts"] == []
    assert bench.replays(0) == "nothing-to-do"
    assert bench.approves(BOB) == ""
    assert bench.announced == []
    assert bench.approves(ALICE) == "", "a new signature on what is asked now"
    assert bench.announced == [CONTENT]


@pytest.mark.parametrize(
    "other", [{"caveats": CLASS_3}, {}, {"tlp": "TLP:RED"}], ids=["question", "release", "withhold"]
)
def test_a_question_that_returns_keeps_its_deadline(other: dict[str, Any]) -> None:
    bench = Wiretap()
    bench.observes(caveats=SENSITIVE)
    deadline_ms = bench.shown[-1]["deadline_ms"]
    bench.waits(70 * HOUR_MS)
    bench.observes(**other)
    bench.observes(caveats=SENSITIVE)
    assert bench.shown[-1]["deadline_ms"] == deadline_ms
    bench.waits(3 * HOUR_MS)
    assert bench.decisions[-1]["review"] == "lapsed"


def test_a_lapsed_review_stays_lapsed_when_its_question_returns() -> None:
    bench = Wiretap()
    bench.observes(caveats=SENSITIVE)
    bench.waits(73 * HOUR_MS)
    for _ in range(3):
        bench.flips(SENSITIVE)
    assert bench.decisions[-1]["review"] == "lapsed"
    assert bench.approves(ALICE, question=bench.decisions[-1]["question"]) == "deadline-passed"
    assert bench.announced == []


def test_who_approves_first_and_reports_later_has_approved_nothing() -> None:
    bench = Wiretap()
    bench.observes(sensor="other", caveats=SENSITIVE)
    assert bench.approves(CAROL) == ""
    assert bench.announced == [CONTENT]
    bench.observes(sensor="edge", caveats=SENSITIVE)
    assert bench.announced[-1][0] == "recalled"
    assert bench.replays(0) == "nothing-to-do"
    assert bench.approves(CAROL) == "own-report"
    assert bench.approves(ALICE) == ""
    assert bench.announced[-1] == CONTENT


def test_half_of_an_approval_is_void_when_the_approver_s_sensor_reports_it() -> None:
    bench = Wiretap()
    bench.observes(sensor="other", caveats=CLASS_3)
    bench.approves(CAROL)
    bench.observes(sensor="edge", caveats=CLASS_3)
    assert bench.approves(ALICE) == ""
    assert bench.announced == []
    assert bench.approves(BOB) == ""
    assert bench.announced == [CONTENT]


def test_a_recall_and_the_lifts_that_ended_it_count_once() -> None:
    bench = Wiretap()
    bench.observes()
    bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand")
    veto = str(bench.decisions[-1]["veto"]["command_id"])
    bench.gives(ALICE, CommandKind.LIFT, about=veto)
    bench.gives(BOB, CommandKind.LIFT, about=veto)
    reported = bench.announced
    assert reported[-1] == CONTENT
    assert [bench.replays(number) for number in range(3)] == ["nothing-to-do"] * 3
    assert bench.announced == reported


def test_a_reissue_sends_once() -> None:
    bench = Wiretap()
    bench.observes()
    assert bench.gives(ALICE, CommandKind.REISSUE, partner="JPN") == ""
    reported = bench.announced
    assert bench.replays(0) == "nothing-to-do"
    assert bench.announced == reported


def test_what_was_used_outlives_a_restart_and_is_forgotten_only_when_it_has_expired() -> None:
    bench = Wiretap()
    bench.observes()
    bench.gives(ALICE, CommandKind.REISSUE, partner="JPN")
    bench.restarts_under(bench.policy)
    assert bench.replays(0) == "nothing-to-do"
    bench.now_ms += 3 * DAY_MS
    assert bench.gives(BOB, CommandKind.REISSUE, partner="JPN") == ""
    [(_, row)] = bench.rows()
    assert row.officers is not None
    assert len(row.officers.used) == 1
    assert bench.replays(0) == "command-expired"


def test_a_command_that_was_signed_in_the_future_is_refused() -> None:
    bench = Wiretap()
    late = NOW_MS + 3 * DAY_MS
    made = signed_command(CODEC, a_recall(issued_ms=late, expires_ms=late + DAY_MS), key_of(ALICE))
    assert bench.arrives_as(CODEC.encode(COMMAND, made), NAME.encode()) == "malformed-command"


def used(number: int) -> Used:
    return Used(number.to_bytes(16, "big"), NOW_MS + number, NOW_MS + DAY_MS)


def test_of_more_commands_than_are_remembered_the_forgotten_loosen_nothing() -> None:
    known = NO_DECISIONS
    for number in range(MAX_USED + 3):
        known = known.having_used(used(number), NOW_MS)
    assert len(known.used) == MAX_USED
    for number in range(MAX_USED + 3):
        assert known.is_used(used(number).digest, used(number).issued_ms, loosens=True)
    assert not known.is_used(b"a recall", NOW_MS, loosens=False), "what forbids is always obeyed"
    assert not known.is_used(b"a later lift", NOW_MS + MAX_USED + 3, loosens=True)


def a_review(number: int, state: str = officers.OPEN) -> Review:
    group = number.to_bytes(16, "big")
    return Review("JPN", question_of(group, number), 1, NOW_MS, NOW_MS + number, state, groups=(group,))


def test_of_more_questions_than_are_remembered_the_next_ends_with_the_forgotten() -> None:
    known = NO_DECISIONS.with_review("JPN", a_review(1, officers.REFUSED))
    for number in range(2, MAX_ASKED + 4):
        known = known.with_review("JPN", a_review(number))
    known = known.with_review("JPN", None)
    assert len(known.asked) == MAX_ASKED
    assert (known.lapse_ms, known.opening) == (NOW_MS + 2, MAX_ASKED + 3)
    assert known.as_left(a_review(1)).state == officers.REFUSED, "a refusal is forgotten last"
    assert known.as_left(a_review(1_000)).deadline_ms == NOW_MS + 2


def test_what_was_never_asked_opens_even_beside_what_was_refused() -> None:
    known = NO_DECISIONS.with_review("JPN", a_review(1, officers.REFUSED)).with_review("JPN", None)
    both = msgspec.structs.replace(a_review(2), groups=(*a_review(1).groups, *a_review(2).groups))
    assert known.as_left(both) == both


def test_what_was_approved_is_asked_anew() -> None:
    known = NO_DECISIONS.with_review("JPN", a_review(1)).with_review("JPN", None)
    known = known.with_review("JPN", a_review(1, officers.APPROVED)).with_review("JPN", None)
    later = msgspec.structs.replace(a_review(1), deadline_ms=NOW_MS + DAY_MS)
    assert known.as_left(later) == later
