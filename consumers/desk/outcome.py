"""Reports what an obeyed command has changed: whether a recall ended a release, and whether a lift ended its veto."""

from collections.abc import Iterable
from typing import Final, cast

from exchange.authority.roster import Role, Roster
from exchange.protocol.record import Record
from schemas.codec import COMMAND, Codec, Undecodable
from schemas.records import Command
from schemas.signing import COMMAND_PURPOSE, command_body, is_signed
from schemas.vocabulary import CommandKind

LIFTERS: Final = 2


def lifters(records: Iterable[Record], codec: Codec, roster: Roster, indicator_id: str, veto: str) -> frozenset[str]:
    """The people who have lifted this veto on an indicator, by the commands of its shard.

    Only commands that the shard obeys count: signed by someone who has the role, each person once.
    """
    persons = set()
    for record in records:
        if record.key != indicator_id.encode():
            continue
        decoded = codec.decode(COMMAND, record.value)
        if isinstance(decoded, Undecodable):
            continue
        command = cast("Command", decoded)
        officer = roster.find(command["officer"])
        if (command["kind"], command["about"]) != (CommandKind.LIFT, veto) or officer is None:
            continue
        signed = is_signed(officer.key, COMMAND_PURPOSE, command_body(codec, command), command["signature"])
        if signed and officer.may(Role.RECALL, record.timestamp_ms) and record.timestamp_ms < command["expires_ms"]:
            persons.add(officer.person)
    return frozenset(persons)


def lifted(persons: frozenset[str]) -> str:
    """The answer to a lift that was obeyed, after these people have lifted the veto."""
    if len(persons) < LIFTERS:
        return "accepted: the veto still applies; it ends when another person lifts it, too"
    return f"the veto has ended: lifted by {', '.join(sorted(persons))}; the rules decide again"


def forbidden(kind: CommandKind, released_to: frozenset[str], *, is_reported: bool) -> str:
    """The answer to a recall or revocation that was obeyed, of what was released to these partners.

    ``is_reported``: the nation has a record of it, so it was not merely misspelt.
    """
    done = "recalled" if kind is CommandKind.RECALL else "revoked"
    if released_to:
        return f"{done} from {', '.join(sorted(released_to))}; the veto stays"
    veto = "only the veto was set"
    if not is_reported:
        veto = "the veto was set, but no one has reported it: check the spelling"
    return f"it was never released, so nothing was {done} from a partner; {veto}"
