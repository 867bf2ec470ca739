"""Joining a source's markings: nothing gets looser, and what is not stated is filled."""

from hypothesis import given
from hypothesis import strategies as st

from producers.markings.marked import UNSTATED, is_caveat, stricter
from schemas.markings import Caveat, Pap, SourceMarking, Tlp, understand

TLP_WORDS = [*(tlp.label for tlp in Tlp if tlp is not Tlp.UNMARKED), "tlp:white", "TLP:PURPLE"]
PAP_WORDS = [*(pap.label for pap in Pap if pap is not Pap.UNSTATED), "PAP:PINK"]
NATIONS = st.lists(st.sampled_from(["GBR", "JPN", "AUS"]), unique=True, max_size=3).map(tuple)
CAVEATS = st.lists(st.sampled_from([caveat.value for caveat in Caveat] + ["odd"]), unique=True, max_size=3).map(tuple)
STATED = st.builds(
    SourceMarking,
    tlp=st.sampled_from(TLP_WORDS),
    pap=st.sampled_from(PAP_WORDS),
    releasable_to=NATIONS,
    caveats=CAVEATS,
)
ANY = st.builds(
    SourceMarking,
    tlp=st.sampled_from(["", *TLP_WORDS]),
    pap=st.sampled_from(["", *PAP_WORDS]),
    releasable_to=st.none() | NATIONS,
    caveats=CAVEATS,
)


@given(STATED, STATED)
def test_of_two_full_markings_the_join_of_what_they_mean_holds(one: SourceMarking, other: SourceMarking) -> None:
    assert understand(stricter(one, other)) == understand(one).join(understand(other))


@given(ANY, ANY)
def test_what_both_mean_does_not_depend_on_their_order(one: SourceMarking, other: SourceMarking) -> None:
    assert understand(stricter(one, other)) == understand(stricter(other, one))


@given(ANY)
def test_a_marking_joined_with_itself_or_with_none_is_itself(marking: SourceMarking) -> None:
    assert stricter(marking, marking) == stricter(marking, UNSTATED) == stricter(UNSTATED, marking) == marking


@given(ANY, ANY)
def test_a_default_never_loosens_what_a_feed_states(feed: SourceMarking, default: SourceMarking) -> None:
    joined, alone = understand(stricter(feed, default)), understand(feed)
    if feed.tlp:
        assert joined.tlp >= alone.tlp
    if feed.pap:
        assert joined.pap >= alone.pap
    if feed.releasable_to is not None:
        assert set(joined.releasable_to or ()) <= set(feed.releasable_to)
    assert set(alone.caveats) <= set(joined.caveats)


def test_a_default_fills_what_a_feed_leaves_open() -> None:
    default = SourceMarking(tlp="TLP:GREEN", pap="PAP:GREEN", releasable_to=("JPN",))
    assert stricter(SourceMarking(tlp="TLP:AMBER"), default) == SourceMarking("TLP:AMBER", "PAP:GREEN", ("JPN",))


def test_a_marking_that_no_one_knows_is_not_lost_behind_a_stricter_one() -> None:
    joined = stricter(SourceMarking(tlp="TLP:PURPLE"), SourceMarking(tlp="TLP:RED"))
    assert joined == SourceMarking(tlp="TLP:RED", caveats=("TLP:PURPLE",))


def test_a_caveat_is_known_in_any_spelling_and_any_other_word_is_none() -> None:
    assert is_caveat("uk eyes only")
    assert is_caveat("関係者限り")
    assert not is_caveat("phishing")
    assert not is_caveat("")
