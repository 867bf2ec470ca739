"""Reads a command: who signed it, whether they have the role, and whether it is well formed. Pure.

The indicator's row is not needed here; what a command changes in it is in ``streams.correlate.execute``. Expiry of the
command and of the key are judged by the broker's append time, so a command that is read again has the same result.
"""

from collections.abc import Sequence
from typing import Final, cast

import msgspec

from exchange.authority.roster import Officer, Role, Roster
from schemas.codec import COMMAND, Codec, Undecodable
from schemas.identity import indicator_id, key_of_id, shard_of_key
from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.quarantine import Refused
from schemas.records import Command, MarkingRecord
from schemas.signing import COMMAND_PURPOSE, command_body, is_signed
from schemas.vocabulary import CommandKind, EndReason, RejectReason
from streams.correlate.officers import APPROVE, CONTENT_BYTES, REFUSE

MAX_REASON: Final = 500
DAY_MS: Final = 24 * 60 * 60 * 1000
LONGEST_MS: Final = 31 * DAY_MS
ROLE_OF: Final = {
    CommandKind.VERDICT: Role.REVIEW,
    CommandKind.RECALL: Role.RECALL,
    CommandKind.REVOKE: Role.RECALL,
    CommandKind.LIFT: Role.RECALL,
    CommandKind.REISSUE: Role.REISSUE,
}
_REASON_CODES: Final = {
    CommandKind.RECALL: frozenset({EndReason.RECALLED_BY_HAND, EndReason.WITHDRAWN}),
    CommandKind.REVOKE: frozenset({EndReason.FALSE_POSITIVE, EndReason.WITHDRAWN}),
}


class AuthorisedCommand(msgspec.Struct, frozen=True):
    """A well-formed command for the indicator ``key``, signed by an officer who has the role for it.

    ``appended_ms`` is when the broker appended it (ms since 1970, UTC).
    """

    key: bytes
    kind: CommandKind
    command: Command
    officer: Officer
    appended_ms: int


def read_command(
    value: bytes | None,
    key: bytes | None,
    codec: Codec,
    roster: Roster,
    *,
    appended_ms: int,
    partners: Sequence[str],
    shard: int,
    shards: int,
) -> AuthorisedCommand | Refused:
    """The command in a record of ``command.v1``, or why it is refused. Never raises, whatever the bytes are."""
    decoded = codec.decode(COMMAND, value)
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    command = cast("Command", decoded)
    officer = _signer(command, codec, roster)
    if isinstance(officer, Refused):
        return officer
    indicator = _key_of(command, key, shard, shards)
    if indicator is None:
        return Refused(RejectReason.KEY_MISMATCH, "its indicator, its key and its partition do not agree")
    wrong = _wrong_with(command, roster.nation, partners)
    if wrong is not None:
        return Refused(RejectReason.MALFORMED_COMMAND, wrong)
    kind = CommandKind(command["kind"])
    if not officer.may(ROLE_OF[kind], appended_ms):
        return Refused(
            RejectReason.NOT_AUTHORISED,
            f"{officer.person} has not the role {ROLE_OF[kind]} on {roster.nation}'s roster, or the key has ended",
        )
    if not command["issued_ms"] < command["expires_ms"] <= command["issued_ms"] + LONGEST_MS:
        return Refused(RejectReason.MALFORMED_COMMAND, "it expires before it was signed, or after a month")
    if command["issued_ms"] > appended_ms + DAY_MS:
        return Refused(RejectReason.MALFORMED_COMMAND, "it was signed a day ahead of the broker's clock")
    if command["expires_ms"] <= appended_ms:
        return Refused(RejectReason.COMMAND_EXPIRED, "it came after its expiry: sign it again")
    return AuthorisedCommand(indicator, kind, command, officer, appended_ms)


def marking_of(record: MarkingRecord) -> Marking | None:
    """The marking in a command; None if it is not one that an officer may give."""
    try:
        tlp, pap = Tlp(record["tlp"]), Pap(record["pap"])
        caveats = tuple(sorted({Caveat(caveat) for caveat in record["caveats"]}))
    except ValueError:
        return None
    named = record["releasable_to"]
    if tlp >= Tlp.UNMARKED or (tlp >= Tlp.AMBER and not named):
        return None
    return Marking(tlp, pap, None if named is None else tuple(sorted(set(named))), caveats)


def _signer(command: Command, codec: Codec, roster: Roster) -> Officer | Refused:
    if not command["signature"]:
        return Refused(RejectReason.UNSIGNED, "it has no signature")
    officer = roster.find(command["officer"])
    if officer is None:
        return Refused(
            RejectReason.UNKNOWN_KEY,
            f"no key {_short(command['officer'])} is on {roster.nation}'s roster, as this worker has read it",
        )
    if not is_signed(officer.key, COMMAND_PURPOSE, command_body(codec, command), command["signature"]):
        return Refused(
            RejectReason.BAD_SIGNATURE, f"the signature is not {officer.person}'s: it was altered, or forged"
        )
    return officer


def _key_of(command: Command, key: bytes | None, shard: int, shards: int) -> bytes | None:
    try:
        found = key_of_id(command["indicator_id"])
    except ValueError:
        return None
    name = indicator_id(found)
    agree = name == command["indicator_id"] and key == name.encode() and shard_of_key(found, shards) == shard
    return found if agree else None


def _wrong_with(command: Command, nation: str, partners: Sequence[str]) -> str | None:
    """Why it is not a command that can be executed here; None if it is."""
    if command["nation"] != nation:
        return f"it is for {_short(command['nation'])}, and this is {nation}"
    if command["kind"] not in set(CommandKind):
        return f"its kind is {_short(command['kind'])}, which is none of {', '.join(CommandKind)}"
    kind = CommandKind(command["kind"])
    if not 0 < len(command["reason"].strip()) <= MAX_REASON:
        return f"it needs a reason, of at most {MAX_REASON} characters"
    if command["partner"] and command["partner"] not in partners:
        return f"{_short(command['partner'])} is no partner: {', '.join(partners)}"
    codes = _REASON_CODES.get(kind, frozenset({""}))
    if command["reason_code"] not in codes:
        return f"a {kind} has one of these reason codes: {', '.join(sorted(codes)) or 'none'}"
    match kind:
        case CommandKind.VERDICT:
            return _wrong_with_verdict(command)
        case CommandKind.REVOKE if command["partner"]:
            return "what was false is false for everybody: a revocation names no partner"
        case CommandKind.LIFT if not command["about"]:
            return "it does not say which veto is to end"
    return None


def _wrong_with_verdict(command: Command) -> str | None:
    if command["verdict"] not in (APPROVE, REFUSE):
        return f"a verdict is {APPROVE} or {REFUSE}"
    if not command["partner"] or len(command["question"]) < CONTENT_BYTES:
        return "a verdict names its partner and the question that it answers"
    marking = command["marking"]
    if marking is not None and (command["verdict"] != APPROVE or marking_of(marking) is None):
        return "only an approval gives a marking: from TLP:CLEAR to TLP:AMBER+STRICT, from AMBER up with recipients"
    return None


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
