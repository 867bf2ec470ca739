"""What officers have said of a shard's indicators, from the commands that it had read before it was lost.

A veto stands whoever is on the roster by now, and is ended only by those who may do so now as well. What was refused
when it came stands in quarantine under its place, and does nothing here either. What was answered in reviews is in the
decisions (``streams.repair.rebuilt_decision``).
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

from exchange.authority.roster import Officer, Roster
from exchange.protocol.record import Record
from schemas.codec import COMMAND, Codec, Undecodable
from schemas.identity import key_of_id
from schemas.records import Command
from schemas.vocabulary import CommandKind
from streams.correlate.commands import Order, RefusedCommand, read_command
from streams.correlate.obey import obey
from streams.correlate.release import Classifier
from streams.correlate.standing import NOTHING, Standing
from streams.refusal import Place
from streams.repair.rebuilt_row import of_nobody

_VETOES: Final = frozenset({CommandKind.RECALL, CommandKind.REVOKE})


def standings(
    commands: Iterable[Record],
    refused: frozenset[str],
    codec: Codec,
    roster: Roster,
    classifier: Classifier,
    partners: Sequence[str],
    shards: int,
) -> dict[bytes, Standing]:
    """The vetoes on each indicator after these commands, in their order. ``refused`` are quarantine keys."""
    found: dict[bytes, Standing] = {}
    for record in commands:
        if Place(record.topic, record.partition, record.offset).key in refused:
            continue
        order = _order(record, codec, roster, partners, shards)
        if order is None:
            continue
        row = of_nobody(found.get(order.key, NOTHING))
        done = obey(order, row, classifier, record.timestamp_ms, partners)
        if not isinstance(done, RefusedCommand):
            found[order.key] = done.row.standing or NOTHING
    return {key: standing for key, standing in found.items() if standing != NOTHING}


def _order(record: Record, codec: Codec, roster: Roster, partners: Sequence[str], shards: int) -> Order | None:
    """The order to forbid, or to lift, in a command; None where it is another, or none."""
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
    if not isinstance(read, RefusedCommand):
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
    # It was obeyed, and its officer, key or partner is not known any more: it stands, strict as it is.
    person = f"key {command['officer']}, which is not on the roster now"
    return Order(key, CommandKind(command["kind"]), command, Officer(person, person, b"", frozenset()))
