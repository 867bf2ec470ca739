"""An officer at the command line: brings key, roster and cluster together, and prints the results."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange import clock
from exchange.errors import BrokerUnavailable, Refused
from kakehashi.listing import write_line
from schemas.counting import counted

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from consumers.desk.commands import CommandDesk, CommandResult, SentCommand
    from exchange.authority.roster import Officer, Role
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings
    from schemas.records import Command

ANSWER_S = 20.0
Wait = Annotated[float, typer.Option(min=0, help="How many seconds to wait for the result.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """One officer of one nation."""

    nation: str
    officer: "Officer"
    cluster: "Cluster"
    desk: "CommandDesk"

    @property
    def now_ms(self) -> int:
        """The officer's clock."""
        return clock.now_ms()


def open_desk(nation: str, key: Path, role: "Role") -> Desk:
    """The desk of the owner of this key. Raises Refused if the roster does not have it, or not in this role.

    The workers check the same of every command: this only reports it sooner.
    """
    from consumers.desk.commands import CommandDesk
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    settings = Settings.from_env(os.environ)
    private, officer = owner_of(nation, key, role, settings)
    cluster = cluster_of(nation, settings, os.environ)
    return Desk(nation, officer, cluster, CommandDesk(cluster, settings.shards, private))


def owner_of(nation: str, key: Path, role: "Role", settings: "Settings") -> "tuple[Ed25519PrivateKey, Officer]":
    """The private key in this file, and who has it. Raises Refused if the roster does not have it, or not in this
    role."""
    from exchange.authority.private_key import read_key
    from exchange.authority.roster import load_roster
    from schemas.signing import key_id, public_of

    private = read_key(key)
    officer = load_roster(nation, settings.officers).find(key_id(public_of(private)))
    roster = settings.officers / f"{nation}.toml"
    if officer is None:
        raise Refused(f"{key}: its public key is not on {roster}: ask the keeper of the roster to enter it")
    if not officer.may(role, clock.now_ms()):
        raise Refused(f"{officer.person} does not have the role {role} on {roster}, or the key has ended")
    return private, officer


def carry_out(
    desk: Desk,
    commands: "Sequence[Command]",
    done: "str | Callable[[str], str]",
    wait_s: float,
    *,
    as_json: bool,
) -> None:
    """Send commands, wait for their results, and print them. Raises Refused if one was not obeyed.

    ``done`` is the answer to what was obeyed, or gives it for an indicator's id.
    """
    refused = 0
    for each, sent in zip(commands, desk.desk.send(commands), strict=True):
        result = desk.desk.result(sent, wait_s)
        if result is None:
            raise BrokerUnavailable(_undecided(desk.nation, sent, wait_s))
        refused += bool(result.reason)
        name = each["indicator_id"]
        line = _line(result, done, name)
        if as_json:
            facts = {name: each[name] for name in ("nation", "indicator_id", "partner", "kind", "command_id")}
            write_line({**facts, "obeyed": not result.reason, "reason": result.reason, "result": line})
        else:
            typer.echo(f"{name}  {line}", err=bool(result.reason))
    if refused:
        raise Refused(
            f"{refused} of {counted(len(commands), 'command')} had no effect; the lines above have the reasons"
        )


def _line(result: "CommandResult", done: "str | Callable[[str], str]", name: str) -> str:
    if result.reason:
        return f"no effect ({result.reason}): {result.detail}"
    return done if isinstance(done, str) else done(name)


def _undecided(nation: str, sent: "SentCommand", wait_s: float) -> str:
    return (
        f"the command is signed and written at {sent.quarantine_key.removesuffix('--1')}, but no worker of {nation} "
        f"has decided it within {wait_s:g} s: is one running? It is obeyed when one does. Do not send it again: look "
        f"with `kakehashi explain INDICATOR --nation {nation}`"
    )
