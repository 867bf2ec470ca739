"""The inbound guard: checks each record that a partner's bridge wrote into our inbox, as if the partner had no guard.

It is written from the agreement and not from the sender's code, with which it shares only the contract. In order:

1.  A null value is refused: only we delete from our topics.
2.  Exactly one ``ReleasedIndicator``, of at most ``MAX_BYTES``; with content, of an agreed version, and of the one
    that such content is written as.
3.  The key is the id in UTF-8, the id is an indicator's, and the record is on the id's partition.
4.  The origin is the nation whose inbox it is, and so are all hops: our own records do not return (promise 8),
    and no nation passes on a third nation's. More than ``MAX_HOPS`` hops are a loop, whoever they name.
5.  The version is above every version of this key that was accepted. An equal one is a duplicate, which lanes and
    repeated sends cause; it is dropped and counted. A lower one is stale, and so is content of a version that was
    recalled. Versions never restart, so neither can replace a newer one (promise 5).
    A version is at most a day ahead of our clock: no later one could replace it.
6.  Expired, revoked and recalled records have no content and are accepted, whatever else is true. A reason that is not
    of the closed list is left out: no free text passes, and the recall of a newer partner is still obeyed.
7.  Content is accepted if its marking allows us to have it: TLP CLEAR or GREEN, or AMBER and AMBER+STRICT that name us;
    if it names any nation, it names us; a TLP label and caveats that were agreed with this nation, no national caveat
    whatever was agreed; a known PAP label; the release has not ended.
8.  Content is possible: known type, canonical value that gives the id and is not inside anyone's network, times,
    counts, confidence and lists in range; a tearline, if it has one, is text of at most ``MAX_TEARLINE_BYTES`` without
    control characters but line feeds.
9.  Content that 7 or 8 refuses still recalls the versions that it names: its nation may never send another recall.

Rules 7 and 8 are in ``inbound_content``. Of a refused record with content no bytes are kept: content that its nation
recalls must not remain here, and quarantine is never emptied. Its nation has it and can show it (ADR 23).
"""

import re
from typing import Final, cast

import msgspec

from schemas.agreement import Agreement
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable, release_version
from schemas.identity import shard_of_key
from schemas.quarantine import Refused
from schemas.records import Content, ReleasedIndicator
from schemas.vocabulary import EndReason, RejectReason
from streams.receive.inbound_content import DAY_MS, content_problem, marking_problem

MAX_BYTES: Final = 128 << 10
MAX_HOPS: Final = 8
_REASONS: Final = frozenset(map(str, EndReason))

_PREFIX: Final = len("indicator--")
_ID: Final = re.compile(r"indicator--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """Becomes one of the accepted records of the partner.

    ``recalled_through`` is the highest version recalled, by this record or before it. ``recalls`` means that this
    record raised it: our copies of those versions must go, even if the recalling record itself was overtaken.
    """

    record: ReleasedIndicator
    recalled_through: int
    recalls: bool


class Duplicate(msgspec.Struct, frozen=True, gc=False):
    """This version was accepted before: dropped and counted."""

    version: int


class Stale(msgspec.Struct, frozen=True, gc=False):
    """A later version was accepted, or this one was recalled: dropped and counted."""

    version: int
    floor: int


class RefusedRecord(msgspec.Struct, frozen=True, gc=False):
    """Is not accepted. ``keep_bytes`` is False if quarantine may have a digest only.

    ``version`` is the refused record's, 0 if it could not be read. ``recall`` is accepted in its place if refused
    content recalls earlier versions.
    """

    refused: Refused
    keep_bytes: bool = False
    version: int = 0
    recall: Accepted | None = None


Verdict = Accepted | Duplicate | Stale | RefusedRecord


def admit(
    value: bytes | None,
    key: bytes | None,
    codec: Codec,
    *,
    agreed: Agreement,
    now_ms: int,
    partition: int,
    shards: int,
    floor: int | None,
    recalled_through: int,
) -> Verdict:
    """Decide on one record of ``inbox.<origin>``. Never raises, whatever the bytes are.

    ``agreed`` is what our nation agreed with the origin.
    ``floor`` is the highest version of this key that was accepted, None if none was; ``recalled_through`` is the
    highest that was recalled, 0 if none was. ``partition`` is the record's, of ``shards``.
    """
    if value is None:
        return RefusedRecord(Refused(RejectReason.TRUNCATED, "a null value: a partner does not delete from our topics"))
    if len(value) > MAX_BYTES:
        return RefusedRecord(Refused(RejectReason.TOO_LARGE, f"{len(value)} bytes; at most {MAX_BYTES} are accepted"))
    decoded = codec.decode(RELEASED_INDICATOR, value)
    if isinstance(decoded, Undecodable):
        return RefusedRecord(Refused(decoded.reason, decoded.detail))
    record = cast("ReleasedIndicator", decoded)
    wrong = (
        _misplaced(record, key, partition, shards)
        or _foreign(record, agreed.nation, agreed.partner)
        or _shapeless(record, now_ms)
    )
    if wrong is not None:
        return _refused(record, agreed, wrong)
    version = record["version"]
    if version == floor:
        return Duplicate(version)
    highest = max(floor or 0, recalled_through)
    if version <= highest:
        return Stale(version, highest)
    content = record["content"]
    if content is not None:
        wrong = (
            _not_for_us(content, agreed, now_ms)
            or _not_agreed(codec.schema_of(value), content, agreed)
            or content_problem(content, record, now_ms)
        )
        if wrong is not None:
            recalls = record["recalled_through"] > recalled_through
            recall = _recall_in(record) if recalls else None
            return msgspec.structs.replace(_refused(record, agreed, wrong), recall=recall)
    if record["reason"] not in _REASONS:
        record = {**record, "reason": ""}
    return Accepted(
        record, max(recalled_through, record["recalled_through"]), record["recalled_through"] > recalled_through
    )


def _refused(record: ReleasedIndicator, agreed: Agreement, refused: Refused) -> RefusedRecord:
    """The refusal of a record. If its marking does not allow us to have it, that is the reason, whatever else is."""
    content = record["content"]
    unfit = None if content is None else marking_problem(content, agreed)
    return RefusedRecord(unfit or refused, keep_bytes=content is None, version=max(0, record["version"]))


def _recall_in(record: ReleasedIndicator) -> Accepted:
    """The recall that refused content carries, without the content, under its own version."""
    recall: ReleasedIndicator = {**record, "kind": "recalled", "reason": str(EndReason.WITHDRAWN), "content": None}
    return Accepted(recall, record["recalled_through"], recalls=True)


def key_of(name: str) -> bytes | None:
    """The 16 bytes of an indicator's id in its one spelling (UUIDv5, RFC 9562, section 5.5); None if it is not one."""
    found = _ID.fullmatch(name)
    return None if found is None else bytes.fromhex(name[_PREFIX:].replace("-", ""))


def _misplaced(record: ReleasedIndicator, key: bytes | None, partition: int, shards: int) -> Refused | None:
    """Rule 3."""
    raw = key_of(record["id"])
    if raw is None:
        return Refused(RejectReason.KEY_MISMATCH, "the id is not an indicator's")
    if key is None or key != record["id"].encode():
        return Refused(RejectReason.KEY_MISMATCH, "the key is not the id")
    if shard_of_key(raw, shards) != partition:
        return Refused(
            RejectReason.KEY_MISMATCH, f"the record is on partition {partition}, and its id belongs to another"
        )
    return None


def _foreign(record: ReleasedIndicator, home: str, origin: str) -> Refused | None:
    """Rule 4."""
    hops = record["hops"]
    if record["origin"] == home or home in hops:
        return Refused(RejectReason.LOOPED, "it has been here before")
    if len(hops) > MAX_HOPS:
        return Refused(RejectReason.LOOPED, f"{len(hops)} hops; more than {MAX_HOPS} are a loop")
    if record["origin"] != origin:
        return Refused(RejectReason.FOREIGN_ORIGIN, f"the origin is not {origin}, whose inbox this is")
    if hops != [origin]:
        return Refused(RejectReason.FOREIGN_ORIGIN, f"it did not come from {origin} alone")
    return None


def _shapeless(record: ReleasedIndicator, now_ms: int) -> Refused | None:
    """Rule 6, and that its version is possible."""
    has_content = record["content"] is not None
    if has_content != (record["kind"] == "content"):
        return Refused(RejectReason.MALFORMED_CONTENT, f"kind {record['kind']} with the content of another kind")
    if record["recalled_through"] < 0 or record["version"] <= record["recalled_through"]:
        return Refused(RejectReason.MALFORMED_CONTENT, "its version is not above the versions that it recalls")
    if has_content and record["reason"]:
        return Refused(RejectReason.MALFORMED_CONTENT, "content with the reason of an end")
    if record["version"] > now_ms + DAY_MS:
        return Refused(
            RejectReason.TIME_OUT_OF_RANGE, "its version is a day ahead of our clock: no later one could replace it"
        )
    return None


def _not_agreed(schema: str | None, content: Content, agreed: Agreement) -> Refused | None:
    """The end of rule 2."""
    if schema not in agreed.schemas:
        return Refused(RejectReason.UNKNOWN_SCHEMA, f"schema {schema} was not agreed with {agreed.partner}")
    if schema != release_version(content):
        return Refused(
            RejectReason.MALFORMED_CONTENT, f"it is a {schema}, and content like this is a {release_version(content)}"
        )
    return None


def _not_for_us(content: Content, agreed: Agreement, now_ms: int) -> Refused | None:
    """Rule 7."""
    unfit = marking_problem(content, agreed)
    if unfit is None and content["release_expires_ms"] and content["release_expires_ms"] <= now_ms:
        return Refused(RejectReason.RELEASE_EXPIRED, "the release ended before it arrived")
    return unfit
