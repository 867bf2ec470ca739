"""Made-up markings and facets, hostile ones included, for property tests."""

from hypothesis import strategies as st

from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.ratings import Rating
from schemas.vocabulary import IndicatorType
from streams.rules.facets import NO_NETWORK, ConfidenceBand, Facets

PARTNERS = ("GBR", "JPN", "USA", "OTHER", "", "gbr", '"', "Nation::")

_named = st.lists(st.sampled_from(["GBR", "JPN", "USA", "FRA"]), unique=True, max_size=3).map(
    lambda nations: tuple(sorted(nations))
)


@st.composite
def markings(draw: st.DrawFn) -> Marking:
    """Any marking that can be built."""
    tlp = draw(st.sampled_from(Tlp))
    return Marking(
        tlp=tlp,
        pap=draw(st.sampled_from(Pap)),
        releasable_to=draw(_named if tlp >= Tlp.AMBER else st.none() | _named),
        caveats=tuple(sorted(draw(st.sets(st.sampled_from(Caveat), max_size=2)))),
    )


def facets() -> st.SearchStrategy[Facets]:
    """Any facets; the flags are rarely set, so that many are released."""
    rarely = st.sampled_from([False, False, False, True])
    return st.builds(
        Facets,
        marking=markings(),
        confidence=st.sampled_from(ConfidenceBand),
        kind=st.sampled_from(IndicatorType),
        warninglisted=rarely,
        special_use=rarely,
        personal_data=rarely,
        local_query=rarely,
        rating=st.sampled_from(Rating),
        prefix_length=st.sampled_from([NO_NETWORK, 0, 8, 9, 12, 13, 15, 16, 31, 32, 127]),
    )
