"""The rules as Cedar reads them and as their prose reads: the same answer on everything that the rules tell apart."""

from collections.abc import Iterator
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.ratings import Rating
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.engine import Engine
from streams.rules.facets import Facets, confidence_band
from streams.rules.obligations import CoarsenTime, DropTearline, ExpireAfterDays, NameOnlyPartner, PapAtLeast
from streams.rules.policy_set import load
from tests.reference.oracle import DAY_MS, HOUR_MS, OWED, Case, outcome

NAMED: tuple[tuple[str, ...] | None, ...] = (None, (), ("GBR",), ("JPN",), ("FRA",), ("GBR", "JPN"))
CONFIDENCES = (-1, 0, 29, 30, 69, 70, 100)
FLAGS = tuple(product((False, True), repeat=3))
ENGINES = {nation: Engine(load(nation)) for nation in ("GBR", "JPN")}


def _markings(tlps: tuple[Tlp, ...], caveats: tuple[tuple[Caveat, ...], ...]) -> Iterator[Marking]:
    for tlp, named, caveat in product(tlps, NAMED, caveats):
        if named is not None or tlp < Tlp.AMBER:
            yield Marking(tlp, releasable_to=named, caveats=caveat)


def _facets(case: Case) -> Facets:
    return Facets(
        case.marking,
        confidence_band(case.confidence),
        case.kind,
        case.benign,
        case.special,
        case.personal,
        case.prefix_length,
        case.local_query,
        Rating.LOW if case.of_a_low_source else Rating.UNRATED,
    )


def _by_the_engine(case: Case, home: str, partner: str) -> Outcome:
    return ENGINES[home].decide(_facets(case), partner).outcome


def _differences(cases: Iterator[Case], home: str, partner: str) -> list[str]:
    return [
        f"{case} to {partner}: Cedar says {engine}, the prose {prose}"
        for case in cases
        if (engine := _by_the_engine(case, home, partner)) != (prose := outcome(case, partner))
    ]


@pytest.mark.parametrize("partner", ["GBR", "JPN", "USA"])
def test_who_may_have_what_by_label_recipients_and_caveat(partner: str) -> None:
    caveats = ((), *((caveat,) for caveat in Caveat))
    cases = (Case(marking, IndicatorType.URL, 80) for marking in _markings(tuple(Tlp), caveats))
    assert _differences(cases, "JPN" if partner == "GBR" else "GBR", partner) == []


@pytest.mark.parametrize("home", ["GBR", "JPN"])
def test_what_waits_by_type_confidence_and_flag(home: str) -> None:
    partner = "JPN" if home == "GBR" else "GBR"
    cases = (
        Case(Marking(Tlp.GREEN, releasable_to=None), kind, confidence, *flags)
        for kind, confidence, flags in product(IndicatorType, CONFIDENCES, FLAGS)
    )
    assert _differences(cases, home, partner) == []


@pytest.mark.parametrize("kind", [IndicatorType.IPV4_NET, IndicatorType.IPV6_NET, IndicatorType.DOMAIN_NAME])
def test_what_waits_by_the_size_of_a_network(kind: IndicatorType) -> None:
    cases = (
        Case(Marking(Tlp.CLEAR, releasable_to=None), kind, confidence, prefix_length=length)
        for confidence, length in product(CONFIDENCES, range(-1, 128))
    )
    assert _differences(cases, "GBR", "JPN") == []


def test_what_two_caveats_and_a_pap_do_together() -> None:
    pairs = tuple(tuple(sorted(pair)) for pair in combinations(Caveat, 2))
    cases = [Case(marking, IndicatorType.URL) for marking in _markings((Tlp.CLEAR,), pairs)]
    cases += [
        Case(Marking(tlp, pap, ("JPN",)), kind)
        for tlp, pap, kind in product(Tlp, Pap, (IndicatorType.URL, IndicatorType.EMAIL_ADDR))
    ]
    assert _differences(iter(cases), "GBR", "JPN") == []


@given(st.data())
def test_anything_else(data: st.DataObject) -> None:
    tlp = data.draw(st.sampled_from(Tlp))
    names = st.lists(st.sampled_from(["GBR", "JPN", "FRA"]), unique=True).map(lambda found: tuple(sorted(found)))
    marking = Marking(
        tlp,
        data.draw(st.sampled_from(Pap)),
        data.draw(names if tlp >= Tlp.AMBER else st.none() | names),
        tuple(sorted(data.draw(st.sets(st.sampled_from(Caveat), max_size=3)))),
    )
    case = Case(
        marking,
        data.draw(st.sampled_from(IndicatorType)),
        data.draw(st.integers(-1, 100)),
        benign=data.draw(st.booleans()),
        special=data.draw(st.booleans()),
        personal=data.draw(st.booleans()),
        prefix_length=data.draw(st.integers(-1, 127)),
        local_query=data.draw(st.booleans()),
        of_a_low_source=data.draw(st.booleans()),
    )
    assert _differences(iter([case]), "GBR", "JPN") == []


@pytest.mark.parametrize("tlp", [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT])
def test_what_a_release_owes(tlp: Tlp) -> None:
    verdict = ENGINES["GBR"].decide(_facets(Case(Marking(tlp, releasable_to=("JPN",)), IndicatorType.URL)), "JPN")
    owed = OWED[tlp]
    steps = {HOUR_MS: "hour", DAY_MS: "day"}
    wanted = [
        *([str(CoarsenTime(steps[owed.step_ms]))] if owed.step_ms > 1 else []),
        str(ExpireAfterDays(owed.days)),
        *([str(NameOnlyPartner())] if owed.only_partner else []),
        *([str(PapAtLeast(owed.pap))] if owed.pap is not Pap.UNSTATED else []),
        *([] if owed.tearline else [str(DropTearline())]),
    ]
    assert (verdict.outcome, list(verdict.obligations)) == (Outcome.RELEASE, sorted(wanted))
