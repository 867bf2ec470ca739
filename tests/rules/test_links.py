"""A link's agreement decides, is part of the set's version, and affects no other nation."""

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.agreement import Agreement
from schemas.links import POLICY_FOLDER, all_agreed
from schemas.markings import Caveat, SourceMarking, Tlp, understand
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.engine import Engine
from streams.rules.facets import Facets, facets_of
from streams.rules.policy_set import compiled, read_texts
from streams.rules.rule import PolicyError
from tests.rules.oracle import WITHHOLDING_CAVEATS
from tests.rules.strategies import facets

TEXTS = read_texts("GBR", POLICY_FOLDER)
SHIPPED = compiled(TEXTS, "GBR")
ALL = Engine(dataclasses.replace(SHIPPED, links={"AUS": all_agreed("GBR", "AUS"), "JPN": all_agreed("GBR", "JPN")}))
LINK, TLP = "links/GBR/JPN.toml", "joint/v1/tlp.cedar"

_agreements = st.builds(
    Agreement,
    nation=st.just("GBR"),
    partner=st.just("AUS"),
    schemas=st.just(all_agreed("GBR", "AUS").schemas),
    tlp=st.frozensets(st.sampled_from(sorted(all_agreed("GBR", "AUS").tlp))),
    caveats=st.frozensets(st.sampled_from(sorted(all_agreed("GBR", "AUS").caveats))),
)


@given(of=facets(), agreement=_agreements)
def test_a_narrower_link_never_releases_more(of: Facets, agreement: Agreement) -> None:
    """Per link: what its label or a caveat is not agreed for is withheld, and all else is as with the widest link."""
    narrow = Engine(dataclasses.replace(SHIPPED, links={"AUS": agreement, "JPN": all_agreed("GBR", "JPN")}))
    outside = of.marking.tlp not in (Tlp.RED, Tlp.UNMARKED) and of.marking.tlp.label not in agreement.tlp
    own = {*WITHHOLDING_CAVEATS, Caveat.UNRECOGNISED}
    outside |= bool({str(caveat) for caveat in of.marking.caveats if caveat not in own} - agreement.caveats)
    decided, widest = narrow.decide(of, "AUS"), ALL.decide(of, "AUS")
    if outside:
        assert decided.outcome is Outcome.WITHHOLD
        assert "releasability-marking-not-agreed" in decided.rules
    else:
        assert decided == widest
    assert narrow.decide(of, "JPN") == ALL.decide(of, "JPN")


@given(of=facets())
def test_nations_with_the_same_link_are_treated_alike(of: Facets) -> None:
    """But for those whom the source has named."""
    if of.marking.releasable_to is None:
        assert ALL.decide(of, "AUS") == ALL.decide(of, "JPN")
    assert ALL.decide(of, "NZL").outcome is Outcome.WITHHOLD


def test_the_version_is_also_of_the_links() -> None:
    narrower = compiled({**TEXTS, LINK: TEXTS[LINK].replace('"TLP:AMBER", ', "")}, "GBR")
    assert narrower.version != SHIPPED.version
    assert narrower.links["JPN"].tlp < SHIPPED.links["JPN"].tlp


def test_without_a_link_no_nation_is_a_partner() -> None:
    alone = compiled({path: text for path, text in TEXTS.items() if path != LINK}, "GBR")
    assert alone.links == {}


def test_a_link_that_is_not_valid_keeps_the_set_from_loading() -> None:
    with pytest.raises(PolicyError, match=f"{LINK}: caveats: 'UK EYES ONLY' cannot be agreed"):
        compiled({**TEXTS, LINK: TEXTS[LINK].replace("INCIDENT", "UK EYES ONLY")}, "GBR")


def test_a_rule_may_name_a_nation_to_which_there_is_a_link_and_no_other() -> None:
    green = 'resource.tlp == Tlp::"TLP:GREEN"'
    text = TEXTS[TLP].replace(green, f'{green} && principal != Nation::"JPN"')
    assert compiled({**TEXTS, TLP: text}, "GBR").nations == ("JPN",)
    with pytest.raises(PolicyError, match=r'tlp-green” names Nation::"JPM", to which there is no link'):
        compiled({**TEXTS, TLP: text.replace("JPN", "JPM")}, "GBR")


def test_a_link_without_room_for_a_tearline_owes_that_it_is_dropped() -> None:
    wide = all_agreed("GBR", "JPN")
    agreement = msgspec.structs.replace(wide, schemas=wide.schemas - {"released_indicator.v2"})
    engine = Engine(dataclasses.replace(SHIPPED, links={"JPN": agreement}))
    of = facets_of(understand(SourceMarking("TLP:CLEAR")), IndicatorType.DOMAIN_NAME)
    assert set(engine.decide(of, "JPN").obligations) - set(ALL.decide(of, "JPN").obligations) == {"drop-tearline"}
