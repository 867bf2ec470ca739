"""The differences of a new policy set: new releases, stopped ones, and holds instead of withholding, with examples."""

import json
from collections.abc import Iterator

import msgspec

from schemas.vocabulary import Outcome
from streams.rules.obligations import Obligation, strictest
from streams.rules.policy_set import PolicySet, compiled
from streams.rules.proof.prove import bodies_of, confirmed, matching
from streams.rules.proof.prover import Bodies, Prover
from streams.rules.proof.space import Request
from streams.rules.rule import PolicyError, Rule


class Change(msgspec.Struct, frozen=True):
    """One difference between two sets. ``widens`` means that more would be released, or with fewer obligations."""

    statement: str
    widens: bool
    example: Request | None = None

    def __str__(self) -> str:
        example = "" if self.example is None else f", for example {self.example}"
        return f"{'WIDER' if self.widens else 'narrower or equal'}: {self.statement}{example}"


def under_schema_of(new: PolicySet, old: PolicySet) -> PolicySet:
    """The old set under the new set's schema, so that both can be asked the same.

    Raises ``PolicyError`` if the old rules do not fit the new schema: then the sets cannot be compared.
    """
    if old.schema_text == new.schema_text:
        return old
    schemas = {path: text for path, text in new.texts.items() if path.endswith(".cedarschema")}
    rules = {path: text for path, text in old.texts.items() if path.endswith(".cedar")}
    try:
        return compiled(rules | schemas, new.nation)
    except PolicyError as error:
        raise PolicyError(f"the sets cannot be compared, the old rules do not fit the new schema: {error}") from error


def differences(old: PolicySet, new: PolicySet, prover: Prover) -> Iterator[Change]:
    """How the results of ``new`` differ from those of ``old``; empty if they do not. Both have one schema.

    Raises ``ProofError`` if the prover gives no answer or an example that Cedar does not confirm.
    """
    before, after = bodies_of(old.rules.values()), bodies_of(new.rules.values())
    example = _example(after, before, new, prover)
    if example is not None:
        yield Change("newly released", widens=True, example=example)
    stopped = _example(before, after, new, prover)
    if stopped is not None:
        yield Change("no longer released", widens=False, example=stopped)
    withheld_before = matching(old.rules.values(), Outcome.WITHHOLD)
    withheld_after = matching(new.rules.values(), Outcome.WITHHOLD)
    eased = _example(withheld_before, withheld_after, new, prover)
    if eased is not None:
        yield Change("no longer withheld regardless of officers", widens=True, example=eased)
    for rule in new.rules.values():
        yield from _less_asked(old.rules.get(rule.id), rule)


def _example(one: Bodies, other: Bodies, new: PolicySet, prover: Prover) -> Request | None:
    """A request that only ``one`` allows, to a partner of the nation if there is one."""
    found = confirmed(prover.implies, one, other, new)
    if found is None or found.principal in new.links:
        return found
    for partner in sorted(new.links):
        to_partner = confirmed(prover.implies, (*one, _only_to(partner)), other, new)
        if to_partner is not None:
            return to_partner
    return found


def _only_to(nation: str) -> str:
    """A rule that forbids any release but to this nation, in Cedar's JSON form."""
    return json.dumps(
        {
            "effect": "forbid",
            "principal": {"op": "All"},
            "action": {"op": "All"},
            "resource": {"op": "All"},
            "conditions": [
                {
                    "kind": "unless",
                    "body": {
                        "==": {
                            "left": {"Var": "principal"},
                            "right": {"Value": {"__entity": {"type": "Nation", "id": nation}}},
                        }
                    },
                }
            ],
        }
    )


def _less_asked(old: Rule | None, new: Rule) -> Iterator[Change]:
    """Conditions of a release, compared rule by rule: obligations of a permit, officers of a hold."""
    if old is None:
        if new.is_permit:
            yield Change(f"the permit {new.id} is new, with the obligations {_words(new.obligations)}", widens=True)
        return
    if new.is_permit and set(strictest([*old.obligations, *new.obligations])) != set(new.obligations):
        now, before = _words(new.obligations), _words(old.obligations)
        yield Change(f"the permit {new.id} has the obligations {now}, and had {before}", widens=True)
    if new.outcome is Outcome.HOLD and new.reviewers < old.reviewers:
        words = f"the rule {new.id} requires {new.reviewers} officers, and required {old.reviewers}"
        yield Change(words, widens=True)


def _words(obligations: tuple[Obligation, ...]) -> str:
    return ", ".join(map(str, obligations)) or "nothing"
