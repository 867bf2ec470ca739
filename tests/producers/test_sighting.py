"""A sighting of a partner's indicator is our own word on it: ours in what it says, the partner's in how far it goes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.sighting import sighting_of, theirs
from schemas.markings import Pap, Tlp, understand
from schemas.observation import Observation
from tests.builders import HOME, NOW_MS, a_content


def seen(label: str = "TLP:GREEN", /, **changes: Any) -> Observation:
    """JPN has seen what GBR has told it of."""
    content = a_content(**changes)
    return sighting_of(theirs(content), HOME, tlp=label, count=3, first_seen_ms=NOW_MS, last_seen_ms=NOW_MS + 1)


def test_it_states_what_we_saw_and_nothing_that_the_partner_stated() -> None:
    observation = seen(confidence=90, labels=["theirs"], sightings=77, first_seen_ms=5, valid_until_ms=9)
    assert (observation.value, observation.count) == (a_content()["value"], 3)
    assert (observation.first_seen_ms, observation.last_seen_ms) == (NOW_MS, NOW_MS + 1)
    assert (observation.confidence, observation.labels, observation.valid_until_ms) == (-1, (), 0)


@pytest.mark.parametrize("tlp", ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT"])
def test_it_is_for_the_partner_alone_whatever_its_label(tlp: str) -> None:
    assert understand(seen(tlp).marking).releasable_to == (HOME,)
    assert understand(seen(tlp, releasable_to=["FRA", "JPN"]).marking).releasable_to == (HOME,)


def test_without_a_label_it_is_unmarked_and_held() -> None:
    assert understand(seen("").marking).tlp is Tlp.UNMARKED


@given(
    st.sampled_from([tlp.label for tlp in Tlp]),
    st.sampled_from(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT"]),
    st.sampled_from([pap.label for pap in Pap]),
    st.sampled_from([[], ["転送禁止"], ["OFFICIAL-SENSITIVE", "PERSONAL DATA"]]),
)
def test_it_is_never_marked_less_strictly_than_the_partner_asked(
    ours: str, theirs: str, pap: str, caveats: list[str]
) -> None:
    marking = understand(seen(ours, tlp=theirs, pap=pap, caveats=caveats).marking)
    known = {tlp.label: tlp for tlp in Tlp}
    assert marking.tlp == max(known[ours], known[theirs])
    assert marking.pap.label == pap
    assert {str(caveat) for caveat in marking.caveats} == set(caveats)
