"""The release guard: decides by the bytes that are about to leave, and by nothing else, whether they pass.

It decides again, on its own, whether a record may go to this partner: it knows no policy, imports nothing of
``streams`` and does not trust the writer of the record. It applies the agreement with the partner
(``schemas.agreement``) with code of its own. What no agreement may allow is written here a second time, on purpose.

1.  **A null value** is not a record: each side deletes from its own topics. Never bridged (``Tombstone``).
    [promise 5: "null values are never bridged"]
2.  **Schema.** Exactly one ``ReleasedIndicator`` of an agreed version, at most ``MAX_BYTES`` long, and byte for byte
    as our own writer writes it: no other schema, no bytes after it, none hidden in a longer encoding of the record.
    [promise 2; Avro 1.11, "Binary Encoding" allows padded integers, split blocks and negative block counts]
3.  **Identity.** ``id`` is a UUIDv5 identifier; the record's key is the id in UTF-8; it is on the partition that
    the id gives. With content, the id is that of its type and value. [STIX 2.1, 2.9; RFC 9562, 5.5]
4.  **Origin.** ``origin`` is this nation, and ``hops`` is this nation alone: no other nation's record is passed on, and
    none returns to a nation that it has passed. [promise 8]
5.  **Version** is above ``recalled_through``, which is not negative, and at most a day ahead of our clock: no later one
    could replace it. [promise 5]
6.  **Without content** (expired, revoked, recalled): no content, a reason of the closed list, and it passes,
    under any marking and at a closed border. A recall must always arrive. [promise 5]
7.  **TLP** is CLEAR, GREEN, AMBER or AMBER+STRICT, in this spelling, and agreed. From AMBER up the partner is named in
    ``releasable_to``; if any nation is named, the partner is, whatever the label. RED, unmarked and unknown labels
    never leave. [TLP 2.0, FIRST, August 2022; promise 2]
8.  **Caveats** are ones that were agreed. National-eyes-only, 転送禁止, 配付禁止, embargoed and unrecognised never
    leave, whatever was agreed. [UK GSCP, national caveats; handling limits (Japan); promise 2]
9.  **PAP** is a known label or empty. [MISP taxonomy PAP v3]
10. **The release has not ended**: ``release_expires_ms`` is 0 or in the future. [promise 5]
11. **The content is possible**: known type, value in its canonical spelling and not inside anyone's network
    (``schemas.local_values``), times, counts and confidence in range, lists sorted, without repeats and bounded, no
    reason, nothing that is not part of the value in ``registered_domain``. A tearline, if there is one, is not empty,
    has at most ``MAX_TEARLINE_BYTES`` and no control characters but line feeds. [STIX 2.1, 3.2; the contract's limits]

A refused record's bytes are kept only if its marking was read and allows the release: an unreadable record may be RED.
Otherwise quarantine keeps its digest and its position.
"""

import uuid
from typing import Final, cast

import msgspec

from consumers.bridge.guard_content import CLOCK_TOLERANCE_MS, Refused, content_problem
from schemas.agreement import Agreement
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.local_values import is_local
from schemas.normalise import normalise
from schemas.records import Content, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL, EndReason, RejectReason

MAX_BYTES: Final = 128 << 10

FREE_TLP: Final = frozenset({"TLP:CLEAR", "TLP:GREEN"})
NAMED_TLP: Final = frozenset({"TLP:AMBER", "TLP:AMBER+STRICT"})
PAP: Final = frozenset({"", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"})
NEVER: Final = frozenset({"UK EYES ONLY", "JAPAN EYES ONLY", "転送禁止", "配付禁止", "EMBARGO", "UNRECOGNISED"})
REASONS: Final = frozenset(str(reason) for reason in EndReason)


class Passed(msgspec.Struct, frozen=True, gc=False):
    """May leave unchanged."""

    record: ReleasedIndicator


class Tombstone(msgspec.Struct, frozen=True, gc=False):
    """A deletion on our own topic. It is not bridged, and is valid."""


_TOMBSTONE: Final = Tombstone()


def check(
    value: bytes | None,
    key: bytes | None,
    codec: Codec,
    *,
    agreed: Agreement,
    now_ms: int,
    partition: int,
    shards: int,
) -> Passed | Tombstone | Refused:
    """Decide on one record of the topic released to a partner. Never raises, whatever the bytes are.

    ``agreed`` is our agreement with it. ``codec`` has the schema ids of our own cluster; ``partition`` is the
    record's, of ``shards``.
    """
    if value is None:
        return _TOMBSTONE
    if len(value) > MAX_BYTES:
        return Refused(RejectReason.TOO_LARGE, f"is {len(value)} bytes; a released record has at most {MAX_BYTES}")
    try:
        decoded = codec.decode(RELEASED_INDICATOR, value)
        again = b"" if isinstance(decoded, Undecodable) else codec.encode(RELEASED_INDICATOR, decoded)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in native code is not an Exception
        return Refused(RejectReason.UNDECODABLE, f"breaks the decoder: {type(error).__name__}")
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    if again != value:
        return Refused(RejectReason.UNDECODABLE, "is not encoded as our writer encodes it: bytes may hide in it")
    record = cast("ReleasedIndicator", decoded)
    content = record["content"]
    if content is not None:
        forbidden = _marking_of(content, agreed) or _schema_of(value, codec, agreed)
        if forbidden is not None:
            return forbidden
    wrong = (
        _identity_of(record, key, partition, shards)
        or _origin_of(record, agreed.nation, agreed.partner)
        or _version_of(record, now_ms)
        or _kind_of(record)
        or (content_problem(content, now_ms) if content is not None else None)
    )
    return Passed(record) if wrong is None else Refused(wrong.reason, wrong.detail, keep_bytes=True)


def _schema_of(value: bytes, codec: Codec, agreed: Agreement) -> Refused | None:
    """The end of rule 2, for content. Ends need only the first schema, which every link has."""
    name = codec.schema_of(value)
    if name not in agreed.schemas:
        return Refused(RejectReason.UNKNOWN_SCHEMA, f"schema {name} was not agreed with {agreed.partner}")
    return None


def _marking_of(content: Content, agreed: Agreement) -> Refused | None:
    """Rules 7 to 9."""
    tlp, nations, partner = content["tlp"], content["releasable_to"], agreed.partner
    if tlp not in FREE_TLP and tlp not in NAMED_TLP:
        return Refused(RejectReason.FORBIDDEN_MARKING, f"TLP label {_quoted(tlp)} never leaves")
    if tlp not in agreed.tlp:
        return Refused(RejectReason.FORBIDDEN_MARKING, f"TLP label {tlp} was not agreed with {partner}")
    if content["pap"] not in PAP:
        return Refused(RejectReason.FORBIDDEN_MARKING, f"PAP label {_quoted(content['pap'])} is unknown")
    for caveat in content["caveats"]:
        if caveat in NEVER:
            return Refused(RejectReason.FORBIDDEN_CAVEAT, f"caveat {_quoted(caveat)} never leaves")
        if caveat not in agreed.caveats:
            return Refused(RejectReason.FORBIDDEN_CAVEAT, f"caveat {_quoted(caveat)} was not agreed with {partner}")
    if partner not in nations and (nations or tlp in NAMED_TLP):
        return Refused(RejectReason.NOT_RELEASABLE_HERE, f"{tlp} and {partner} is not named in releasable_to")
    return None


def _identity_of(record: ReleasedIndicator, key: bytes | None, partition: int, shards: int) -> Refused | None:
    """Rule 3. With content, an id must be derivable from type and value."""
    identifier, content = record["id"], record["content"]
    if content is None:
        raw = uuid_of(identifier)
        if raw is None:
            return Refused(RejectReason.KEY_MISMATCH, f"id {_quoted(identifier)} is not one of ours")
    else:
        kind = TYPE_BY_LABEL.get(content["type"])
        if kind is None:
            return Refused(RejectReason.UNKNOWN_TYPE, f"type {_quoted(content['type'])} is unknown")
        if normalise(kind, content["value"]) != content["value"]:
            return Refused(RejectReason.INVALID_VALUE, f"its value is not the canonical spelling of any {kind.label}")
        if is_local(kind, content["value"]):
            return Refused(RejectReason.INVALID_VALUE, "its value names something inside a network, or may include it")
        raw = indicator_key(kind, content["value"])
        if indicator_id(raw) != identifier:
            return Refused(RejectReason.KEY_MISMATCH, "its id is not that of its type and value")
    if key != identifier.encode():
        return Refused(RejectReason.KEY_MISMATCH, "its key is not its id")
    shard = shard_of_key(raw, shards)
    if shard != partition:
        return Refused(RejectReason.KEY_MISMATCH, f"is on partition {partition}; its id belongs on {shard}")
    return None


def uuid_of(identifier: str) -> bytes | None:
    """The 16 bytes of ``indicator--`` and a UUIDv5 in its one canonical spelling; else None."""
    try:
        parsed = uuid.UUID(identifier.removeprefix("indicator--"))
    except ValueError:
        return None
    return parsed.bytes if parsed.version == 5 and indicator_id(parsed.bytes) == identifier else None


def _origin_of(record: ReleasedIndicator, home: str, partner: str) -> Refused | None:
    """Rule 4."""
    if record["origin"] != home:
        return Refused(RejectReason.FOREIGN_ORIGIN, f"origin is {_quoted(record['origin'])}, not {home}")
    if record["hops"] != [home]:
        where = f"has been at {partner} already" if partner in record["hops"] else f"is not from {home} alone"
        return Refused(RejectReason.LOOPED, f"{where}: {len(record['hops'])} hops")
    return None


def _version_of(record: ReleasedIndicator, now_ms: int) -> Refused | None:
    """Rule 5."""
    if record["version"] > now_ms + CLOCK_TOLERANCE_MS:
        return Refused(
            RejectReason.TIME_OUT_OF_RANGE, "its version is a day ahead of our clock: no later one could replace it"
        )
    if not 0 <= record["recalled_through"] < record["version"]:
        return Refused(
            RejectReason.MALFORMED_CONTENT,
            f"version {record['version']} is not above recalled_through {record['recalled_through']}",
        )
    return None


def _kind_of(record: ReleasedIndicator) -> Refused | None:
    """Rule 6, and that kind and content fit together."""
    if (record["kind"] == "content") != (record["content"] is not None):
        return Refused(RejectReason.MALFORMED_CONTENT, f"kind {record['kind']} has the content of another kind")
    if record["kind"] == "content" and record["reason"]:
        return Refused(RejectReason.MALFORMED_CONTENT, "has content and a reason for its absence")
    if record["kind"] != "content" and record["reason"] not in REASONS:
        return Refused(RejectReason.MALFORMED_CONTENT, f"reason {_quoted(record['reason'])} is not a known code")
    if record["kind"] == "recalled" and not record["recalled_through"]:
        return Refused(RejectReason.MALFORMED_CONTENT, "is a recall of no version")
    return None


def _quoted(text: str) -> str:
    """A code or label for a detail, cut short: what should be a code could hold content."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
