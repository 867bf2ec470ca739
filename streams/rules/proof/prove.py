"""Proves a policy set: the claims hold for every possible indicator, and no rule errs, is dead or shadowed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from schemas.links import POLICY_FOLDER
from schemas.vocabulary import Outcome
from streams.rules.demands import DecidedWithin, Demand, Owes, ReviewedBy, makes
from streams.rules.obligations import at_least, parse
from streams.rules.policy_set import PolicySet, read_policies
from streams.rules.proof.confirmed import allows, bodies_of, confirmed, matching
from streams.rules.proof.prover import Bodies, ProofError, Prover, as_permits
from streams.rules.proof.rated import rating_changes
from streams.rules.proof.space import Request
from streams.rules.rule import PolicyError, Rule

# Each kind of claim with the annotations that it has beside @id, @title and @claim.
CLAIM_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "never-permitted": frozenset(),
    "withheld": frozenset(),
    "stopped": frozenset({"reviewers", "deadline_hours"}),
    "not-withheld": frozenset(),
    "released": frozenset(),
    "owes": frozenset({"obligations"}),
    "owes-no-more": frozenset({"obligations"}),
}
_CLAIMS: Final = Path("claims") / "v1"


class Claim(msgspec.Struct, frozen=True):
    """A kind of indicator (``body`` permits it), and what the rules must decide and demand of it.

    ``demands`` are of ``stopped``: its reviewers and its deadline; and of the claims on obligations.
    """

    id: str
    title: str
    kind: str
    body: str
    demands: tuple[Demand, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """One thing that was to be shown. ``example`` is a request for which it does not hold."""

    subject: str
    statement: str
    holds: bool
    example: Request | None = None

    def __str__(self) -> str:
        example = "" if self.example is None else f", for example {self.example}"
        return f"{'holds' if self.holds else 'DOES NOT HOLD'}: {self.statement} ({self.subject}){example}"


def read_claims(policy_set: PolicySet, folder: Path = POLICY_FOLDER) -> tuple[Claim, ...]:
    """The joint claims in the policy folder, and those on the nation's own rules if it has any.

    Raises ``PolicyError`` if they do not parse, do not fit the schema or name no kind.
    """
    paths = [folder / _CLAIMS / f"{name}.cedar" for name in ("joint", policy_set.nation)]
    return tuple(
        claim for path in paths if path.exists() or path == paths[0] for claim in _read_claims(path, policy_set)
    )


def _read_claims(path: Path, policy_set: PolicySet) -> Iterator[Claim]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path} cannot be read as UTF-8 text: {error}") from error
    policies = list(read_policies(str(_CLAIMS / path.name), text, policy_set.schema_text))
    if not policies:
        raise PolicyError(f"{path}: has no claims")
    for policy, place in policies:
        notes = policy.get("annotations", {})
        more = CLAIM_KINDS.get(notes.get("claim") or "")
        if policy["effect"] != "permit" or more is None or set(notes) != {"id", "title", "claim", *more}:
            kinds = ", ".join(
                " ".join([kind, *(f"@{name}" for name in sorted(CLAIM_KINDS[kind]))]) for kind in CLAIM_KINDS
            )
            raise PolicyError(f"{place}: a claim is a permit with @id, @title and @claim, one of: {kinds}")
        try:
            demands = _demands(notes)
        except ValueError as error:
            raise PolicyError(f"{place}: the claim “{notes['id']}”: {error}") from error
        yield Claim(notes["id"], notes["title"], notes["claim"], json.dumps(policy, ensure_ascii=False), demands)


def _demands(notes: Mapping[str, str]) -> tuple[Demand, ...]:
    """What a claim's annotations demand. Raises ``ValueError`` for a number or an obligation that is not valid."""
    if notes["claim"] == "stopped":
        return ReviewedBy(int(notes["reviewers"])), DecidedWithin(int(notes["deadline_hours"]))
    return tuple(map(Owes, parse(notes.get("obligations") or "")))


def prove(policy_set: PolicySet, claims: Sequence[Claim], prover: Prover) -> Iterator[Finding]:
    """Everything that is to be shown, one by one, so that a caller may stop at the first that does not hold.

    Raises ``ProofError`` if the prover gives no answer or an example that Cedar does not confirm.
    """
    yield _can_say_no(policy_set, prover)
    for claim in claims:
        yield _shown_possible(
            f"claim {claim.id}", "there are indicators of this kind", [claim.body], policy_set, prover
        )
        yield from _claim(claim, policy_set, prover)
    for rule in policy_set.rules.values():
        example = prover.never_errors(rule.body)
        yield Finding(f"rule {rule.id}", "it never fails to evaluate", example is None, example)
        yield _shown_possible(
            f"rule {rule.id}", "it matches something (it is not dead)", as_permits([rule.body]), policy_set, prover
        )
        yield _matters(rule, policy_set, prover)
    yield _shown_possible("the set", "it releases something", bodies_of(policy_set.rules.values()), policy_set, prover)
    for statement, change in rating_changes(policy_set, prover):
        words = statement if change is None else f"{statement}: {change.statement}"
        yield Finding("ratings", words, change is None, None if change is None else change.example)


def _claim(claim: Claim, policy_set: PolicySet, prover: Prover) -> Iterator[Finding]:
    """The claim, which is one question, or one for each of its demands."""
    rules = tuple(policy_set.rules.values())
    withheld, kind = matching(rules, Outcome.WITHHOLD), (claim.body,)

    def shown(question: Callable[[Bodies, Bodies], Request | None], other: Bodies, what: object = "") -> Finding:
        example = confirmed(question, kind, other, policy_set)
        return Finding(f"claim {claim.id}", f"{claim.title}{f': {what}' if what else ''}", example is None, example)

    match claim.kind:
        case "never-permitted":
            yield shown(prover.disjoint, bodies_of(rule for rule in rules if rule.is_permit))
        case "withheld":
            yield shown(prover.implies, withheld)
        case "not-withheld":
            yield shown(prover.disjoint, matching(policy_set.joint_rules, Outcome.WITHHOLD))
        case "released":
            yield shown(prover.implies, bodies_of(policy_set.joint_rules))
        case "owes-no-more":
            yield shown(prover.disjoint, as_permits(_demanding_more(policy_set.joint_rules, claim.demands)))
        case _:  # stopped, owes: what is not withheld meets each demand
            for demand in claim.demands:
                meeting = as_permits(rule.body for rule in rules if makes(rule, demand))
                yield shown(prover.implies, (*withheld, *meeting), demand)


def _demanding_more(rules: Iterable[Rule], allowed: tuple[Demand, ...]) -> Bodies:
    """The rules with an obligation that is stricter than the allowed one of its kind, or of another kind."""
    most = {demand.obligation for demand in allowed if isinstance(demand, Owes)}
    return bodies_of(
        rule for rule in rules if any(not any(at_least(each, owed) for each in most) for owed in rule.obligations)
    )


def _matters(rule: Rule, policy_set: PolicySet, prover: Prover) -> Finding:
    """Whether there is something that this rule alone decides: nothing stricter, and no other of its kind, matches."""
    others = tuple(other for other in policy_set.rules.values() if other.id != rule.id)
    stricter = {
        Outcome.WITHHOLD: (Outcome.WITHHOLD,),
        Outcome.HOLD: (Outcome.WITHHOLD, Outcome.HOLD),
        Outcome.RELEASE: tuple(Outcome),
    }
    shadows = matching(others, *stricter[rule.outcome])
    example = prover.implies(as_permits([rule.body]), shadows)
    return Finding(f"rule {rule.id}", "it alone decides something (it is not shadowed)", example is not None)


def _shown_possible(subject: str, statement: str, bodies: Bodies, policy_set: PolicySet, prover: Prover) -> Finding:
    example = prover.always_denies(bodies)
    if example is not None and not allows(bodies, example, policy_set):
        raise ProofError(f"Cedar does not confirm the prover's example: {example}")
    return Finding(subject, statement, example is not None)


def _can_say_no(policy_set: PolicySet, prover: Prover) -> Finding:
    """Guards against a prover that always answers yes: it must find the leak in a set made to leak."""
    leaky = as_permits(matching(policy_set.rules.values(), Outcome.WITHHOLD))
    example = confirmed(prover.disjoint, leaky, leaky, policy_set)
    return Finding("the prover", "it finds the leak in a set that releases what must be withheld", example is not None)
