"""Drafts, signs and writes records of ``policy.v1``: policy sets, their activations, and the state of a border.

It decides nothing: each process reads the record and judges it for itself (``exchange.authority.policy_record``).
"""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from confluent_kafka import KafkaError, Message
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.authority.policy_record import Kind, NotApproved, judge, key_of
from exchange.authority.roster import Role, Roster
from exchange.errors import ConfigurationError, DeliveryTimeout, Refused
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import produce
from schemas import topics
from schemas.codec import POLICY_RECORD, Codec
from schemas.records import PolicyRecord
from schemas.signing import approved_policy, key_id, public_of

_DELIVERY_S: Final = 30.0


def draft_of(
    kind: Kind,
    nation: str,
    reason: str,
    *,
    now_ms: int,
    version: str = "",
    texts: dict[str, str] | None = None,
    activate_at_ms: int = 0,
    partner: str = "",
    state: str = "",
) -> PolicyRecord:
    """A record that no one has approved yet."""
    return PolicyRecord(
        record_id=str(uuid.uuid4()),
        kind=str(kind),
        nation=nation,
        version=version,
        texts=texts or {},
        activate_at_ms=activate_at_ms,
        partner=partner,
        state=state,
        reason=reason,
        issued_ms=now_ms,
        approvals=[],
    )


def approve(
    draft: PolicyRecord, roster: Roster, private: Ed25519PrivateKey, *, now_ms: int
) -> tuple[PolicyRecord, list[str]]:
    """The draft with one more approval, and the people who have approved it, the earliest first.

    Raises Refused if the key is not on the roster in the role policy, or its owner has approved already.
    """
    officer = roster.find(key_id(public_of(private)))
    if officer is None or not officer.may(Role.POLICY, now_ms):
        raise Refused(f"the key is not on {roster.nation}'s roster in the role policy")
    before = [found.person for each in draft["approvals"] if (found := roster.find(each["officer"])) is not None]
    if officer.person in before:
        raise Refused(f"{officer.person} has approved it already: another person is needed")
    return approved_policy(Codec(), draft, private), [*before, officer.person]


def approvers(
    record: PolicyRecord, roster: Roster, *, now_ms: int, lead_ms: int, partners: Sequence[str]
) -> tuple[str, ...]:
    """The people by whose approval the record will be obeyed if it is written now. Raises Refused if it will not."""
    judged = judge(record, Codec(), roster, appended_ms=now_ms, offset=0, lead_ms=lead_ms, partners=partners)
    if isinstance(judged, NotApproved):
        raise Refused(judged.detail)
    return judged.persons


def write(cluster: Cluster, record: PolicyRecord) -> int:
    """Write the record to its topic, and return its offset. Raises DeliveryTimeout if the cluster has not
    acknowledged it."""
    producer = idempotent_producer(cluster)
    ordered: PolicyRecord = {**record, "texts": dict(sorted(record["texts"].items()))}
    written: list[int] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is None:
            written.append(message.offset() or 0)

    value = cluster.codec(POLICY_RECORD).encode(POLICY_RECORD, ordered)
    produce(producer, topics.POLICY, 0, key_of(record), value, on_delivery=delivered)
    if producer.flush(_DELIVERY_S) or not written:
        raise DeliveryTimeout(
            f"{cluster.bootstrap} did not acknowledge it: run the same command again, a second copy has no effect"
        )
    return written[0]


def save(record: PolicyRecord, path: Path) -> None:
    """Write a draft to a file that officers pass on to each other."""
    as_text = {**record, "approvals": [{**each, "signature": each["signature"].hex()} for each in record["approvals"]]}
    path.write_text(json.dumps(as_text, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> PolicyRecord:
    """Read a draft. Raises ConfigurationError for any other file."""
    try:
        found = json.loads(path.read_text("utf-8"))
        for approval in found["approvals"]:
            approval["signature"] = bytes.fromhex(approval["signature"])
        return msgspec.convert(found, PolicyRecord)
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"{path} is not a draft: `kakehashi policy sign FOLDER --nation NATION --key KEY` makes one ({error})"
        ) from error
