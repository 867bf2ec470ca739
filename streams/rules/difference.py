"""What a new policy set changes: what is released, held and withheld, and what is demanded before a release.

Two sets are equal here if they give every possible request the same outcome, obligations, number of reviewers and
deadline, if their links agree on the same, and if they rate sensors alike. All else is a change, and each change is
either wider or stricter.
"""

import json
from collections.abc import Callable, Iterator

import msgspec

from schemas.agreement import Agreement
from schemas.ratings import RANK, Ratings
from schemas.vocabulary import Outcome
from streams.rules.demands import Demand, concerned_by, demands_of, makes
from streams.rules.policy_set import PolicySet, compiled
from streams.rules.proof.confirmed import bodies_of, confirmed, matching
from streams.rules.proof.prover import Bodies, Prover, as_forbids, as_permits
from streams.rules.proof.space import Request
from streams.rules.rule import PolicyError


class Change(msgspec.Struct, frozen=True):
    """One way in which the sets differ. ``widens``: more is released than before, or after less."""

    statement: str
    widens: bool
    example: Request | None = None

    def __str__(self) -> str:
        example = "" if self.example is None else f", for example {self.example}"
        return f"{'WIDER' if self.widens else 'stricter'}: {self.statement}{example}"


def under_schema_of(new: PolicySet, old: PolicySet) -> PolicySet:
    """The old set under the new set's schema, so that both can be asked the same.

    Raises ``PolicyError`` if the old rules do not fit the new schema: then the sets cannot be compared.
    """
    if old.schema_text == new.schema_text:
        return old
    schemas = {path: text for path, text in new.texts.items() if path.endswith(".cedarschema")}
    others = {path: text for path, text in old.texts.items() if not path.endswith(".cedarschema")}
    try:
        return compiled(others | schemas, new.nation)
    except PolicyError as error:
        raise PolicyError(f"the sets cannot be compared, the old rules do not fit the new schema: {error}") from error


def differences(old: PolicySet, new: PolicySet, prover: Prover) -> Iterator[Change]:
    """How ``new`` differs from ``old``; nothing if they decide and demand the same. Both have one schema.

    Raises ``ProofError`` if the prover gives no answer or an example that Cedar does not confirm.
    """
    yield from rule_changes(old, new, prover)
    for partner in sorted({*old.links, *new.links}):
        yield from _link_changes(partner, old.links.get(partner), new.links.get(partner))
    yield from _rating_changes(old.stated_ratings, new.stated_ratings)


def rule_changes(old: PolicySet, new: PolicySet, prover: Prover, *, only_wider: bool = False) -> Iterator[Change]:
    """How the rules of ``new`` differ, links and ratings aside. Raises ``ProofError`` as ``differences``."""
    yield from _outcome_changes(old, new, prover, only_wider=only_wider)
    for demand in demands_of((*old.rules.values(), *new.rules.values())):
        lost = _only_before(demand, old, new, prover)
        if lost is not None:
            yield Change(f"no longer demanded: {demand}", widens=True, example=lost)
        added = None if only_wider else _only_before(demand, new, old, prover)
        if added is not None:
            yield Change(f"newly demanded: {demand}", widens=False, example=added)


def changes_from(old: PolicySet, new: PolicySet, prover: Prover) -> Iterator[Change]:
    """``differences``, of sets of any schema. Changes that cannot be compared may be wider."""
    if old.version == new.version:
        return
    try:
        comparable = under_schema_of(new, old)
    except PolicyError as error:
        yield Change(str(error), widens=True)
        return
    yield from differences(comparable, new, prover)


def _outcome_changes(old: PolicySet, new: PolicySet, prover: Prover, *, only_wider: bool) -> Iterator[Change]:
    released = bodies_of(old.rules.values()), bodies_of(new.rules.values())
    opened = _not_withheld(old), _not_withheld(new)
    for (before, after), gained, ended in (
        (released, "newly released", "no longer released"),
        (opened, "no longer withheld regardless of officers", "newly withheld regardless of officers"),
    ):
        for one, other, statement, widens in ((after, before, gained, True), (before, after, ended, False)):
            is_asked = set(one) != set(other) and (widens or not only_wider)
            example = _example(prover.implies, one, other, new) if is_asked else None
            if example is not None:
                yield Change(statement, widens=widens, example=example)


def _not_withheld(policy_set: PolicySet, outcomes: tuple[Outcome, ...] = (Outcome.RELEASE, Outcome.HOLD)) -> Bodies:
    """The requests that a rule with one of these outcomes matches and no rule withholds."""
    rules = policy_set.rules.values()
    return (*matching(rules, *outcomes), *as_forbids(matching(rules, Outcome.WITHHOLD)))


def _only_before(demand: Demand, old: PolicySet, new: PolicySet, prover: Prover) -> Request | None:
    """A request that neither set withholds and of which only ``old`` makes this demand."""
    before, after = (bodies_of(rule for rule in each.rules.values() if makes(rule, demand)) for each in (old, new))
    if set(before) <= set(after):
        return None
    withheld = matching(old.rules.values(), Outcome.WITHHOLD)
    one = (*as_permits(before), *as_forbids((*withheld, *after)))
    return _example(prover.disjoint, one, _not_withheld(new, concerned_by(demand)), new)


def _example(
    question: Callable[[Bodies, Bodies], Request | None], one: Bodies, other: Bodies, new: PolicySet
) -> Request | None:
    """The prover's example, of a release to a partner of the nation if there is one."""
    found = confirmed(question, one, other, new)
    if found is None or found.principal in new.links:
        return found
    for partner in sorted(new.links):
        to_partner = confirmed(question, (*one, _only_to(partner)), other, new)
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


def _link_changes(partner: str, old: Agreement | None, new: Agreement | None) -> Iterator[Change]:
    """How a link changed. No officers listed means all, so the empty list is the widest."""
    if old is None or new is None:
        yield Change(f"the link to {partner} is {'new' if old is None else 'gone'}", widens=old is None)
        return
    for name in ("schemas", "tlp", "caveats", "officers"):
        before: frozenset[str] = getattr(old, name)
        after: frozenset[str] = getattr(new, name)
        all_before, all_after = (name == "officers" and not listed for listed in (before, after))
        if before == after:
            continue
        if all_after or (after - before and not all_before):
            yield Change(f"the link to {partner} newly lists {name}: {_words(after - before)}", widens=True)
        if all_before or (before - after and not all_after):
            yield Change(f"the link to {partner} no longer lists {name}: {_words(before - after)}", widens=False)


def _rating_changes(old: Ratings, new: Ratings) -> Iterator[Change]:
    """How the ratings of sensors changed: a better one is wider."""
    for sensor in sorted({*old.by_sensor, *new.by_sensor}):
        before, after = old.of(sensor), new.of(sensor)
        if before is not after:
            yield Change(f"{sensor} is rated {after}, before {before}", widens=RANK[after] > RANK[before])


def _words(listed: frozenset[str]) -> str:
    return ", ".join(sorted(listed)) or "everybody"
