"""Requirement by requirement: a feed that meets it, and feeds that do not."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from producers.conformance.checks import ALSO_UNREAD, CHECKS, MAY_BE_ABSENT
from producers.conformance.facts import (
    Ended,
    Fact,
    FactPlace,
    Kept,
    Listed,
    Refusal,
    Sent,
    Signature,
    Statement,
    Unread,
)
from producers.conformance.judge import Met, Outcome, outcome
from producers.conformance.standard import Shown, standard
from schemas.canary import CANARY_ID
from schemas.identity import key_of_id
from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.topics import AUDIT, DAY_MS, QUARANTINE, SENSOR_REPORTS
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.producers.conformance.feeds import (
    ALL,
    HOUR_MS,
    MARKING,
    QUESTION,
    a_feed,
    a_statement,
    energy,
    met,
    results,
)

Change = Callable[[list[Fact]], list[Fact]]


def one(kind: type, **changes: Any) -> Change:
    """The same feed with its second fact of this kind changed."""

    def change(facts: list[Fact]) -> list[Fact]:
        at = [at for at, each in enumerate(facts) if isinstance(each, kind)][1]
        changed = msgspec.structs.replace(facts[at], **changes)
        return [*facts[:at], changed, *facts[at + 1 :]]

    return change


def with_(*more: Fact) -> Change:
    """The same feed and more."""
    return lambda facts: [*facts, *more]


def instead(*, of: Fact, put: Fact) -> Change:
    """The same feed with one fact in place of an equal one."""
    return lambda facts: [put if each == of else each for each in facts]


def without(unwanted: Callable[[Fact], bool]) -> Change:
    """The same feed with less."""
    return lambda facts: [each for each in facts if not unwanted(each)]


def marked(**changes: Any) -> Change:
    return one(Statement, marking=msgspec.structs.replace(MARKING, **changes))


def report(number: int) -> Callable[[Fact], bool]:
    return lambda fact: (
        isinstance(fact, Sent | Statement)
        and fact.place == FactPlace("partition 0", number, getattr(fact.place, "index", -1))
    )


REPORTS = Kept(SENSOR_REPORTS, 7 * DAY_MS, is_broker_time=True)
NOT_UNDERSTOOD = (Caveat.INCIDENT, Caveat.UNRECOGNISED)
OPEN = Refusal("sensor.reports.v1-0-8-0", "invalid-value", NOW_MS - HOUR_MS, is_open=True)
FAILS: dict[str, tuple[Change, ...]] = {
    "KKH-IDS-01": (one(Sent, nation="JPN"), one(Sent, sensor="other"), one(Sent, key="other")),
    "KKH-IDS-02": (one(Sent, sequence=0),),
    "KKH-IDS-03": tuple(one(Sent, signature=each) for each in Signature if each is not Signature.VALID),
    "KKH-CAN-01": (
        one(Statement, key=b"", is_canonical=False, refused=RejectReason.INVALID_VALUE),
        with_(Unread(FactPlace("feed.csv", 7), RejectReason.UNKNOWN_TYPE)),
    ),
    "KKH-CAN-02": (one(Statement, is_canonical=False),),
    "KKH-CAN-03": (one(Statement, refused=RejectReason.TIME_OUT_OF_RANGE),),
    "KKH-MRK-01": (one(Statement, marking=Marking(), tlp=""),),
    "KKH-MRK-02": (marked(caveats=NOT_UNDERSTOOD),),
    "KKH-MRK-03": (one(Statement, tlp="amber"), one(Statement, tlp="TLP:WHITE"), one(Statement, tlp="")),
    "KKH-MRK-04": (marked(releasable_to=()), marked(tlp=Tlp.AMBER_STRICT, releasable_to=())),
    "KKH-MRK-05": (marked(pap=Pap.UNSTATED),),
    "KKH-TIM-01": (one(Statement, last_seen_ms=0),),
    "KKH-TIM-02": (one(Statement, last_seen_ms=NOW_MS - 5 * HOUR_MS),),
    "KKH-TIM-03": (one(Sent, built_ms=NOW_MS - 5 * HOUR_MS),),
    "KKH-TIM-04": (one(Sent, built_ms=NOW_MS), one(Statement, last_seen_ms=NOW_MS)),
    "KKH-TIM-05": (instead(of=REPORTS, put=msgspec.structs.replace(REPORTS, is_broker_time=False)),),
    "KKH-CMP-01": (without(lambda fact: isinstance(fact, Statement) and not fact.is_withdrawal),),
    "KKH-CMP-02": (
        with_(Ended(FactPlace("feed.csv", 0), is_damaged=True)),
        with_(Unread(FactPlace("feed.csv", 0), RejectReason.UNKNOWN_FORMAT, is_whole=True)),
    ),
    "KKH-CMP-03": (without(report(1)), without(report(0))),
    "KKH-CMP-04": (with_(Listed(FactPlace("list.txt", 9), b"new" * 5 + b"n")),),
    "KKH-CMP-05": (one(Statement, confidence=-1),),
    "KKH-CMP-06": (one(Statement, labels=0),),
    "KKH-WDR-01": (without(lambda fact: fact == Listed(FactPlace("list.txt", 2), (1).to_bytes(16, "big"))),),
    "KKH-WDR-02": (one(Statement, valid_until_ms=NOW_MS - DAY_MS),),
    "KKH-WDR-03": (one(Statement, valid_until_ms=0),),
    "KKH-WDR-04": (
        one(Statement, is_withdrawal=True, refused=RejectReason.INVALID_VALUE),
        one(Statement, refused=RejectReason.UNKNOWN_WITHDRAWAL, has_odd_code=True),
    ),
    "KKH-REF-01": (
        one(Statement, refused=RejectReason.TOO_LARGE),
        with_(Unread(FactPlace("feed.csv", 7), RejectReason.UNREADABLE_LINE)),
        with_(OPEN),
    ),
    "KKH-REF-02": (with_(msgspec.structs.replace(OPEN, at_ms=NOW_MS - 25 * HOUR_MS)),),
    "KKH-RET-01": (instead(of=REPORTS, put=msgspec.structs.replace(REPORTS, retention_ms=6 * DAY_MS)),),
    "KKH-RET-02": (with_(Kept(QUARANTINE, 30 * DAY_MS, is_broker_time=False)),),
    "KKH-RET-03": (with_(Kept(AUDIT, 365 * DAY_MS, is_broker_time=False)),),
    "KKH-INC-01": (lambda facts: [_delayed(each) for each in facts],),
    "KKH-INC-02": (lambda facts: [_moved(each, 20 * HOUR_MS) for each in facts],),
    "KKH-INC-03": (lambda facts: [_typed(each) for each in facts],),
    "KKH-INC-04": (one(Statement, first_seen_ms=0),),
}


def _delayed(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, at_ms=NOW_MS + 2 * HOUR_MS) if isinstance(fact, Statement) else fact


def _moved(fact: Fact, by_ms: int) -> Fact:
    if not isinstance(fact, Sent) or fact.sequence:
        return fact
    return msgspec.structs.replace(fact, published_ms=fact.published_ms - by_ms)


def _typed(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, kind=None) if isinstance(fact, Statement) else fact


def test_what_fails_one_requirement_does_not_fail_the_one_about_its_form() -> None:
    unmarked = results(one(Statement, marking=Marking(), tlp="")(a_feed()))
    assert (unmarked["KKH-MRK-01"].result, unmarked["KKH-MRK-03"].result) == (Met.NOT_MET, Met.MET)
    unknown = results(one(Statement, marking=Marking(caveats=NOT_UNDERSTOOD), tlp="TLP:PURPLE")(a_feed()))
    assert unknown["KKH-MRK-03"].result is Met.NOT_MET
    invalid = one(Statement, key=b"", is_canonical=False, refused=RejectReason.INVALID_VALUE)(a_feed())
    assert (results(invalid)["KKH-CAN-01"].result, results(invalid)["KKH-CAN-02"].result) == (Met.NOT_MET, Met.MET)


def test_every_requirement_has_its_checks_and_no_other_has() -> None:
    numbers = set(standard().by_id)
    assert set(CHECKS) == numbers == set(FAILS)
    assert numbers >= MAY_BE_ABSENT | ALSO_UNREAD


def test_a_feed_that_meets_everything_is_found_to() -> None:
    found = results(a_feed())
    assert {name: each.result for name, each in found.items() if each.result is not Met.MET} == {}
    assert outcome(found.values(), standard(), ALL) is Outcome.MET


def _failing() -> Iterator[tuple[str, int]]:
    yield from ((name, at) for name, changes in FAILS.items() for at in range(len(changes)))


@pytest.mark.parametrize(("name", "at"), list(_failing()))
def test_a_feed_that_fails_a_requirement_is_found_to(name: str, at: int) -> None:
    found = results(FAILS[name][at](a_feed()))
    failed = found[name]
    assert failed.result is Met.NOT_MET
    assert failed.failed == 1 or name in {"KKH-INC-01", "KKH-INC-04"} or failed.failed > 0
    assert failed.examples
    assert all(example.why.en and example.why.ja for example in failed.examples)
    expected = Outcome.NOT_MET if name in energy().incident("ransomware").must else None
    assert expected is None or outcome(found.values(), standard(), ALL) is expected


def test_no_requirement_is_met_by_silence() -> None:
    for shown in (ALL, (Shown.FILE,), (Shown.TOPIC,)):
        found = results([], shown=shown)
        assert Met.MET not in {each.result for each in found.values()}
        assert found["KKH-CMP-01"].result is Met.NOT_MET
        assert outcome(found.values(), standard(), shown) is Outcome.NOT_MET


@pytest.mark.parametrize("shown", [(Shown.FILE,), (Shown.TOPIC,), (Shown.TOPIC, Shown.COMPARISON)])
def test_what_the_input_does_not_show_cannot_be_judged(shown: tuple[Shown, ...]) -> None:
    found = results(a_feed(), shown=shown)
    for each in standard().requirements:
        is_shown = not set(shown).isdisjoint(each.shown_by)
        assert (found[each.id].result is Met.MET) == is_shown
        assert is_shown or found[each.id].because.en
    is_whole = all(not set(shown).isdisjoint(each.shown_by) for each in standard().requirements)
    expected = Outcome.MET if is_whole else Outcome.MET_AS_FAR_AS_JUDGED
    assert outcome(found.values(), standard(), shown) is expected


def test_one_piece_that_cannot_be_read_leaves_open_what_it_may_be_about() -> None:
    found = met([*a_feed(), Unread(FactPlace("feed.csv", 7), RejectReason.LINE_TOO_LONG)])
    assert found["KKH-MRK-01"] is Met.CANNOT_BE_JUDGED
    assert found["KKH-CMP-01"] is Met.MET


def test_a_feed_without_an_incident_has_nothing_to_show_about_one() -> None:
    calm = msgspec.structs.replace(QUESTION, aware_ms=0)
    quiet = [
        msgspec.structs.replace(each, marking=msgspec.structs.replace(MARKING, caveats=()))
        if isinstance(each, Statement)
        else each
        for each in a_feed()
    ]
    found = met(quiet, calm)
    assert [found[f"KKH-INC-{each}"] for each in ("01", "03", "04")] == [Met.NOT_APPLICABLE] * 3
    assert met(a_feed(), calm)["KKH-INC-01"] is Met.CANNOT_BE_JUDGED, "when did the operator become aware of it?"


def test_before_the_clock_has_run_out_an_incident_is_not_late() -> None:
    early = msgspec.structs.replace(QUESTION, aware_ms=NOW_MS - HOUR_MS)
    assert met([], early)["KKH-INC-01"] is Met.CANNOT_BE_JUDGED
    assert met([], QUESTION)["KKH-INC-01"] is Met.CANNOT_BE_JUDGED
    late = msgspec.structs.replace(QUESTION, aware_ms=NOW_MS - 7 * HOUR_MS)
    assert met([], late)["KKH-INC-01"] is Met.NOT_MET


def test_an_earlier_incident_does_not_stand_for_this_one() -> None:
    later = msgspec.structs.replace(QUESTION, now_ms=NOW_MS + 9 * HOUR_MS, aware_ms=NOW_MS + HOUR_MS)
    assert met(a_feed(), later)["KKH-INC-01"] is Met.NOT_MET


def test_after_records_were_deleted_by_age_a_sequence_need_not_begin_with_0() -> None:
    facts = [each for each in a_feed() if not report(0)(each)]
    later = [msgspec.structs.replace(each, begin=1) if hasattr(each, "begin") else each for each in facts]
    assert met(facts)["KKH-CMP-03"] is Met.NOT_MET
    assert met(later)["KKH-CMP-03"] is Met.MET


def test_what_an_officer_has_sent_again_is_not_late() -> None:
    again = a_statement(1, last_seen_ms=NOW_MS - 9 * HOUR_MS, is_redriven=True)
    assert met([*a_feed(), again])["KKH-TIM-02"] is Met.MET


def test_the_canary_of_the_exchange_is_no_observation_of_the_feed() -> None:
    canary = a_statement(1, key=key_of_id(CANARY_ID), value="canary.kakehashi.example")
    assert met([*a_feed(), canary])["KKH-WDR-01"] is Met.MET
    assert met([canary])["KKH-CMP-01"] is Met.NOT_MET


def test_an_empty_list_ends_nothing() -> None:
    facts = [each for each in a_feed() if not isinstance(each, Listed)]
    assert met(facts)["KKH-WDR-01"] is Met.CANNOT_BE_JUDGED


RED = Marking(tlp=Tlp.RED, releasable_to=())
STRICT = Marking(tlp=Tlp.AMBER_STRICT, releasable_to=("JPN",))
EYES = Marking(tlp=Tlp.GREEN, releasable_to=None, caveats=(Caveat.UK_EYES_ONLY,))


@pytest.mark.parametrize("marking", [RED, STRICT, EYES, Marking()], ids=["red", "strict", "eyes only", "unmarked"])
def test_a_value_that_is_restricted_is_in_no_report(marking: Marking) -> None:
    secret = a_statement(1, marking=marking, confidence=-1, value="secret.example")
    for values in (True, False):
        found = results([secret], values=values)
        assert "secret.example" not in msgspec.json.encode(tuple(found.values())).decode()


@pytest.mark.parametrize("order", [1, -1])
def test_a_value_that_is_restricted_anywhere_in_the_feed_is_in_no_report(order: int) -> None:
    open_ = a_statement(1, confidence=-1, value="secret.example")
    restricted = a_statement(1, marking=RED, value="secret[.]example")
    found = results([open_, restricted][::order], values=True)
    assert "secret" not in msgspec.json.encode(tuple(found.values())).decode()


def test_a_value_is_shown_if_it_is_asked_for_and_its_marking_allows_it() -> None:
    open_ = a_statement(1, confidence=-1, value="\u202ebad.example")
    [example] = results([open_], values=True)["KKH-CMP-05"].examples
    assert example.value == "\\u202ebad.example", "what changes the direction of text is shown, not obeyed"
    [example] = results([open_])["KKH-CMP-05"].examples
    assert example.value == ""


def test_a_value_that_is_invalid_is_counted_once_and_not_for_its_spelling_too() -> None:
    found = results(one(Statement, key=b"", is_canonical=False, refused=RejectReason.INVALID_VALUE)(a_feed()))
    assert (found["KKH-CAN-01"].failed, found["KKH-CAN-02"].failed) == (1, 0)
    assert found["KKH-CAN-02"].checked == found["KKH-CAN-01"].checked - 1
