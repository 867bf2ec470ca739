"""The basis of a shard's decisions at a time: the rules, and the borders that are not open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exchange.authority.policy_record import Border
from streams.rules.classifier import Classifier


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules and the borders that are not open. It is the same in all workers at the same shard time."""

    classifier: Classifier
    borders: Mapping[str, Border] = field(default_factory=dict)


class Rules(Protocol):
    """A function from a shard time to the rules and borders in force (``streams.rules.rulebook``)."""

    def in_force(self, now_ms: int) -> InForce:
        """The rules and borders in force at a shard time. Raises PolicyStale if that is not known."""
        ...


class FixedRules:
    """Always the same rules, and every border open."""

    def __init__(self, classifier: Classifier) -> None:
        self._in_force = InForce(classifier)

    def in_force(self, now_ms: int) -> InForce:  # noqa: ARG002  # it never changes
        """The rules."""
        return self._in_force
