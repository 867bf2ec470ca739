"""A feed that gets worse never makes a requirement met: whatever is degraded, unreadable or missing."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from producers.conformance.facts import (
    Ended,
    Fact,
    FactPlace,
    Kept,
    Refusal,
    Sent,
    Signature,
    Statement,
    Unread,
)
from producers.conformance.judge import Met
from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.topics import DAY_MS
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.producers.conformance.feeds import MARKING, a_feed, met

Degrade = Callable[[Any], Fact | None]


def _set(**changes: Any) -> Degrade:
    return lambda fact: msgspec.structs.replace(fact, **changes)


def _older(fact: Statement) -> Fact | None:
    """Seen long before it was published; what is later than its publication stays so."""
    return msgspec.structs.replace(fact, last_seen_ms=1) if 0 < fact.last_seen_ms <= fact.at_ms else None


def _not_understood(fact: Statement) -> Fact:
    caveats = tuple(sorted({*fact.marking.caveats, Caveat.UNRECOGNISED}))
    return msgspec.structs.replace(fact, marking=msgspec.structs.replace(fact.marking, caveats=caveats))


def _unmarked(fact: Statement) -> Fact:
    """Nothing is stated about sharing, but for the incident."""
    return msgspec.structs.replace(fact, marking=Marking(caveats=fact.marking.caveats), tlp="")


def _no_recipients(fact: Statement) -> Fact:
    is_named = fact.marking.releasable_to is not None
    return msgspec.structs.replace(
        fact, marking=msgspec.structs.replace(fact.marking, releasable_to=()) if is_named else fact.marking
    )


def _no_pap(fact: Statement) -> Fact:
    return msgspec.structs.replace(fact, marking=msgspec.structs.replace(fact.marking, pap=Pap.UNSTATED))


def _ended(fact: Statement) -> Fact | None:
    return None if fact.is_withdrawal else msgspec.structs.replace(fact, valid_until_ms=1)


def _unread(reason: RejectReason) -> Degrade:
    return lambda fact: Unread(fact.place, reason)


def _odd_code(fact: Statement) -> Fact:
    refused = fact.refused or RejectReason.UNKNOWN_WITHDRAWAL
    return msgspec.structs.replace(fact, refused=refused, has_odd_code=True)


def _refused(reason: RejectReason) -> Degrade:
    """Intake's order of reasons: a type that is unknown is found first."""

    def degrade(fact: Statement) -> Fact:
        first = fact.refused if fact.refused is RejectReason.UNKNOWN_TYPE else reason
        return msgspec.structs.replace(fact, refused=first)

    return degrade


def _invalid(fact: Statement) -> Fact:
    reason = fact.refused or RejectReason.INVALID_VALUE
    return msgspec.structs.replace(fact, key=b"", is_canonical=False, refused=reason)


_OF_STATEMENTS: Final[tuple[Degrade, ...]] = (
    _set(is_canonical=False),
    _set(confidence=-1),
    _set(labels=0),
    _set(last_seen_ms=0, first_seen_ms=0),
    _set(kind=None, key=b"", is_canonical=False, refused=RejectReason.UNKNOWN_TYPE),
    _older,
    _not_understood,
    _unmarked,
    _no_recipients,
    _no_pap,
    _ended,
    _invalid,
    _refused(RejectReason.TIME_OUT_OF_RANGE),
    _odd_code,
    _unread(RejectReason.UNREADABLE_LINE),
    _unread(RejectReason.UNKNOWN_TYPE),
)
_OF_REPORTS: Final[tuple[Degrade, ...]] = (
    _set(signature=Signature.INVALID),
    _set(signature=Signature.MISSING),
    _set(nation="JPN"),
    _set(key="other"),
    _set(built_ms=NOW_MS + DAY_MS),
    _set(digest=b"other"),
    _unread(RejectReason.UNDECODABLE),
)
_BY_KIND: Final[dict[type, tuple[Degrade, ...]]] = {
    Statement: _OF_STATEMENTS,
    Sent: _OF_REPORTS,
    Ended: (_set(is_damaged=True),),
    Kept: (_set(retention_ms=1), _set(is_broker_time=False)),
    Refusal: (_set(is_open=True), _set(is_open=True, at_ms=1)),
}
_START: Final = a_feed()
_MAY: Final = tuple(at for at, each in enumerate(_START) if type(each) in _BY_KIND)


@st.composite
def feeds(draw: st.DrawFn) -> tuple[list[Fact], list[Fact]]:
    """A feed, with any defects, and the same feed with one more."""
    facts: list[Fact] = list(_START)
    for _ in range(draw(st.integers(0, 3))):
        _degrade(draw, facts)
    before = list(facts)
    if draw(st.booleans()):
        _degrade(draw, facts)
    else:  # a report among others does not arrive, with all that it states
        lost = draw(st.sampled_from((1, 2)))
        facts = [each for each in facts if not _is_of(each, lost)]
    return before, facts


def _is_of(fact: Fact, number: int) -> bool:
    place = getattr(fact, "place", None)
    return isinstance(place, FactPlace) and (place.where, place.at) == ("partition 0", number)


def _degrade(draw: st.DrawFn, facts: list[Fact]) -> None:
    at = draw(st.sampled_from(_MAY))
    ways = _BY_KIND.get(type(facts[at]))
    if ways is not None:  # it was made unreadable before
        facts[at] = draw(st.sampled_from(ways))(facts[at]) or facts[at]


@given(feeds())
def test_a_feed_that_gets_worse_never_makes_a_requirement_met(both: tuple[list[Fact], list[Fact]]) -> None:
    before, after = map(met, both)
    better = {name for name in after if after[name] is Met.MET and before[name] is not Met.MET}
    assert not better


@given(st.permutations(range(4)))
def test_the_order_of_observations_changes_nothing(order: list[int]) -> None:
    """Of one report; the reports' own order is that of the topic."""
    marks = (MARKING, Marking(), Marking(tlp=Tlp.GREEN, releasable_to=None), MARKING)
    statements = [each for each in _START if isinstance(each, Statement)][:4]
    changed = [msgspec.structs.replace(each, marking=mark) for each, mark in zip(statements, marks, strict=True)]
    assert met([changed[at] for at in order]) == met(changed)
