"""What a policy set demands before a release, as thresholds: each is one question that a prover can answer.

``coarsen-time:day`` demands days and also hours; a hold by two officers demands one and also two. So a set demands
something of a request exactly if one of its rules that match the request does, and two sets can be compared one
threshold at a time.
"""

from collections.abc import Iterable

import msgspec

from schemas.counting import counted
from schemas.vocabulary import Outcome
from streams.rules.obligations import Obligation, at_least
from streams.rules.rule import Rule


class Owes(msgspec.Struct, frozen=True, tag=True):
    """An obligation that is at least as strict as this one. Permits and holds can demand it."""

    obligation: Obligation

    def __str__(self) -> str:
        return f"{self.obligation} or stricter"


class ReviewedBy(msgspec.Struct, frozen=True, tag=True):
    """A review by at least so many distinct officers. Only holds can demand it."""

    officers: int

    def __str__(self) -> str:
        return f"a review by {counted(self.officers, 'officer')} or more"


class DecidedWithin(msgspec.Struct, frozen=True, tag=True):
    """A review that ends within so many hours. Only holds can demand it."""

    hours: int

    def __str__(self) -> str:
        return f"a review of {counted(self.hours, 'hour')} or fewer"


Demand = Owes | ReviewedBy | DecidedWithin


def makes(rule: Rule, demand: Demand) -> bool:
    """Whether a release of what this rule matches meets ``demand`` because of this rule."""
    match demand:
        case Owes(wanted):
            return any(at_least(owed, wanted) for owed in rule.obligations)
        case ReviewedBy(officers):
            return rule.outcome is Outcome.HOLD and rule.reviewers >= officers
        case DecidedWithin(hours):
            return rule.outcome is Outcome.HOLD and rule.deadline_hours <= hours


def concerned_by(demand: Demand) -> tuple[Outcome, ...]:
    """The outcomes of which ``demand`` can be made: a review needs a hold."""
    return (Outcome.RELEASE, Outcome.HOLD) if isinstance(demand, Owes) else (Outcome.HOLD,)


def demands_of(rules: Iterable[Rule]) -> tuple[Demand, ...]:
    """Every threshold at which these rules can differ from others, without repeats. Sorted."""
    found: set[Demand] = set()
    for rule in rules:
        found.update(map(Owes, rule.obligations))
        if rule.outcome is Outcome.HOLD:
            found |= {ReviewedBy(rule.reviewers), DecidedWithin(rule.deadline_hours)}
    return tuple(sorted(found, key=str))
