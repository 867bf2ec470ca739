"""Proves a policy set: the claims hold for every possible indicator, and no rule errs, is dead or shadowed."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import cedarpy
import msgspec

from schemas.links import POLICY_FOLDER
from schemas.vocabulary import Outcome
from streams.rules.policy_set import PolicySet, read_policies
from streams.rules.proof.prover import Bodies, ProofError, Prover, as_permits, cedar_json
from streams.rules.proof.space import Request
from streams.rules.rule import PolicyError, Rule

CLAIM_KINDS: Final = frozenset({"never-permitted", "withheld", "stopped", "not-withheld", "released"})
_CLAIMS: Final = Path("claims") / "v1"


class Claim(msgspec.Struct, frozen=True):
    """A kind of indicator (``body`` permits it), and the outcome that the rules must give it."""

    id: str
    title: str
    kind: str
    body: str


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
        if policy["effect"] != "permit" or set(notes) != {"id", "title", "claim"} or notes["claim"] not in CLAIM_KINDS:
            raise PolicyError(f"{place}: a claim is a permit with @id, @title and @claim, one of {sorted(CLAIM_KINDS)}")
        yield Claim(notes["id"], notes["title"], notes["claim"], json.dumps(policy, ensure_ascii=False))


def prove(policy_set: PolicySet, claims: Sequence[Claim], prover: Prover) -> Iterator[Finding]:
    """Everything that is to be shown, one by one, so that a caller may stop at the first that does not hold.

    Raises ``ProofError`` if the prover gives no answer or an example that Cedar does not confirm.
    """
    yield _can_say_no(policy_set, prover)
    for claim in claims:
        yield _shown_possible(
            f"claim {claim.id}", "there are indicators of this kind", [claim.body], policy_set, prover
        )
        yield _claim(claim, policy_set, prover)
    for rule in policy_set.rules.values():
        example = prover.never_errors(rule.body)
        yield Finding(f"rule {rule.id}", "it never fails to evaluate", example is None, example)
        yield _shown_possible(
            f"rule {rule.id}", "it matches something (it is not dead)", as_permits([rule.body]), policy_set, prover
        )
        yield _matters(rule, policy_set, prover)
    yield _shown_possible("the set", "it releases something", bodies_of(policy_set.rules.values()), policy_set, prover)


def _claim(claim: Claim, policy_set: PolicySet, prover: Prover) -> Finding:
    rules = tuple(policy_set.rules.values())
    kind: Bodies = (claim.body,)
    match claim.kind:
        case "never-permitted":
            permits = bodies_of(rule for rule in rules if rule.is_permit)
            question, one, other = prover.disjoint, permits, kind
        case "withheld":
            question, one, other = prover.implies, kind, matching(rules, Outcome.WITHHOLD)
        case "stopped":
            question, one, other = prover.implies, kind, matching(rules, Outcome.WITHHOLD, Outcome.HOLD)
        case "not-withheld":
            question, one, other = prover.disjoint, matching(policy_set.joint_rules, Outcome.WITHHOLD), kind
        case _:
            question, one, other = prover.implies, kind, bodies_of(policy_set.joint_rules)
    example = confirmed(question, one, other, policy_set)
    return Finding(f"claim {claim.id}", claim.title, example is None, example)


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
    if example is not None and not _allows(bodies, example, policy_set):
        raise ProofError(f"Cedar does not confirm the prover's example: {example}")
    return Finding(subject, statement, example is not None)


def _can_say_no(policy_set: PolicySet, prover: Prover) -> Finding:
    """Guards against a prover that always answers yes: it must find the leak in a set made to leak."""
    leaky = as_permits(matching(policy_set.rules.values(), Outcome.WITHHOLD))
    example = confirmed(prover.disjoint, leaky, leaky, policy_set)
    return Finding("the prover", "it finds the leak in a set that releases what must be withheld", example is not None)


def confirmed(
    question: Callable[[Bodies, Bodies], Request | None], one: Bodies, other: Bodies, policy_set: PolicySet
) -> Request | None:
    """The prover's answer, its example replayed by the engine that decides.

    Raises ``ProofError`` if the engine does not confirm the example.
    """
    example = question(one, other)
    if example is not None:
        wanted_of_other = question.__name__ == "disjoint"
        if not _allows(one, example, policy_set) or _allows(other, example, policy_set) is not wanted_of_other:
            raise ProofError(f"Cedar does not confirm the prover's example: {example}")
    return example


def _allows(bodies: Bodies, request: Request, policy_set: PolicySet) -> bool:
    (result,) = policy_set.space.evaluate(cedarpy.PolicySet.from_json_str(cedar_json(bodies)), [request])
    return result.decision is cedarpy.Decision.Allow


def matching(rules: Iterable[Rule], *outcomes: Outcome) -> Bodies:
    """The rules that lead to these outcomes, as permits: they allow exactly what they match."""
    return as_permits(rule.body for rule in rules if rule.outcome in outcomes)


def bodies_of(rules: Iterable[Rule]) -> Bodies:
    """The rules as they are, ready to be asked about."""
    return tuple(rule.body for rule in rules)
