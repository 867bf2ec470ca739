"""Decides the units of one indicator for one partner, and caches the decisions. Pure but for the cache."""

from hashlib import sha256
from typing import Final

import msgspec

from schemas.ratings import Ratings
from streams.rules.decide import ReleaseDecision, decide_release
from streams.rules.engine import Engine
from streams.rules.facets import Facets, merged_facets

_CACHE_LIMIT: Final = 50_000


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """A decision of the rules, and a digest of all of it but how many sources share the same facets."""

    decision: ReleaseDecision
    digest: bytes


class Classifier:
    """Decides facets by an engine. Equal facets get equal decisions, so a decision is made once and cached."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._cache: dict[tuple[str, tuple[Facets, ...]], Judgement] = {}

    @property
    def ratings(self) -> Ratings:
        """The ratings that facets are made with."""
        return self.engine.policy_set.ratings

    def decide(self, facets: tuple[Facets, ...], partner: str) -> Judgement:
        """The decision on all units of an indicator, given by their facets, for one partner."""
        found = self._cache.get((partner, facets))
        if found is None:
            if len(self._cache) >= _CACHE_LIMIT:
                self._cache.clear()
            decision = decide_release(
                facets, lambda included: merged_facets([facets[index] for index in included]), partner, self.engine
            )
            found = self._cache[partner, facets] = Judgement(decision, _digest(decision, self.engine))
        return found


def _digest(decision: ReleaseDecision, engine: Engine) -> bytes:
    groups = [(group.facets, group.verdict) for group in decision.groups]
    parts = (decision.outcome, decision.rules, decision.obligations, groups, engine.version, engine.engine_version)
    return sha256(msgspec.msgpack.encode(parts)).digest()[:16]
