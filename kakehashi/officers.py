"""An officer at the command line: key, roster and cluster brought together, and the answer told."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange import clock
from exchange.errors import BrokerUnavailable, Refused

if TYPE_CHECKING:
    from consumers.desk.commands import Answer, CommandDesk, Place
    from exchange.authority.roster import Officer, Role
    from exchange.kafka.clients import Cluster
    from schemas.records import Command

ANSWER_S = 20.0
Wait = Annotated[float, typer.Option(min=0, help="How many seconds to wait for what becomes of it.")]


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
    """The desk of whoever has this key. Raises Refused where the roster does not know it, or not in this role.

    The workers ask the same of every command: this only says it sooner.
    """
    from consumers.desk.commands import CommandDesk
    from exchange.authority.officer_key import read_key
    from exchange.authority.roster import load_roster
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from schemas.signing import key_id, public_of

    settings = Settings.from_env(os.environ)
    cluster = cluster_of(nation, settings, os.environ)
    private = read_key(key)
    officer = load_roster(nation, settings.officers).find(key_id(public_of(private)))
    roster = settings.officers / f"{nation}.toml"
    if officer is None:
        raise Refused(f"{key}: its public key is not on {roster}: whoever keeps the roster has to enter it")
    if not officer.may(role, clock.now_ms()):
        raise Refused(f"{officer.person} has not the role {role} on {roster}, or the key has ended")
    return Desk(nation, officer, cluster, CommandDesk(cluster, settings.shards, private))


def carry_out(desk: Desk, commands: "Sequence[Command]", done: str, wait_s: float) -> None:
    """Send commands, wait for what becomes of them, and tell; raises Refused where one was not obeyed."""
    places = desk.desk.send(commands)
    refused = 0
    for each, place in zip(commands, places, strict=True):
        answer = desk.desk.answer(place, wait_s)
        if answer is None:
            raise BrokerUnavailable(_unanswered(desk.nation, place, wait_s))
        refused += bool(answer.reason)
        typer.echo(f"{each['indicator_id']}  {_told(answer, done)}", err=bool(answer.reason))
    if refused:
        raise Refused(f"{refused} of {len(commands)} had no effect; the lines above say why")


def _told(answer: "Answer", done: str) -> str:
    return f"no effect ({answer.reason}): {answer.detail}" if answer.reason else done


def _unanswered(nation: str, place: "Place", wait_s: float) -> str:
    return (
        f"the command is signed and stands at {place.quarantine_key.removesuffix('--1')}, but no worker of "
        f"{nation} has come to it within {wait_s:g} s: is one running? It is obeyed when one does. Do not send it "
        "again: look with `kakehashi explain`"
    )
