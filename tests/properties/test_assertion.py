"""The laws by which a source's statements and counts merge: the same in every order, however they are put together."""

from collections.abc import Sequence
from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from schemas.markings import Caveat, Marking, Pap, Tlp, joined
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion, Tally
from streams.correlate.statement import Statement
from streams.correlate.terms import MAX_LABELS

MARKINGS = st.builds(
    Marking,
    tlp=st.sampled_from([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED]),
    pap=st.sampled_from([Pap.UNSTATED, Pap.AMBER]),
    releasable_to=st.sampled_from([(), ("JPN",), ("GBR", "JPN")]),
    caveats=st.sampled_from([(), (Caveat.NO_COPYING,)]),
)
LABELS = [f"label-{number:03}" for number in range(99)]
WORDS = st.builds(
    Statement.of,
    epoch=st.integers(1, 2),
    sequence=st.integers(0, 2),
    appended_ms=st.integers(0, 5),
    marking=MARKINGS,
    confidence=st.integers(-1, 100),
    valid_until_ms=st.integers(0, 3),
    labels=st.sets(st.sampled_from(LABELS), max_size=MAX_LABELS).map(lambda labels: tuple(sorted(labels))),
    description=st.sampled_from(["", "a", "b"]),
    context=st.sampled_from([(), (("a", "b"),), (("a", "c"),)]),
    authenticated=st.booleans(),
)
COUNTS = st.integers(1, 9) | st.integers(MAX_SIGHTINGS - 2, MAX_SIGHTINGS)


@st.composite
def _assertions(draw: st.DrawFn) -> Assertion:
    """One report's say: a statement, and one tally under the same marking."""
    statement = draw(WORDS)
    first = draw(st.integers(0, 9))
    return Assertion(
        "edge-1", statement, (Tally.under(statement.marking, draw(COUNTS), first, first + draw(st.integers(0, 9))),)
    )


ASSERTIONS = _assertions()


@given(WORDS, WORDS, WORDS)
def test_words_merge_like_a_register_of_joins(one: Statement, other: Statement, third: Statement) -> None:
    assert one.merge(one) == one
    assert one.merge(other) == other.merge(one)
    assert one.merge(other).merge(third) == one.merge(other.merge(third))


@given(WORDS, WORDS)
def test_the_later_word_wins_and_parts_of_one_report_never_loosen_a_marking(one: Statement, other: Statement) -> None:
    merged = one.merge(other)
    later, earlier = max((one, other), key=_identity), min((one, other), key=_identity)
    if _identity(later) != _identity(earlier):
        assert merged == later
    else:
        assert merged.marking == one.marking.join(other.marking)
        assert len(merged.labels) <= MAX_LABELS


def _identity(statement: Statement) -> tuple[int, int]:
    return statement.epoch, statement.sequence


@given(ASSERTIONS, ASSERTIONS, ASSERTIONS)
def test_assertions_merge_in_any_order_and_grouping(one: Assertion, other: Assertion, third: Assertion) -> None:
    assert one.merge(other) == other.merge(one)
    assert one.merge(other).merge(third) == one.merge(other.merge(third))


@given(st.lists(ASSERTIONS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_merge_counts_everything_once_and_keeps_counts_by_marking(
    reported: Sequence[Assertion], random: Random
) -> None:
    shuffled = list(reported)
    random.shuffle(shuffled)
    merged = reduce(Assertion.merge, shuffled)
    assert merged == reduce(Assertion.merge, reported)
    assert merged.count == min(sum(each.count for each in reported), MAX_SIGHTINGS)
    assert merged.first_seen_ms == min(each.first_seen_ms for each in reported)
    assert merged.last_seen_ms == max(each.last_seen_ms for each in reported)
    assert {tally.marking for tally in merged.tallies} == {each.tallies[0].marking for each in reported}


@given(st.lists(ASSERTIONS, min_size=2, max_size=8))
def test_a_later_epoch_that_no_one_vouches_for_never_loosens_a_marking(reported: Sequence[Assertion]) -> None:
    latest = reduce(Assertion.merge, reported).latest
    last = max(_identity(each.latest) for each in reported)
    words = [each.latest for each in reported if _identity(each.latest) == last]
    stated = joined(each.marking for each in words)
    if all(each.authenticated for each in words):
        assert latest.marking == stated
    elif latest.epoch > min(each.latest.epoch for each in reported) or any(
        each.latest.authenticated for each in reported
    ):
        assert latest.marking == joined(each.latest.marking for each in reported)
    else:
        assert latest.marking == stated
