"""What officers have stated by hand, as it stands on a nation's commands, and what that leaves of the releases.

A straight walk through the topic, as ``arrivals`` is through the reports. It knows who may recall, revoke and lift, and
no one who may not; what officers answer in reviews is not in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from exchange.protocol.record import Record
from schemas.codec import COMMAND, Codec, Undecodable
from schemas.records import Command
from schemas.vocabulary import CommandKind, RecordKind
from tests.officers import ROSTER
from tests.reference.model import Release

LIFTERS: Final = 2
RECALLED: Final = frozenset({RecordKind.RECALLED})


@dataclass(frozen=True, slots=True)
class Veto:
    """One that stands: by which command, of which kind, for one partner or for all, and who would end it."""

    command_id: str
    kind: CommandKind
    partner: str
    lifted_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ledger:
    """Of each indicator what was ever forbidden by hand, and what of it still stands.

    ``idle`` are the commands that had nothing to do, as quarantine names them; ``received`` are all by their ids.
    """

    standing: Mapping[str, tuple[Veto, ...]]
    idle: frozenset[str]
    received: frozenset[str]

    def on(self, name: str, partner: str) -> frozenset[CommandKind]:
        """What kinds of veto keep an indicator from a partner."""
        return frozenset(veto.kind for veto in self.standing.get(name, ()) if veto.partner in ("", partner))

    def knows(self, name: str) -> bool:
        """Whether anyone has ever forbidden this one."""
        return name in self.standing


def ledger(commands: Iterable[Record]) -> Ledger:
    """Everything that was stated, in the order of its offsets."""
    codec = Codec()
    standing: dict[str, tuple[Veto, ...]] = {}
    idle: set[str] = set()
    received: set[str] = set()
    used: set[tuple[str, str]] = set()
    for record in sorted(commands, key=lambda record: (record.partition, record.offset)):
        found = codec.decode(COMMAND, record.value)
        if isinstance(found, Undecodable):
            continue
        command = cast("Command", found)
        received.add(command["command_id"])
        if command["kind"] not in (CommandKind.RECALL, CommandKind.REVOKE, CommandKind.LIFT):
            continue
        name = command["indicator_id"]
        before = standing.get(name, ())
        if (name, command["command_id"]) in used:
            idle.add(f"{record.topic}-{record.partition}-{record.offset}--1")
            continue
        after = _lifted(before, command) if command["kind"] == CommandKind.LIFT else _forbidden(before, command)
        if after == before:
            idle.add(f"{record.topic}-{record.partition}-{record.offset}--1")
        else:
            standing[name] = after
            used.add((name, command["command_id"]))
    return Ledger(standing, frozenset(idle), frozenset(received))


def _forbidden(standing: tuple[Veto, ...], command: Command) -> tuple[Veto, ...]:
    """With one veto more, unless such a one stands."""
    kind, partner = CommandKind(command["kind"]), command["partner"]
    if any(veto.kind == kind and veto.partner in ("", partner) for veto in standing):
        return standing
    return (*standing, Veto(command["command_id"], kind, partner))


def _lifted(standing: tuple[Veto, ...], command: Command) -> tuple[Veto, ...]:
    """With the word of one person more against a veto, and without it when that makes two."""
    officer = ROSTER.find(command["officer"])
    person = "nobody" if officer is None else officer.person
    lifted = [
        replace(veto, lifted_by=veto.lifted_by | {person}) if veto.command_id == command["about"] else veto
        for veto in standing
    ]
    return tuple(veto for veto in lifted if len(veto.lifted_by) < LIFTERS)


def left(release: Release | None, vetoes: frozenset[CommandKind]) -> tuple[Release | None, frozenset[RecordKind]]:
    """What these vetoes leave of what the rules alone would release: the content, and if there is none, as what
    the last that the partner received of it may stand, if it received anything.

    A revocation changes nothing behind a recall; and what the rules forbid as well is to be purged, so it is recalled.
    """
    if release is None or CommandKind.RECALL in vetoes:
        return None, RECALLED
    if CommandKind.REVOKE in vetoes:
        return None, RECALLED | {RecordKind.REVOKED}
    return release, frozenset(RecordKind)
