"""Sends quarantined entries again for an officer, and prints the result of each."""

import os
from pathlib import Path

import typer

from consumers.desk.redrive import Redrive
from consumers.desk.redriving import redriven
from exchange.authority.roster import Role
from exchange.clock import now_ms
from exchange.errors import Refused
from exchange.settings import Settings
from kakehashi.clusters import cluster_of
from kakehashi.listing import write_line
from kakehashi.officers import owner_of
from kakehashi.terminal import printable
from schemas.counting import counted


def redrive(
    nation: str, keys: frozenset[str], reason: str | None, changes: dict[str, str], key: Path | None, *, as_json: bool
) -> None:
    """Redrive these entries, or those of a reason, signed by this key; without a key nothing is sent.

    Raises Refused, exit code 4, if one of them could not be sent again; the others were.
    """
    settings = Settings.from_env(os.environ)
    private = None if key is None else owner_of(nation, key, Role.REDRIVE, settings)[0]
    cluster, verb = cluster_of(nation, settings, os.environ), "would send" if private is None else "sent"
    sent = kept = 0
    for result in redriven(
        cluster, cluster.codec(), keys=keys, reason=reason, changes=changes, now_ms=now_ms(), private=private
    ):
        is_sent = isinstance(result, Redrive)
        sent, kept = sent + is_sent, kept + (not is_sent)
        if as_json:
            why = "" if isinstance(result, Redrive) else result.why
            observations = result.observations if isinstance(result, Redrive) else 0
            is_now = is_sent and private is not None
            write_line({"key": result.key, "sent": is_now, "observations": observations, "reason": why})
        elif isinstance(result, Redrive):
            where = f"partition {result.output.partition}"
            typer.echo(f"{verb} {result.key}: {counted(result.observations, 'observation')} to {where}")
        else:
            typer.echo(f"not sent {result.key}: {printable(result.why)}", err=True)
    if kept:
        raise Refused(
            f"{verb} {sent} of {counted(sent + kept, 'entry')}; the lines above have the reasons for the rest"
        )
    typer.echo(
        f"{verb} {counted(sent, 'entry')}; what is refused again has a new key in `kakehashi quarantine list "
        f"--nation {nation}`",
        err=as_json,
    )
