"""Simulates a policy set: decides recorded traffic under it, and counts what would change. Pure.

Only rules apply: an officer's verdict answers one question, and a veto is kept under any rules.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.records import Decision
from schemas.vocabulary import Outcome
from streams.rules.decide import ReleaseDecision, decide_release
from streams.rules.engine import Engine
from streams.rules.facets import from_record, merged_facets

EXAMPLES: Final = 3
_LONGEST: Final = 1_000_000  # indicators and partners: the capacity of a process; a longer window is refused


class Example(msgspec.Struct, frozen=True):
    """One indicator that is decided differently."""

    indicator_id: str
    decision_id: str
    partner: str
    rules_before: tuple[str, ...]
    rules_after: tuple[str, ...]


class Simulation(msgspec.Struct):
    """How many indicators changed from which outcome to which."""

    indicators: int = 0
    unreadable: int = 0
    changes: Counter[tuple[Outcome, Outcome]] = msgspec.field(default_factory=Counter)
    other_obligations: int = 0
    examples: dict[tuple[Outcome, Outcome], list[Example]] = {}

    @property
    def newly_released(self) -> int:
        """How many would be released that are not."""
        return sum(count for (before, after), count in self.changes.items() if after is Outcome.RELEASE is not before)

    @property
    def no_longer_released(self) -> int:
        """How many are released that would not be: they would be recalled."""
        return sum(count for (before, after), count in self.changes.items() if before is Outcome.RELEASE is not after)


def simulate(decisions: Iterable[Decision], old: Engine, new: Engine) -> Simulation:
    """Decide the last decision on each indicator and partner again, under both sets.

    Raises ``ValueError`` for more than ``_LONGEST`` of them.
    """
    last: dict[tuple[str, str], Decision] = {}
    for decision in decisions:
        last[decision["indicator_id"], decision["partner"]] = decision
        if len(last) > _LONGEST:
            raise ValueError(f"more than {_LONGEST:,} indicators were decided on in this window: take a shorter one")
    result = Simulation()
    for decision in last.values():
        try:
            before, after = _decided(decision, old), _decided(decision, new)
        except ValueError:
            result.unreadable += 1
            continue
        result.indicators += 1
        change = before.outcome, after.outcome
        if before.outcome is after.outcome:
            result.other_obligations += before.obligations != after.obligations
            continue
        result.changes[change] += 1
        shown = result.examples.setdefault(change, [])
        if len(shown) < EXAMPLES:
            shown.append(
                Example(
                    decision["indicator_id"],
                    decision["decision_id"],
                    decision["partner"],
                    before.rules,
                    after.rules,
                )
            )
    return result


def _decided(decision: Decision, engine: Engine) -> ReleaseDecision:
    facets = [from_record(group["facets"]) for group in decision["assertions"]]
    return decide_release(
        facets, lambda chosen: merged_facets([facets[index] for index in chosen]), decision["partner"], engine
    )
