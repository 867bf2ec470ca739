"""Markings form a lattice: joining never loosens; and sources are understood or never released by themselves."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.markings import (
    UNMARKED,
    Activity,
    Caveat,
    Marking,
    Pap,
    SourceMarking,
    Tlp,
    joined,
    understand,
)

NATIONS = ("AUS", "GBR", "JPN", "NZL")
SETS = st.sets(st.sampled_from(NATIONS)).map(lambda nations: tuple(sorted(nations)))


@st.composite
def markings(draw: st.DrawFn) -> Marking:
    """Any marking that can be."""
    tlp = draw(st.sampled_from(Tlp))
    return Marking(
        tlp=tlp,
        pap=draw(st.sampled_from(Pap)),
        releasable_to=draw(SETS if tlp >= Tlp.AMBER else st.none() | SETS),
        caveats=tuple(sorted(draw(st.sets(st.sampled_from(Caveat), max_size=3)))),
    )


def _recipients(marking: Marking) -> frozenset[str]:
    return frozenset(NATIONS if marking.releasable_to is None else marking.releasable_to)


@given(markings(), markings())
def test_join_is_commutative(one: Marking, other: Marking) -> None:
    assert one.join(other) == other.join(one)


@given(markings(), markings(), markings())
def test_join_is_associative(one: Marking, two: Marking, three: Marking) -> None:
    assert one.join(two).join(three) == one.join(two.join(three))


@given(markings())
def test_join_is_idempotent(one: Marking) -> None:
    assert one.join(one) == one


@given(markings(), markings())
def test_join_absorbs_what_it_holds_already(one: Marking, other: Marking) -> None:
    assert one.join(other).join(one) == one.join(other)


@given(markings(), markings(), st.sampled_from(Activity))
def test_what_is_joined_allows_no_activity_that_one_of_them_does_not(
    one: Marking, other: Marking, activity: Activity
) -> None:
    assert one.join(other).pap.allows(activity) == (one.pap.allows(activity) and other.pap.allows(activity))


@given(markings(), markings())
def test_join_is_never_less_strict_than_either(one: Marking, other: Marking) -> None:
    both = one.join(other)
    for each in (one, other):
        assert both.tlp >= each.tlp
        assert both.pap >= each.pap
        assert set(both.caveats) >= set(each.caveats)
        assert _recipients(both) <= _recipients(each)


@given(markings(), markings())
def test_join_is_no_stricter_than_it_must_be(one: Marking, other: Marking) -> None:
    both = one.join(other)
    assert both.tlp in (one.tlp, other.tlp)
    assert both.pap in (one.pap, other.pap)
    assert set(both.caveats) == set(one.caveats) | set(other.caveats)
    assert _recipients(both) == _recipients(one) & _recipients(other)


@given(markings(), markings())
def test_joining_never_names_a_nation_for_amber_that_amber_did_not_name(one: Marking, other: Marking) -> None:
    both = one.join(other)
    if both.tlp >= Tlp.AMBER:
        assert both.releasable_to is not None
        for each in (one, other):
            if each.tlp >= Tlp.AMBER and each.releasable_to is not None:
                assert set(both.releasable_to) <= set(each.releasable_to)


@given(st.lists(markings(), max_size=5), st.randoms(use_true_random=False))
def test_the_join_of_many_is_the_same_in_every_order(many: list[Marking], random: Random) -> None:
    shuffled = list(many)
    random.shuffle(shuffled)
    assert joined(many) == joined(shuffled)


def test_the_join_of_nothing_is_unmarked() -> None:
    assert joined([]) == UNMARKED
    assert UNMARKED.tlp is Tlp.UNMARKED
    assert UNMARKED.releasable_to == ()


def test_unmarked_is_stricter_than_every_label_that_can_be_released() -> None:
    assert [tlp.label for tlp in sorted(Tlp)] == [
        "TLP:CLEAR",
        "TLP:GREEN",
        "TLP:AMBER",
        "TLP:AMBER+STRICT",
        "",
        "TLP:RED",
    ]


@pytest.mark.parametrize("tlp", [tlp for tlp in Tlp if tlp >= Tlp.AMBER])
def test_from_amber_up_recipients_are_named_or_there_are_none(tlp: Tlp) -> None:
    with pytest.raises(ValueError, match="needs its recipients named"):
        Marking(tlp=tlp, releasable_to=None)


@pytest.mark.parametrize(
    ("written", "tlp"),
    [
        ("TLP:CLEAR", Tlp.CLEAR),
        ("TLP:WHITE", Tlp.CLEAR),
        ("white", Tlp.CLEAR),
        ("tlp:green", Tlp.GREEN),
        ("  TLP: Green ", Tlp.GREEN),
        ("ＴＬＰ：ＧＲＥＥＮ", Tlp.GREEN),
        ("amber", Tlp.AMBER),
        ("TLP:AMBER+STRICT", Tlp.AMBER_STRICT),
        ("tlp:amber-strict", Tlp.AMBER_STRICT),
        ("TLP:AMBER STRICT", Tlp.AMBER_STRICT),
        ("ＡＭＢＥＲ＋ＳＴＲＩＣＴ", Tlp.AMBER_STRICT),
        ("RED", Tlp.RED),
        ("ｔｌｐ：ｒｅｄ", Tlp.RED),
        ("", Tlp.UNMARKED),
        ("  ", Tlp.UNMARKED),
    ],
)
def test_a_tlp_label_is_understood_as_its_source_wrote_it(written: str, tlp: Tlp) -> None:
    understood = understand(SourceMarking(tlp=written))
    assert understood.tlp is tlp
    assert understood.caveats == ()


@pytest.mark.parametrize(
    "written", ["TLP:PURPLE", "TLP:GREEN?", "TLP:", "赤", "TLP:EX:CHR", "AMBER|GREEN", "\x00", "👍"]
)
def test_a_tlp_label_that_no_one_can_map_is_unmarked_and_reports_it(written: str) -> None:
    understood = understand(SourceMarking(tlp=written))
    assert understood.tlp is Tlp.UNMARKED
    assert understood.caveats == (Caveat.UNRECOGNISED,)
    assert understood.releasable_to == ()


@pytest.mark.parametrize(
    ("written", "pap", "caveats"),
    [
        ("", Pap.UNSTATED, ()),
        ("PAP:WHITE", Pap.CLEAR, ()),
        ("pap:amber", Pap.AMBER, ()),
        ("ＰＡＰ：ＲＥＤ", Pap.RED, ()),
        ("PAP:MAUVE", Pap.RED, (Caveat.UNRECOGNISED,)),
    ],
)
def test_a_pap_label_is_understood_or_the_strictest(written: str, pap: Pap, caveats: tuple[Caveat, ...]) -> None:
    understood = understand(SourceMarking(tlp="TLP:GREEN", pap=written))
    assert (understood.pap, understood.caveats) == (pap, caveats)


@pytest.mark.parametrize(
    ("written", "caveat"),
    [
        ("UK EYES ONLY", Caveat.UK_EYES_ONLY),
        ("uk eyes-only", Caveat.UK_EYES_ONLY),
        ("ＵＫ　ＥＹＥＳ　ＯＮＬＹ", Caveat.UK_EYES_ONLY),
        ("UKEO", Caveat.UK_EYES_ONLY),
        ("JAPAN EYES ONLY", Caveat.JAPAN_EYES_ONLY),
        ("Official-Sensitive", Caveat.OFFICIAL_SENSITIVE),
        ("機密性3情報", Caveat.CONFIDENTIALITY_3),
        ("機密性３情報", Caveat.CONFIDENTIALITY_3),
        (" 関係者限り ", Caveat.CONCERNED_ONLY),
        ("転送禁止", Caveat.NO_FORWARDING),
        ("NOFORN", Caveat.UNRECOGNISED),
        ("極秘", Caveat.UNRECOGNISED),
    ],
)
def test_a_caveat_is_understood_in_either_nations_writing(written: str, caveat: Caveat) -> None:
    assert understand(SourceMarking(tlp="TLP:GREEN", caveats=(written,))).caveats == (caveat,)


def test_recipients_are_sorted_and_a_word_that_is_no_nation_is_unrecognised() -> None:
    understood = understand(SourceMarking(tlp="TLP:AMBER", releasable_to=("jpn", " GBR ", "GBR")))
    assert understood == Marking(tlp=Tlp.AMBER, releasable_to=("GBR", "JPN"))
    odd = understand(SourceMarking(tlp="TLP:AMBER", releasable_to=("FVEY",)))
    assert odd.caveats == (Caveat.UNRECOGNISED,)


@pytest.mark.parametrize("tlp", ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", ""])
def test_without_named_recipients_only_clear_and_green_are_for_anyone(tlp: str) -> None:
    recipients = understand(SourceMarking(tlp=tlp)).releasable_to
    assert recipients == (None if tlp in ("TLP:CLEAR", "TLP:GREEN") else ())


WORDS = st.text(max_size=12) | st.sampled_from(["TLP:GREEN", "PAP:RED", "UK EYES ONLY", "JPN"])


@given(
    st.builds(
        SourceMarking,
        tlp=WORDS,
        pap=WORDS,
        releasable_to=st.none() | st.lists(WORDS, max_size=3).map(tuple),
        caveats=st.lists(WORDS, max_size=3).map(tuple),
    )
)
def test_whatever_a_source_writes_is_understood_without_an_exception(source: SourceMarking) -> None:
    understood = understand(source)
    assert understood.caveats == tuple(sorted(set(understood.caveats)))
    assert understood.join(understood) == understood
