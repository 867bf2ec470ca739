"""What a prover answers: four questions about rules, each with a concrete request if the answer is no.

Rules are given as their bodies in Cedar's JSON form (``Rule.body``); a set is a sequence of bodies.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Protocol

from exchange.errors import FatalError
from streams.rules.proof.space import Request

Bodies = Sequence[str]


class ProofError(FatalError):
    """The prover could not answer: no answer is not a proof. The message has its output."""


class Prover(Protocol):
    """Answers for every request that the schema allows. None means that it holds for all of them."""

    @property
    def name(self) -> str:
        """What answers, with its versions."""

    @property
    def is_proof(self) -> bool:
        """Whether an answer is a proof of the solver; False for the exhaustive check."""

    def implies(self, one: Bodies, other: Bodies) -> Request | None:
        """Whether all that ``one`` allows ``other`` allows too; otherwise a request that only ``one`` allows."""

    def disjoint(self, one: Bodies, other: Bodies) -> Request | None:
        """Whether nothing is allowed by both; otherwise a request that is."""

    def always_denies(self, bodies: Bodies) -> Request | None:
        """Whether nothing is allowed; otherwise a request that is."""

    def never_errors(self, body: str) -> Request | None:
        """Whether the rule never fails to evaluate; otherwise a request for which it does."""


def as_permits(bodies: Iterable[str]) -> Bodies:
    """The rules with their effect turned to permit: they allow exactly what they match."""
    return tuple(_with_effect("permit", body) for body in bodies)


def as_forbids(bodies: Iterable[str]) -> Bodies:
    """The rules with their effect turned to forbid: added to a set, they take away exactly what they match."""
    return tuple(_with_effect("forbid", body) for body in bodies)


def _with_effect(effect: str, body: str) -> str:
    return json.dumps({**json.loads(body), "effect": effect}, ensure_ascii=False)


def cedar_json(bodies: Bodies) -> str:
    """A set of bodies as one policy set in Cedar's JSON form."""
    policies = {f"rule{index}": json.loads(body) for index, body in enumerate(bodies)}
    return json.dumps({"templates": {}, "staticPolicies": policies, "templateLinks": []}, ensure_ascii=False)
