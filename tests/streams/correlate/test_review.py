"""Review by people: who may approve, how many, until when, of what; and what an approval cannot do."""

import pytest

from schemas.records import MarkingRecord
from schemas.vocabulary import CommandKind
from tests.officers import ALICE, BOB, CAROL
from tests.streams.officers_bench import HOUR_MS, OfficersBench

CLASS_3 = "機密性3情報"
CONTENT = ("content", "")
GREEN: MarkingRecord = {"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []}
AMBER: MarkingRecord = {"tlp": 2, "pap": 0, "releasable_to": ["JPN"], "caveats": []}


def held_for_one() -> OfficersBench:
    bench = OfficersBench()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    return bench


def held_for_two() -> OfficersBench:
    bench = OfficersBench()
    bench.observes(caveats=(CLASS_3,))
    return bench


def test_what_is_held_is_shown_to_officers_with_its_rules_and_its_deadline() -> None:
    bench = held_for_two()
    (shown,) = bench.shown
    assert shown["rules"] == ["caveat-confidentiality-3"]
    assert (shown["needed"], shown["sensors"]) == (2, ["edge"])
    assert shown["deadline_ms"] == bench.now_ms + 72 * HOUR_MS
    assert shown["decision_id"] == bench.decisions[-1]["decision_id"]
    assert bench.decisions[-1]["review"] == "open"
    assert bench.announced == []


def test_an_approval_releases_it_and_the_audit_states_by_whom() -> None:
    bench = held_for_one()
    assert bench.approves(ALICE) == ""
    assert bench.announced == [CONTENT]
    assert bench.pending == []
    decision = bench.decisions[-1]
    assert (decision["outcome"], decision["review"]) == ("release", "approved")
    assert [(each["person"], each["verdict"]) for each in decision["verdicts"]] == [(ALICE, "approve")]
    assert decision["obligations"] == ["coarsen-time:hour", "expire-after-days:180", "pap-at-least:GREEN"]
    assert bench.released[-1]["content"]["pap"] == "PAP:GREEN"


def test_what_people_have_approved_goes_without_a_text_that_they_have_not_seen() -> None:
    bench = OfficersBench()
    bench.observes(caveats=("OFFICIAL-SENSITIVE",), tearline="for release")
    assert bench.approves(ALICE) == ""
    assert bench.announced == [CONTENT]
    assert "tearline" not in bench.released[-1]["content"]


def test_two_officers_are_two_people_and_not_two_keys() -> None:
    bench = held_for_two()
    assert bench.approves(ALICE) == ""
    assert bench.announced == []
    assert bench.shown[-1]["verdicts"][0]["person"] == ALICE
    assert bench.approves(ALICE) == "nothing-to-do"
    assert bench.approves(ALICE, number=2) == "nothing-to-do"
    assert bench.announced == []
    assert bench.approves(BOB) == ""
    assert bench.announced == [CONTENT]


def test_who_runs_the_sensor_cannot_approve_its_report_but_can_refuse_it() -> None:
    bench = held_for_one()
    assert bench.approves(CAROL) == "own-report"
    assert bench.announced == []
    assert bench.judges(CAROL, "refuse") == ""
    assert bench.pending == []


def test_a_refusal_withholds_it_whatever_others_have_stated() -> None:
    bench = held_for_two()
    bench.approves(ALICE)
    assert bench.judges(BOB, "refuse") == ""
    assert bench.decisions[-1]["outcome"] == "withhold"
    assert bench.decisions[-1]["rules"] == ["caveat-confidentiality-3", "review-refused"]
    assert bench.approves(CAROL) == "nothing-to-do"
    assert bench.announced == []


def test_what_was_approved_and_is_refused_after_all_is_recalled() -> None:
    bench = held_for_one()
    bench.approves(ALICE)
    assert bench.judges(BOB, "refuse") == ""
    assert bench.announced == [CONTENT, ("recalled", "recalled-by-hand")]


def test_after_the_deadline_it_is_withheld_and_an_approval_is_refused() -> None:
    bench = held_for_one()
    bench.waits(72 * HOUR_MS)
    assert bench.pending == []
    assert bench.decisions[-1]["outcome"] == "withhold"
    assert bench.decisions[-1]["rules"] == ["caveat-official-sensitive", "review-lapsed"]
    assert bench.approves(ALICE) == "deadline-passed"
    assert "2026-" in bench.quarantine[-1]["detail"]
    assert bench.announced == []


def test_an_approval_that_comes_with_the_deadline_is_too_late() -> None:
    bench = held_for_one()
    bench.now_ms = bench.shown[-1]["deadline_ms"]
    assert bench.approves(ALICE) == "deadline-passed"
    assert bench.announced == []


def test_repetition_does_not_move_the_deadline() -> None:
    bench = held_for_one()
    bench.waits(71 * HOUR_MS)
    bench.observes(caveats=("OFFICIAL-SENSITIVE",))
    bench.waits(HOUR_MS)
    assert bench.decisions[-1]["review"] == "lapsed"


def test_a_verdict_on_what_has_changed_since_has_no_effect() -> None:
    bench = held_for_one()
    question = bench.shown[-1]["question"]
    bench.observes(sensor="other", caveats=(CLASS_3,))
    assert bench.shown[-1]["question"] != question
    assert bench.approves(ALICE, question=question) == "not-as-asked"
    assert bench.announced == []


def test_more_of_the_same_is_no_other_question() -> None:
    bench = held_for_one()
    question = bench.shown[-1]["question"]
    bench.observes(sensor="other", caveats=("OFFICIAL-SENSITIVE",))
    assert bench.approves(ALICE, question=question) == ""
    assert bench.announced == [CONTENT]
    assert bench.released[-1]["content"]["sightings"] == 4


def test_what_was_approved_is_recalled_when_its_marking_changes_and_asked_again() -> None:
    bench = held_for_one()
    bench.approves(ALICE)
    bench.observes(caveats=("OFFICIAL-SENSITIVE", CLASS_3))
    assert bench.announced == [CONTENT, ("recalled", "marking-tightened")]
    assert bench.shown[-1]["needed"] == 2
    assert bench.shown[-1]["verdicts"] == []
    assert bench.pending


def test_what_does_not_need_anybody_any_more_is_taken_away() -> None:
    bench = held_for_one()
    bench.observes()
    assert bench.announced == [CONTENT]
    assert bench.pending == []
    assert bench.decisions[-1]["review"] == ""


def test_no_one_approves_what_is_red() -> None:
    bench = OfficersBench()
    bench.observes("TLP:RED")
    assert bench.shown == []
    bench.observes(sensor="other", caveats=("OFFICIAL-SENSITIVE",))
    assert bench.approves(ALICE) == ""
    (released,) = bench.released
    assert released["content"]["sightings"] == 2, "what is red stays out of it"
    assert released["content"]["tlp"] == "TLP:GREEN"


@pytest.mark.parametrize("caveat", ["UK EYES ONLY", "JAPAN EYES ONLY"])
def test_no_one_approves_what_is_for_national_eyes_only(caveat: str) -> None:
    bench = OfficersBench()
    bench.observes(caveats=("OFFICIAL-SENSITIVE", caveat))
    assert bench.shown == []
    assert bench.decisions[-1]["outcome"] == "withhold"


def test_what_has_no_marking_needs_one_with_the_approval() -> None:
    bench = OfficersBench()
    bench.observes("")
    assert bench.approves(ALICE) == "not-as-asked"
    assert "needs one" in bench.quarantine[-1]["detail"]
    assert bench.announced == []
    assert bench.approves(ALICE, marking=GREEN) == ""
    assert bench.released[-1]["content"]["tlp"] == "TLP:GREEN"
    assert bench.decisions[-1]["assigned"] == GREEN
    assert bench.decisions[-1]["obligations"] == ["coarsen-time:hour", "expire-after-days:180", "pap-at-least:GREEN"]


def test_a_marking_that_names_recipients_names_them_in_the_release() -> None:
    bench = OfficersBench()
    bench.observes("")
    assert bench.approves(ALICE, marking=AMBER) == ""
    content = bench.released[-1]["content"]
    assert (content["tlp"], content["releasable_to"]) == ("TLP:AMBER", ["JPN"])


@pytest.mark.parametrize("tlp", [2, 4, 5])
def test_no_one_marks_it_red_unmarked_or_amber_for_no_one(tlp: int) -> None:
    bench = OfficersBench()
    bench.observes("")
    assert bench.approves(ALICE, marking={**GREEN, "tlp": tlp}) == "malformed-command"


def test_an_officer_s_marking_loosens_nothing_that_a_source_has_stated() -> None:
    bench = OfficersBench()
    bench.observes("", releasable_to=("GBR",))
    assert bench.shown == []
    bench = OfficersBench()
    bench.observes("", caveats=("UK EYES ONLY",))
    assert bench.shown == []


def test_approvals_outlive_a_restart() -> None:
    bench = held_for_two()
    bench.approves(ALICE)
    bench.restarts_under(bench.policy)
    assert bench.approves(BOB) == ""
    assert bench.announced == [CONTENT]


def test_a_veto_goes_before_an_approval() -> None:
    bench = held_for_one()
    bench.gives(BOB, CommandKind.RECALL, reason_code="recalled-by-hand")
    assert bench.approves(ALICE) == ""
    assert bench.announced == []
    assert bench.decisions[-1]["rules"] == ["standing-veto"]
