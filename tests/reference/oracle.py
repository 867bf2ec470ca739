"""What may be shared, and how, written from the prose of the rules by hand. It has never read a policy file.

The prose: the titles of ``policy/joint/v1`` and of either nation's own set, FIRST's TLP 2.0, and what a release owes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from schemas.markings import Caveat, Marking, Pap, Tlp, joined
from schemas.vocabulary import IndicatorType, Outcome

PARTIES: Final = frozenset({"GBR", "JPN"})
LOW_CONFIDENCE: Final = range(30)  # STIX 2.1, appendix A; -1 is "not stated" and no low one
HOUR_MS: Final = 60 * 60 * 1000
DAY_MS: Final = 24 * HOUR_MS

NEVER_LEAVES: Final = frozenset(
    {Caveat.UK_EYES_ONLY, Caveat.JAPAN_EYES_ONLY, Caveat.NO_FORWARDING, Caveat.NO_DISTRIBUTION, Caveat.EMBARGO}
)
HITS_BYSTANDERS: Final = frozenset({IndicatorType.IPV4_NET, IndicatorType.IPV6_NET, IndicatorType.AUTONOMOUS_SYSTEM})


# Wider networks never leave, or wait for officers: prefix lengths below these.
OF_A_REGISTRY: Final = {IndicatorType.IPV4_NET: 9, IndicatorType.IPV6_NET: 13}
OF_MANY_PROVIDERS: Final = {IndicatorType.IPV4_NET: 16, IndicatorType.IPV6_NET: 32}


@dataclass(frozen=True, slots=True)
class Case:
    """All that the rules look at. ``confidence`` is 0 to 100, -1 if it is not stated."""

    marking: Marking
    kind: IndicatorType
    confidence: int = -1
    benign: bool = False
    special: bool = False
    personal: bool = False
    prefix_length: int = -1
    local_query: bool = False
    of_a_low_source: bool = False


def outcome(case: Case, partner: str) -> Outcome:
    """Whether something with these properties may go to ``partner``: withhold beats hold, and hold beats release."""
    if _is_withheld(case, partner):
        return Outcome.WITHHOLD
    return Outcome.HOLD if _waits(case) else Outcome.RELEASE


def _is_withheld(case: Case, partner: str) -> bool:
    tlp, named = case.marking.tlp, case.marking.releasable_to
    if partner not in PARTIES:  # only a party to the agreement receives anything
        return True
    if tlp is Tlp.RED:  # RED never leaves
        return True
    if case.special:  # it means something else at the partner
        return True
    if _is_wider(case, OF_A_REGISTRY):
        return True
    if any(caveat in NEVER_LEAVES for caveat in case.marking.caveats):
        return True
    if named is None or partner in named:
        return False
    # Where the source named the recipients, no one else receives it. Unmarked and no one named: nothing is stated yet.
    return not (tlp is Tlp.UNMARKED and named == ())


def _waits(case: Case) -> bool:
    return (
        case.marking.tlp is Tlp.UNMARKED  # until a human marks it
        or bool(case.marking.caveats)  # every caveat that does not stop it needs an officer
        or case.marking.pap is Pap.RED
        or case.local_query  # until an officer has seen what of a victim is in it
        or case.personal  # until its transfer has been assessed
        or case.kind is IndicatorType.EMAIL_ADDR  # either nation treats an address as personal data
        or case.benign
        or _is_wider(case, OF_MANY_PROVIDERS)
        or case.of_a_low_source  # until another source or an officer confirms it
        or case.confidence in LOW_CONFIDENCE
        or (case.kind in HITS_BYSTANDERS and case.confidence < LOW_CONFIDENCE.stop)
    )


def _is_wider(case: Case, below: Mapping[IndicatorType, int]) -> bool:
    return 0 <= case.prefix_length < below.get(case.kind, 0)


def outcome_of_all(cases: Iterable[Case], partner: str) -> tuple[Outcome, tuple[int, ...]]:
    """The decision on one indicator: each piece alone, then the merge of the allowed; and which are in the release.

    Of nothing is more released because a source is rated low than if it were not.
    """
    pieces = list(cases)
    alone = [outcome(piece, partner) for piece in pieces]
    allowed = tuple(place for place, stated in enumerate(alone) if stated is Outcome.RELEASE)
    if allowed:
        together = outcome(_merged([pieces[place] for place in allowed]), partner)
        if together is Outcome.RELEASE and _may_go_without_ratings(pieces, partner):
            return together, allowed
        alone.append(together)
    return (Outcome.HOLD if Outcome.HOLD in alone else Outcome.WITHHOLD), ()


def _may_go_without_ratings(pieces: list[Case], partner: str) -> bool:
    if not any(piece.of_a_low_source for piece in pieces):
        return True
    equals = [replace(piece, of_a_low_source=False) for piece in pieces]
    return outcome_of_all(equals, partner)[0] is Outcome.RELEASE


def _merged(pieces: list[Case]) -> Case:
    return Case(
        joined(piece.marking for piece in pieces),
        pieces[0].kind,
        max(piece.confidence for piece in pieces),
        any(piece.benign for piece in pieces),
        any(piece.special for piece in pieces),
        any(piece.personal for piece in pieces),
        pieces[0].prefix_length,
        pieces[0].local_query,
        all(piece.of_a_low_source for piece in pieces),
    )


@dataclass(frozen=True, slots=True)
class Owed:
    """What a release owes: times cut down, an end, a least PAP, and whether only the partner is named; and whether
    tearlines may go with it."""

    step_ms: int
    days: int
    pap: Pap
    only_partner: bool
    tearline: bool = True


OWED: Final = {
    Tlp.CLEAR: Owed(1, 365, Pap.UNSTATED, only_partner=False),
    Tlp.GREEN: Owed(HOUR_MS, 180, Pap.GREEN, only_partner=False),
    Tlp.AMBER: Owed(HOUR_MS, 90, Pap.GREEN, only_partner=True),
    Tlp.AMBER_STRICT: Owed(DAY_MS, 30, Pap.AMBER, only_partner=True, tearline=False),
}
