"""The records of ``policy.v1``: signed sets, their activations, and borders; and who has to have signed which.

Nothing here knows a policy's rules (the rulebook does): a process that has to know whether a border is open reads this,
without the engine. A record that too few people signed, or that is late or of another nation, does nothing, and states
why; what was in force stays in force.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from exchange.authority.roster import Officer, Role, Roster
from schemas.codec import POLICY_RECORD, Codec, Undecodable
from schemas.records import PolicyRecord
from schemas.signing import POLICY_PURPOSE, is_signed, policy_body

MAX_REASON: Final = 500


class Kind(StrEnum):
    """The kind of a record."""

    SET = "set"
    ACTIVATION = "activation"
    BORDER = "border"


class Border(StrEnum):
    """What may pass to a partner. Recalls, revocations and expiries always do."""

    OPEN = "open"
    CLOSED = "closed"
    SHADOW = "shadow"  # decided and audited, not released


NEEDED: Final = {Kind.SET: 2, Kind.ACTIVATION: 2, Kind.BORDER: 1}
ROLE_OF: Final = {Kind.SET: Role.POLICY, Kind.ACTIVATION: Role.POLICY, Kind.BORDER: Role.BORDER}


@dataclass(frozen=True, slots=True)
class Approved:
    """A record that holds, by whom, and when and where the broker appended it."""

    kind: Kind
    record: PolicyRecord
    persons: tuple[str, ...]
    appended_ms: int
    offset: int


@dataclass(frozen=True, slots=True)
class NotApproved:
    """A record that does nothing, and why."""

    offset: int
    detail: str
    record_id: str = ""


def key_of(record: PolicyRecord) -> bytes:
    """The key of a record."""
    return record["record_id"].encode()


def read_policy_record(
    value: bytes | None,
    key: bytes | None,
    codec: Codec,
    roster: Roster,
    *,
    appended_ms: int,
    offset: int,
    lead_ms: int,
    partners: Sequence[str],
) -> Approved | NotApproved:
    """The record in these bytes, or why it does nothing. Never raises, whatever the bytes are.

    ``lead_ms`` is how long before its time an activation must have been appended, so that every worker knows of it.
    """
    decoded = codec.decode(POLICY_RECORD, value)
    if isinstance(decoded, Undecodable):
        return NotApproved(offset, decoded.detail)
    record = cast("PolicyRecord", decoded)
    if key != key_of(record):
        return NotApproved(offset, "its key is not its record's id", record["record_id"])
    return judge(record, codec, roster, appended_ms=appended_ms, offset=offset, lead_ms=lead_ms, partners=partners)


def judge(
    record: PolicyRecord,
    codec: Codec,
    roster: Roster,
    *,
    appended_ms: int,
    offset: int,
    lead_ms: int,
    partners: Sequence[str],
) -> Approved | NotApproved:
    """Whether a record holds, appended then and there."""
    wrong = wrong_with(record, roster.nation, partners)
    if wrong:
        return NotApproved(offset, wrong, record["record_id"])
    kind = Kind(record["kind"])
    officers = [_signer(record, approval["officer"], approval["signature"], codec, roster, kind, appended_ms)
                for approval in record["approvals"]]  # fmt: skip
    refused = next((officer for officer in officers if isinstance(officer, str)), "")
    persons = tuple(sorted({officer.person for officer in officers if isinstance(officer, Officer)}))
    if refused:
        return NotApproved(offset, refused, record["record_id"])
    if len(persons) < NEEDED[kind]:
        keys = f", with {len(officers)} keys" if len(officers) > len(persons) else ""
        by = f"it was approved by {', '.join(persons) or 'nobody'}{keys}"
        return NotApproved(offset, f"{by}; a {kind} needs {NEEDED[kind]} distinct people", record["record_id"])
    if kind is Kind.ACTIVATION and record["activate_at_ms"] < appended_ms + lead_ms:
        late = "in the past" if record["activate_at_ms"] <= appended_ms else "too soon"
        detail = f"its time is {late}: it was appended less than {lead_ms / 1000:g} s before it"
        return NotApproved(offset, detail, record["record_id"])
    return Approved(kind, record, persons, appended_ms, offset)


def wrong_with(record: PolicyRecord, nation: str, partners: Sequence[str]) -> str:
    """Why it is invalid; empty if it is valid."""
    if record["nation"] != nation:
        return f"it is for {record['nation'][:40]!r}, and this is {nation}"
    if record["kind"] not in set(Kind):
        return f"its kind is {record['kind'][:40]!r}, which is none of {', '.join(Kind)}"
    if not 0 < len(record["reason"].strip()) <= MAX_REASON:
        return f"it needs a reason, of at most {MAX_REASON} characters"
    match Kind(record["kind"]):
        case Kind.SET if not record["texts"] or not record["version"]:
            return "a set has its texts and their version"
        case Kind.ACTIVATION if not record["version"] or record["activate_at_ms"] <= 0:
            return "an activation names a version and a time"
        case Kind.BORDER if record["partner"] not in partners:
            return f"{record['partner'][:40]!r} is no partner: {', '.join(partners)}"
        case Kind.BORDER if record["state"] not in set(Border):
            return f"a border is one of {', '.join(Border)}"
    return ""


def _signer(
    record: PolicyRecord, key: str, signature: bytes, codec: Codec, roster: Roster, kind: Kind, at_ms: int
) -> Officer | str:
    officer = roster.find(key)
    if officer is None:
        return f"no key {key[:40]} is on {roster.nation}'s roster, as this process has read it"
    if not officer.may(ROLE_OF[kind], at_ms):
        return f"{officer.person} has not the role {ROLE_OF[kind]} on {roster.nation}'s roster, or the key has ended"
    if not is_signed(officer.key, POLICY_PURPOSE, policy_body(codec, record), signature):
        return f"a signature is not {officer.person}'s: it was altered, or forged"
    return officer


def borders(records: Iterable[Approved]) -> dict[str, Border]:
    """The state of each border that officers have closed, put in shadow or opened again: the last record counts."""
    found: dict[str, Border] = {}
    for each in records:
        if each.kind is Kind.BORDER:
            found[each.record["partner"]] = Border(each.record["state"])
    return found
