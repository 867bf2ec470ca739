"""Checks a policy set before people sign or publish it: its claims hold, and it is no wider than the one before."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from exchange.errors import ConfigurationError, Refused
from kakehashi.terminal import console, utc
from schemas.counting import counted

if TYPE_CHECKING:
    from kakehashi.published_rules import PublishedRules
    from schemas.records import PolicyRecord
    from streams.rules.policy_set import PolicySet
    from streams.rules.proof.prover import Prover
    from streams.rules.rulebook import Activated


_Item = TypeVar("_Item")


def check(
    draft: "PolicyRecord", place: Path, rules: "PublishedRules", now_ms: int, *, proof: bool, wider: bool
) -> "Activated":
    """Check a draft of a set or of an activation, found at ``place``, as ``gate`` does. Returns the set it follows.

    A set is compared with what is in force now, an activation with what will be in force at its time.
    """
    from exchange.authority.policy_record import Kind

    activates = draft["kind"] == Kind.ACTIVATION
    new = _named_set(draft, place, rules)
    at_ms = draft["activate_at_ms"] if activates else now_ms
    before, then = rules.history.at(at_ms), rules.history.next_after(at_ms) if activates else None
    gate(new, before, then, proof=proof, wider=wider)
    return before


def _named_set(draft: "PolicyRecord", place: Path, rules: "PublishedRules") -> "PolicySet":
    from exchange.authority.policy_record import Kind
    from streams.rules.rulebook import loaded_set

    if draft["kind"] == Kind.SET:
        found = loaded_set(draft, rules.roster.nation)
        if isinstance(found, str):
            raise Refused(f"{place}: {found}")
        return found
    if draft["version"] not in rules.history.sets:
        raise Refused(f"{place}: {draft['version'][:12]} is not a published set: publish it first")
    return rules.history.sets[draft["version"]]


def gate(new: "PolicySet", before: "Activated", then: "Activated | None" = None, *, proof: bool, wider: bool) -> None:
    """Print what was shown of ``new``: its claims, the changes from ``before``, and from it to ``then``.

    ``proof`` asks for the analyser; ``wider`` accepts that it releases more than ``before``, or after less. If ``then``
    does is only reported: it was accepted for itself, and tightening the rules in a hurry must not be blocked by it.

    Raises Refused if a claim does not hold, or if it is wider and no one accepts that.
    """
    from streams.rules.proof.prove import prove, read_claims

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
        widens = _widens(before.policy_set, new, prover)
    if widens and not wider:
        raise Refused(
            "it is wider than the set that it follows, see above: --accept-wider confirms that this is intended"
        )
    if then is not None:
        with prover_for(then.policy_set, require_proof=proof) as prover:
            typer.echo(f"it is followed by {named(then)}")
            _widens(new, then.policy_set, prover)


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


def _widens(old: "PolicySet", new: "PolicySet", prover: "Prover") -> bool:
    """Print the changes from one set to the next; whether one of them is wider, or may be."""
    from streams.rules.difference import differences, under_schema_of
    from streams.rules.rule import PolicyError

    if old.version == new.version:
        return False
    try:
        changes = list(one_by_one(differences(under_schema_of(new, old), new, prover), "changes"))
    except PolicyError as error:
        typer.echo(f"WIDER, or not comparable: {error}")
        return True
    for change in changes:
        typer.echo(str(change))
    return any(change.widens for change in changes)


@contextmanager
def prover_for(policy_set: "PolicySet", *, require_proof: bool) -> "Iterator[Prover]":
    """The analyser if it is installed; otherwise the exhaustive check."""
    from streams.rules.proof.analyser import SymbolicProver, find_cedar, find_solver
    from streams.rules.proof.exhaustive import ExhaustiveProver

    cedar = find_cedar(os.environ)
    if cedar is not None:
        with SymbolicProver(policy_set.schema_text, cedar, find_solver(os.environ)) as prover:
            yield prover
    elif require_proof:
        raise ConfigurationError("Cedar's analyser is missing, so nothing can be proved: `make prove` builds it")
    else:
        yield ExhaustiveProver(policy_set.schema_text, policy_set.nations)
