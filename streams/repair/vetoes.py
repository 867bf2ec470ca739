"""The vetoes on a shard's indicators, from the commands that it had read before its rows were lost.

A veto is kept even if its officer is not on the roster any more, and is lifted only by officers who may do so now.
Commands that were refused are in quarantine under their location, and are skipped here. Verdicts of reviews are in the
audited decisions (``streams.repair.rebuilt_decision``).
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

from exchange.authority.roster import Officer, Roster
from exchange.protocol.record import Record
from schemas.codec import COMMAND, Codec, Undecodable
from schemas.identity import key_of_id
from schemas.quarantine import Refused
from schemas.records import Command
from schemas.vocabulary import CommandKind
from streams.correlate.commands import AuthorisedCommand, read_command
from streams.correlate.execute import execute, row_with
from streams.correlate.officers import NO_DECISIONS, OfficerDecisions
from streams.refusal import location_of
from streams.rules.classifier import Classifier

_VETOES: Final = frozenset({CommandKind.RECALL, CommandKind.REVOKE})


def vetoes_of(
    commands: Iterable[Record],
    refused: frozenset[str],
    codec: Codec,
    roster: Roster,
    classifier: Classifier,
    partners: Sequence[str],
    shards: int,
) -> dict[bytes, OfficerDecisions]:
    """The vetoes on each indicator after these commands, in their order. ``refused`` are quarantine keys."""
    found: dict[bytes, OfficerDecisions] = {}
    for record in commands:
        if location_of(record).key in refused:
            continue
        command = _vetoing(record, codec, roster, partners, shards)
        if command is None:
            continue
        row = row_with(None, found.get(command.key, NO_DECISIONS))
        done = execute(command, row, classifier, record.timestamp_ms, partners)
        if not isinstance(done, Refused):
            found[command.key] = done.row.officers or NO_DECISIONS
    return {key: decisions for key, decisions in found.items() if decisions != NO_DECISIONS}


def _vetoing(
    record: Record, codec: Codec, roster: Roster, partners: Sequence[str], shards: int
) -> AuthorisedCommand | None:
    """The command if it sets or lifts a veto; None for any other, and for an invalid one."""
    read = read_command(
        record.value,
        record.key,
        codec,
        roster,
        appended_ms=record.timestamp_ms,
        partners=partners,
        shard=record.partition,
        shards=shards,
    )
    if not isinstance(read, Refused):
        return read if read.kind in _VETOES or read.kind is CommandKind.LIFT else None
    decoded = codec.decode(COMMAND, record.value)
    if isinstance(decoded, Undecodable):
        return None
    command = cast("Command", decoded)
    if command["nation"] != roster.nation or command["kind"] not in _VETOES:
        return None
    try:
        key = key_of_id(command["indicator_id"])
    except ValueError:
        return None
    # It was executed, and its officer, key or partner is not known any more: the veto is kept, which is strict.
    person = f"key {command['officer']}, which is not on the roster now"
    officer = Officer(person, person, b"", frozenset())
    return AuthorisedCommand(key, CommandKind(command["kind"]), command, officer, record.timestamp_ms)
