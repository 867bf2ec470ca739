"""Shows that ratings of sources only restrict: with a worse rating no more is released, and with none without ratings.

A claim on two requests that differ in the rating alone. It becomes a question on one request: the rules with one rating
in place of the attribute are compared with the rules with another, as two sets are (``streams.rules.difference``).
The chain from the rules that look at no rating down to the worst one gives every pair.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from schemas.ratings import Rating
from streams.rules.difference import Change, rule_changes
from streams.rules.policy_set import RATING, PolicySet
from streams.rules.proof.prover import Prover
from streams.rules.reading import with_value

STATEMENT: Final = "the rating of a source releases nothing, and a worse one no more than a better one"


def rating_changes(policy_set: PolicySet, prover: Prover) -> Iterator[tuple[str, Change | None]]:
    """What is to be shown of each two ratings, with the first way in which the worse one widens; None if none does.

    Raises ``ProofError`` if the prover gives no answer or an example that Cedar does not confirm.
    """
    if not policy_set.rated_rules:
        yield f"{STATEMENT}: no rule looks at it", None
        return
    others = {name: rule for name, rule in policy_set.rules.items() if name not in policy_set.rated_rules}
    before, against = replace(policy_set, rules=others), "without the rules on ratings"
    for rating in reversed(Rating):
        after = _rated(policy_set, rating)
        statement = f"what comes from a source rated {rating} is released no more than {against}"
        wider = next(rule_changes(before, after, prover, only_wider=True), None)
        yield statement, None if wider is None else _as_asked(wider, rating)
        before, against = after, f"rated {rating}"


def _rated(policy_set: PolicySet, rating: Rating) -> PolicySet:
    """The rules as they are for a source with this rating."""
    rules = {
        name: replace(rule, body=with_value(rule.body, RATING, "Rating", rating))
        for name, rule in policy_set.rules.items()
    }
    return replace(policy_set, rules=rules)


def _as_asked(change: Change, rating: Rating) -> Change:
    """The change with its example as the request that was asked about: the prover knew of no rating."""
    if change.example is None:
        return change
    attributes = {**change.example.attributes, RATING: str(rating)}
    return msgspec.structs.replace(change, example=msgspec.structs.replace(change.example, attributes=attributes))
