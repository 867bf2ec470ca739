"""The engine: asks Cedar about one set of facets and one partner, and fails closed.

Four guards, because Cedar skips a forbid that fails to evaluate: the set is validated before it loads
(``policy_set``); the entity is built with the schema and the schema is given to the decision too; only an explicit
Allow, without an error and with a reason, is a release; the proofs show that no rule can err (``prove``).
"""

from dataclasses import replace
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Final

import cedarpy
import msgspec

from schemas.codec import RELEASED_INDICATOR_V2, RELEASED_INDICATOR_V3
from schemas.links import NEVER_AGREED
from schemas.markings import Marking, Tlp
from schemas.vocabulary import TYPES_OF_V3, IndicatorType, Outcome
from streams.rules.facets import Facets, prefix_label
from streams.rules.obligations import DropTearline, strictest
from streams.rules.policy_set import RATING, PolicySet
from streams.rules.proof.space import Request, Value

DEFAULT_DENY: Final = "default-deny"
EVALUATION_ERROR: Final = "evaluation-error"
TYPE_NOT_AGREED: Final = "type-not-agreed"
# Decisions of officers are listed beside the rules' ids.
STANDING_VETO: Final = "standing-veto"
REVIEW_REFUSED: Final = "review-refused"
REVIEW_LAPSED: Final = "review-lapsed"
BY_PEOPLE: Final = frozenset({STANDING_VETO, REVIEW_REFUSED, REVIEW_LAPSED})
_CEDARPY: Final = "4.12.2"
_CEDAR: Final = "4.12.0"
_CACHE_SIZE: Final = 65_536


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The result of the rules. ``rules`` are the ids that decided, sorted: of the permits or of the strictest forbids.

    ``default-deny`` means that no rule matched, ``evaluation-error`` that the engine could not decide,
    ``type-not-agreed`` that the rules would let it go, and the partner's agreed schemas do not have its type.
    ``obligations`` must be carried out before a release; for HOLD they are those of the holding rules.
    """

    outcome: Outcome
    rules: tuple[str, ...]
    obligations: tuple[str, ...] = ()


_NO_RULE: Final = Verdict(Outcome.WITHHOLD, (DEFAULT_DENY,))
_ERROR: Final = Verdict(Outcome.WITHHOLD, (EVALUATION_ERROR,))
_UNREAD: Final = Verdict(Outcome.WITHHOLD, (TYPE_NOT_AGREED,))


class Engine:
    """Decides by one policy set. Decisions are remembered, up to a bound, least recently used first to go."""

    def __init__(self, policy_set: PolicySet, *, cache_size: int = _CACHE_SIZE) -> None:
        """``cache_size`` is the number of (facets, partner) pairs remembered."""
        self.policy_set = policy_set
        installed = version("cedarpy")  # reads files: asked once
        self._engine_version = f"cedarpy {installed}, cedar {_CEDAR if installed == _CEDARPY else 'unverified'}"
        self._remembered = lru_cache(maxsize=cache_size)(self._decide)

    @cached_property
    def without_holds(self) -> "Engine":
        """The same set without the rules that hold: its result after officers have approved."""
        rules = {name: rule for name, rule in self.policy_set.rules.items() if rule.outcome is not Outcome.HOLD}
        return Engine(replace(self.policy_set, rules=rules), cache_size=_CACHE_SIZE // 16)

    @property
    def version(self) -> str:
        """Content hash of the policy set."""
        return self.policy_set.version

    @property
    def engine_version(self) -> str:
        """The engine that decides, with the Cedar in it; 'unverified' if it is not the version of the proofs."""
        return self._engine_version

    @property
    def cache_hits(self) -> int:
        """Decisions answered from memory."""
        return self._remembered.cache_info().hits

    @property
    def cache_misses(self) -> int:
        """Decisions that Cedar was asked for."""
        return self._remembered.cache_info().misses

    def decide(self, facets: Facets, partner: str) -> Verdict:
        """Whether an assertion or a merge with these facets may be released to ``partner`` (ISO 3166-1 alpha-3). Never
        raises.

        A withhold beats a hold, a hold beats a permit, and without a permit it is withheld.
        """
        return self._remembered(facets, partner)

    def _decide(self, facets: Facets, partner: str) -> Verdict:
        try:
            return self._ask(facets, partner)
        except Exception:  # any error withholds; the verdict states it and is audited
            return _ERROR

    def _ask(self, facets: Facets, partner: str) -> Verdict:
        if facets.kind.label not in self._types:
            return _UNREAD
        request = Request(partner, self._attributes(facets) | self._of_link(facets.marking, partner))
        (result,) = self.policy_set.space.evaluate(self.policy_set.policies, [request])
        if result.diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
            return _ERROR
        matched = [self.policy_set.rules[reason] for reason in result.diagnostics.reasons]
        if not matched:
            return _NO_RULE
        outcomes = {rule.outcome for rule in matched}
        if result.decision is cedarpy.Decision.Allow and outcomes == {Outcome.RELEASE}:
            outcome = Outcome.RELEASE
        elif Outcome.RELEASE in outcomes:  # Cedar never gives both; if it does, withhold
            return _ERROR
        else:
            outcome = Outcome.WITHHOLD if Outcome.WITHHOLD in outcomes else Outcome.HOLD
        if outcome is not Outcome.WITHHOLD and not self._takes_type(partner, facets.kind):
            return _UNREAD
        deciding = [rule for rule in matched if rule.outcome is outcome]
        owed = [obligation for rule in deciding for obligation in rule.obligations]
        if outcome is not Outcome.WITHHOLD and not self._takes_tearlines(partner):
            owed.append(DropTearline())
        return Verdict(outcome, tuple(sorted(rule.id for rule in deciding)), tuple(str(one) for one in strictest(owed)))

    def _attributes(self, facets: Facets) -> dict[str, Value]:
        attributes = _attributes(facets)
        if RATING not in self.policy_set.space.axes:  # a set from before there were ratings
            del attributes[RATING]
        return attributes

    def _of_link(self, marking: Marking, partner: str) -> dict[str, Value]:
        """The flags of the link to this nation. For the nation itself all are true: it has all content already."""
        agreement = self.policy_set.links.get(partner)
        if agreement is None:
            home = partner == self.policy_set.nation
            return {"linked": home, "marking_agreed": home}
        # RED, no label and labels that no link may agree on have rules of their own, which give the reason.
        caveats = {str(caveat) for caveat in marking.caveats if caveat not in NEVER_AGREED}
        labelled = marking.tlp in (Tlp.UNMARKED, Tlp.RED) or marking.tlp.label in agreement.tlp
        return {"linked": True, "marking_agreed": labelled and caveats <= agreement.caveats}

    @cached_property
    def _types(self) -> frozenset[str]:
        """The types that the set's schema has: a set from before the later ones stays in force after an upgrade."""
        return frozenset(self.policy_set.space.axes["type"].members)

    def _takes_type(self, partner: str, kind: IndicatorType) -> bool:
        """Whether the link's schemas have the type. A type that they lack waits until the link is changed."""
        agreement = self.policy_set.links.get(partner)
        return kind not in TYPES_OF_V3 or agreement is None or RELEASED_INDICATOR_V3 in agreement.schemas

    def _takes_tearlines(self, partner: str) -> bool:
        """Whether the link's schemas have room for one."""
        agreement = self.policy_set.links.get(partner)
        return agreement is None or RELEASED_INDICATOR_V2 in agreement.schemas


def _attributes(facets: Facets) -> dict[str, Value]:
    marking = facets.marking
    return {
        "tlp": marking.tlp.label or marking.tlp.name,
        "pap": marking.pap.label or marking.pap.name,
        "releasable_to": marking.releasable_to,
        "caveats": tuple(map(str, marking.caveats)),
        "confidence": str(facets.confidence),
        "type": facets.kind.label,
        "warninglisted": facets.warninglisted,
        "special_use": facets.special_use,
        "personal_data": facets.personal_data,
        "local_query": facets.local_query,
        "prefix_length": prefix_label(facets.prefix_length),
        RATING: str(facets.rating),
    }
