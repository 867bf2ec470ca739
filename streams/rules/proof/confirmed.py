"""Asks a prover about rules, and replays its example by the engine that decides."""

from collections.abc import Callable, Iterable

import cedarpy

from schemas.vocabulary import Outcome
from streams.rules.policy_set import PolicySet
from streams.rules.proof.prover import Bodies, ProofError, as_permits, cedar_json
from streams.rules.proof.space import Request
from streams.rules.rule import Rule


def confirmed(
    question: Callable[[Bodies, Bodies], Request | None], one: Bodies, other: Bodies, policy_set: PolicySet
) -> Request | None:
    """The prover's answer, its example replayed by the engine that decides.

    Raises ``ProofError`` if the engine does not confirm the example.
    """
    example = question(one, other)
    if example is not None:
        wanted_of_other = question.__name__ == "disjoint"
        if not allows(one, example, policy_set) or allows(other, example, policy_set) is not wanted_of_other:
            raise ProofError(f"Cedar does not confirm the prover's example: {example}")
    return example


def allows(bodies: Bodies, request: Request, policy_set: PolicySet) -> bool:
    """Whether Cedar allows a request by these rules."""
    (result,) = policy_set.space.evaluate(cedarpy.PolicySet.from_json_str(cedar_json(bodies)), [request])
    return result.decision is cedarpy.Decision.Allow


def matching(rules: Iterable[Rule], *outcomes: Outcome) -> Bodies:
    """The rules that lead to these outcomes, as permits: they allow exactly what they match."""
    return as_permits(rule.body for rule in rules if rule.outcome in outcomes)


def bodies_of(rules: Iterable[Rule]) -> Bodies:
    """The rules as they are, ready to be asked about."""
    return tuple(rule.body for rule in rules)
