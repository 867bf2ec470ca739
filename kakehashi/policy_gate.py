"""Shows people what a policy set keeps and changes, before they sign or publish it."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from exchange.errors import Refused
from kakehashi.terminal import console, utc
from schemas.counting import counted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from kakehashi.published_rules import PublishedRules
    from schemas.records import PolicyRecord
    from streams.rules.policy_set import PolicySet
    from streams.rules.proof.prover import Prover
    from streams.rules.rulebook import Activated, Candidate


_Item = TypeVar("_Item")


def check(
    draft: "PolicyRecord", place: Path, rules: "PublishedRules", now_ms: int, *, proof: bool, wider: bool
) -> "Activated":
    """Check a draft of a set or of an activation, found at ``place``, as ``gate`` does. Returns the set it follows."""
    from streams.rules.rulebook import candidate

    found = candidate(draft, rules.history, rules.roster.nation, now_ms)
    if isinstance(found, str):
        raise Refused(f"{place}: {found}")
    gate(found, proof=proof, wider=wider)
    return found.before


def gate(candidate: "Candidate", *, proof: bool, wider: bool) -> None:
    """Print what was shown of a set: its claims, the changes from the one before, and from it to the next.

    ``proof`` asks for the analyser; ``wider`` accepts that it releases more than the one before, or after less. If the
    next one does is only reported: it was accepted for itself, and tightening the rules in a hurry must not be blocked
    by it.

    Raises Refused if a claim does not hold, or if it is wider and no one accepts that.
    """
    from streams.rules.proof.prove import prove, read_claims

    new, before, then = candidate.policy_set, candidate.before, candidate.then
    with prover_for(new, require_proof=proof) as prover:
        typer.echo(f"checking {new.version[:12]}: its claims, then what it changes; this takes a minute")
        findings = one_by_one(prove(new, read_claims(new), prover), "claims")
        broken = [finding for finding in findings if not finding.holds]
        for finding in broken:
            typer.echo(str(finding), err=True)
        if broken:
            raise Refused(
                f"{counted(len(broken), 'claim')} not kept by {new.version[:12]}; the rules in force stay in force"
            )
        typer.echo(f"every claim holds of {new.version[:12]}: {shown_by(prover)}")
        typer.echo(f"it follows {named(before)}")
        widens = _print_changes(before.policy_set, new, prover)
    if widens and not wider:
        raise Refused(
            "it is wider than the set that it follows, see above: --accept-wider confirms that this is intended"
        )
    if then is not None:
        with prover_for(then.policy_set, require_proof=proof) as prover:
            typer.echo(f"it is followed by {named(then)}")
            _print_changes(new, then.policy_set, prover)


def one_by_one(items: Iterable[_Item], what: str) -> Iterator[_Item]:
    """The items as they come; on a terminal with their number and the time that they took."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description} {task.completed:.0f}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        yield from progress.track(items, total=None, description=what)


def shown_by(prover: "Prover") -> str:
    """``proved by …``, or the exhaustive check, which is no proof."""
    return f"{'proved' if prover.is_proof else 'NOT PROVED, but checked'} by {prover.name}"


def named(activated: "Activated") -> str:
    """A set, the time from which it is in force, and who activated it."""
    if not activated.by:
        return f"{activated.policy_set.version[:12]}, as shipped"
    return f"{activated.policy_set.version[:12]}, from {utc(activated.at_ms)} by {', '.join(activated.by)}"


def _print_changes(old: "PolicySet", new: "PolicySet", prover: "Prover") -> bool:
    """Print the changes from one set to the next; whether one of them is wider, or may be."""
    from streams.rules.difference import changes_from

    changes = list(one_by_one(changes_from(old, new, prover), "changes"))
    for change in changes:
        typer.echo(str(change))
    return any(change.widens for change in changes)


def prover_for(policy_set: "PolicySet", *, require_proof: bool) -> "AbstractContextManager[Prover]":
    """The best prover of this machine."""
    from streams.rules.proof.analyser import best_prover

    return best_prover(policy_set, os.environ, require_proof=require_proof)
