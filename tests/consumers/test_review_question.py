"""Which question a verdict answers, and which marking an officer may give. Without a broker."""

import pytest

from consumers.desk.review import Question, Settled, find_question, officer_marking
from exchange.errors import NotFound, Refused
from schemas.records import Decision
from tests.builders import a_decision, a_review_pending, a_verdict, an_id

PARTNER = a_review_pending()["partner"]


def _no_decisions() -> list[Decision]:
    raise NotFound("no decision on it")


def test_an_open_question_is_found_without_reading_the_decisions() -> None:
    approved = a_verdict(verdict="approve")
    pending = a_review_pending(needed=3, verdicts=[approved, approved, a_verdict(verdict="refuse", person="b.jones")])

    def unread() -> list[Decision]:
        pytest.fail("the decisions were read")

    found = find_question([pending], unread, [an_id()], "", may_be_approved=False)
    assert found == Question(an_id(), PARTNER, bytes(16), "GBR-0-0", missing=2)


def test_a_question_that_is_open_for_several_partners_needs_one_of_them() -> None:
    several = [a_review_pending(partner="AUS"), a_review_pending(partner="JPN")]
    with pytest.raises(Refused, match="choose one with --partner: AUS, JPN"):
        find_question(several, _no_decisions, [an_id()], "", may_be_approved=False)
    found = find_question(several, _no_decisions, [an_id()], "AUS", may_be_approved=False)
    assert isinstance(found, Question)
    assert found.partner == "AUS"


@pytest.mark.parametrize("review", ["approved", "refused", "lapsed"])
def test_a_settled_question_is_reported_with_its_last_decision(review: str) -> None:
    decisions = [a_decision(review="approved", decision_id="0-0"), a_decision(review=review, decision_id="0-7")]
    found = find_question([], lambda: decisions, [an_id()], "", may_be_approved=False)
    assert isinstance(found, Settled)
    assert found.decision["decision_id"] == "0-7"


def test_an_approved_question_can_still_be_refused() -> None:
    approved = a_decision(review="approved", question=b"q", decision_id="0-7")
    found = find_question([], lambda: [approved], [an_id()], "", may_be_approved=True)
    assert found == Question(an_id(), PARTNER, b"q", "0-7", missing=0)
    lapsed = find_question([], lambda: [a_decision(review="lapsed")], [an_id()], "", may_be_approved=True)
    assert isinstance(lapsed, Settled)


def test_what_was_never_held_is_not_found() -> None:
    for decision in (a_decision(), a_decision(review="approved", partner="AUS")):
        decisions = [decision]
        with pytest.raises(NotFound, match="is open: it was settled"):
            find_question([], decisions.copy, [an_id()], PARTNER, may_be_approved=True)
    with pytest.raises(NotFound, match="no decision on it"):
        find_question([], _no_decisions, [an_id()], "", may_be_approved=False)


@pytest.mark.parametrize(
    ("tlp", "recipients", "code"),
    [("CLEAR", [], 0), ("tlp:green", [], 1), ("AMBER", ["JPN", "AUS", "JPN"], 2), ("AMBER+STRICT", ["JPN"], 3)],
)
def test_an_officer_gives_a_marking_with_its_recipients(tlp: str, recipients: list[str], code: int) -> None:
    assert officer_marking(tlp, recipients) == {
        "tlp": code,
        "pap": 0,
        "releasable_to": sorted(set(recipients)) or None,
        "caveats": [],
    }


def test_no_label_is_no_marking() -> None:
    assert officer_marking("", []) is None


@pytest.mark.parametrize(
    ("tlp", "recipients", "why"),
    [("", ["JPN"], "goes with --tlp"), ("AMBER", [], "needs its recipients"), ("RED", ["JPN"], "CLEAR, GREEN, AMBER")],
)
def test_a_marking_that_an_officer_may_not_give_is_refused(tlp: str, recipients: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        officer_marking(tlp, recipients)
