"""The outcomes that the rules must give, written by hand from their prose, without reading a policy file."""

from schemas.markings import Caveat, Pap, Tlp
from schemas.ratings import Rating
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.facets import ConfidenceBand, Facets

PARTIES = frozenset({"GBR", "JPN"})
WITHHOLDING_CAVEATS = frozenset(
    {Caveat.UK_EYES_ONLY, Caveat.JAPAN_EYES_ONLY, Caveat.NO_FORWARDING, Caveat.NO_DISTRIBUTION, Caveat.EMBARGO}
)
WIDE = frozenset({IndicatorType.IPV4_NET, IndicatorType.IPV6_NET, IndicatorType.AUTONOMOUS_SYSTEM})
# Prefix lengths below which a network is never released, and below which two officers decide.
REGISTRY_BELOW = {IndicatorType.IPV4_NET: 9, IndicatorType.IPV6_NET: 13}
WIDE_BELOW = {IndicatorType.IPV4_NET: 16, IndicatorType.IPV6_NET: 32}
SURE = frozenset({ConfidenceBand.MEDIUM, ConfidenceBand.HIGH})


def must_be(facets: Facets, partner: str) -> Outcome:
    """The outcome for ``partner``, under the joint rules and either nation's own."""
    marking = facets.marking
    named = marking.releasable_to
    no_one_named_yet = marking.tlp is Tlp.UNMARKED and named == ()
    if (
        partner not in PARTIES
        or marking.tlp is Tlp.RED
        or facets.special_use
        or 0 <= facets.prefix_length < REGISTRY_BELOW.get(facets.kind, 0)
        or WITHHOLDING_CAVEATS.intersection(marking.caveats)
        or (named is not None and partner not in named and not no_one_named_yet)
    ):
        return Outcome.WITHHOLD
    if (
        marking.tlp is Tlp.UNMARKED
        or marking.caveats
        or marking.pap is Pap.RED
        or facets.personal_data
        or facets.local_query
        or facets.warninglisted
        or 0 <= facets.prefix_length < WIDE_BELOW.get(facets.kind, 0)
        or facets.confidence is ConfidenceBand.LOW
        or facets.rating is Rating.LOW
        or (facets.kind in WIDE and facets.confidence not in SURE)
        or facets.kind is IndicatorType.EMAIL_ADDR
    ):
        return Outcome.HOLD
    return Outcome.RELEASE
