"""What must hold before a policy set may be published or activated: its claims, and that it lets no more out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from exchange.errors import ConfigurationError, Refused

if TYPE_CHECKING:
    from streams.classification.policy_set import PolicySet
    from streams.classification.prover import Prover


def gate(old: "PolicySet", new: "PolicySet", *, accept_wider: bool, require_proof: bool) -> None:
    """Say what was shown. Raises Refused where a claim does not hold, or where it is wider and nobody accepts that."""
    from streams.classification.difference import differences
    from streams.classification.prove import prove, read_claims

    with prover_for(new.schema_text, require_proof=require_proof) as prover:
        verb = "proved" if prover.is_proof else "NOT PROVED, but checked"
        broken = [finding for finding in prove(new, read_claims(new), prover) if not finding.holds]
        for finding in broken:
            typer.echo(str(finding), err=True)
        if broken:
            raise Refused(f"{len(broken)} claims do not hold of {new.version[:12]}; the rules in force stay in force")
        typer.echo(f"every claim holds of {new.version[:12]}: {verb} by {prover.name}")
        changes = [] if old.version == new.version else list(differences(old, new, prover))
    for change in changes:
        typer.echo(str(change))
    if any(change.widens for change in changes) and not accept_wider:
        raise Refused("it lets more out than what is in force, see above: --accept-wider says that this is meant")


@contextmanager
def prover_for(schema_text: str, *, require_proof: bool) -> "Iterator[Prover]":
    """The analyser where it is; otherwise the stand-in, which says what it is."""
    from streams.classification.analyser import SymbolicProver, find_cedar, find_solver
    from streams.classification.exhaustive import ExhaustiveProver

    cedar = find_cedar(os.environ)
    if cedar is not None:
        with SymbolicProver(schema_text, cedar, find_solver(os.environ)) as prover:
            yield prover
    elif require_proof:
        raise ConfigurationError("Cedar's analyser is missing, so nothing can be proved: `make prove` builds it")
    else:
        yield ExhaustiveProver(schema_text)
