"""The release guard: looks at the bytes that are about to leave, and at nothing else, and lets them pass or not.

It decides again, on its own, whether a record may go to this partner: it knows no policy, imports nothing of
``streams`` and trusts nobody who wrote the record. The labels that may pass are spelled out here a second time on
purpose: a label that somebody adds elsewhere does not pass before it is added here too.

1.  **A null value** is not a record: each side deletes from its own topics. Never bridged (``Tombstone``).
    [promise 5: "null values are never bridged"]
2.  **Schema.** Exactly one ``ReleasedIndicator``, at most ``MAX_BYTES`` long, and byte for byte as our own writer
    writes it: no other schema, no bytes after it, and none hidden in a longer encoding of the same record.
    [promise 2; Avro 1.11, "Binary Encoding" allows padded integers, split blocks and negative block counts]
3.  **Identity.** ``id`` is a UUIDv5 identifier; the record's key is the id in UTF-8; it stands on the partition that
    the id gives. With content, the id is that of its type and value. [STIX 2.1, 2.9; RFC 9562, 5.5]
4.  **Origin.** ``origin`` is this nation, and ``hops`` is this nation alone: nobody else's record is passed on, and
    none goes back to where it has been. [promise 8]
5.  **Version** is above 0 and above ``recalled_through``, which is not negative. [promise 5]
6.  **Without content** (expired, revoked, recalled): no content, a reason of the closed list, and it passes,
    whatever was marked and whatever is closed. A recall must always arrive. [promise 5]
7.  **TLP** is CLEAR, GREEN, AMBER or AMBER+STRICT, so spelled. From AMBER up the partner is named in
    ``releasable_to``; for all, if anybody is named, the partner is. RED, unmarked and unknown labels never leave.
    [TLP 2.0, FIRST, August 2022; promise 2]
8.  **Caveats** are ones known to be fit for a partner once policy has released them. National-eyes-only, unrecognised
    and unknown caveats never leave. [UK GSCP, national caveats; promise 2]
9.  **PAP** is a known label or empty. [MISP taxonomy PAP v3]
10. **The release has not ended**: ``release_expires_ms`` is 0 or in the future. [promise 5]
11. **The content is what it says**: known type, value in its canonical spelling, times, counts and confidence
    possible, lists sorted, without repeats and bounded, no reason, nothing that is not part of the value in
    ``registered_domain``. A tearline, where there is one, says something, in at most ``MAX_TEARLINE_BYTES``, without
    control characters but line feeds. [STIX 2.1, 3.2; the contract's own limits]

A refused record's bytes are kept only where its marking was read and would have let it go: what nobody could read
may be RED. Otherwise its digest and its place are all that quarantine gets.
"""

import uuid
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, cast

import msgspec

from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key, shard_of_key
from schemas.normalise import normalise
from schemas.records import Content, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL, EndReason, RejectReason

MAX_BYTES: Final = 128 << 10
CLOCK_TOLERANCE_MS: Final = 24 * 60 * 60 * 1000
LAST_TIME_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: later is no RFC 3339 time
MAX_SIGHTINGS: Final = 1 << 62
MAX_LABELS: Final = 64
MAX_LABEL_LENGTH: Final = 256
MAX_NATIONS: Final = 64
MAX_AS_NUMBER: Final = (1 << 32) - 1
MAX_TEARLINE_BYTES: Final = 2048

FREE_TLP: Final = frozenset({"TLP:CLEAR", "TLP:GREEN"})
NAMED_TLP: Final = frozenset({"TLP:AMBER", "TLP:AMBER+STRICT"})
PAP: Final = frozenset({"", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"})
CAVEATS: Final = frozenset(
    {"INCIDENT", "OFFICIAL-SENSITIVE", "PERSONAL DATA", "機密性3情報", "関係者限り", "転送禁止", "配付禁止", "複製禁止"}
)
REASONS: Final = frozenset(str(reason) for reason in EndReason)


class Passed(msgspec.Struct, frozen=True, gc=False):
    """May leave, as it is."""

    record: ReleasedIndicator


class Tombstone(msgspec.Struct, frozen=True, gc=False):
    """A deletion on our own topic. It is not bridged, and nothing is wrong with it."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Must not leave. ``keep_bytes`` is False where quarantine may have a digest only; ``detail`` names no value."""

    reason: RejectReason
    detail: str
    keep_bytes: bool = False


_TOMBSTONE: Final = Tombstone()


def check(
    value: bytes | None,
    key: bytes | None,
    codec: Codec,
    *,
    home: str,
    partner: str,
    now_ms: int,
    partition: int,
    shards: int,
) -> Passed | Tombstone | Refused:
    """Decide on one record of the topic released to ``partner``. Never raises, whatever the bytes are.

    ``codec`` has the schema ids of our own cluster; ``partition`` is where the record stands, of ``shards``.
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
    except BaseException as error:  # a panic in native code is no Exception to Python
        return Refused(RejectReason.UNDECODABLE, f"breaks the decoder: {type(error).__name__}")
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    if again != value:
        return Refused(RejectReason.UNDECODABLE, "is not encoded as our writer encodes it: bytes may hide in it")
    record = cast("ReleasedIndicator", decoded)
    content = record["content"]
    if content is not None:
        forbidden = _marking_of(content, partner)
        if forbidden is not None:
            return forbidden
    wrong = (
        _identity_of(record, key, partition, shards)
        or _origin_of(record, home, partner)
        or _version_of(record)
        or _kind_of(record)
        or (_content_of(record, content, now_ms) if content is not None else None)
    )
    return Passed(record) if wrong is None else Refused(wrong.reason, wrong.detail, keep_bytes=True)


def _marking_of(content: Content, partner: str) -> Refused | None:
    """Rules 7 to 9."""
    tlp, nations = content["tlp"], content["releasable_to"]
    if tlp not in FREE_TLP and tlp not in NAMED_TLP:
        return Refused(RejectReason.FORBIDDEN_MARKING, f"TLP label {_quoted(tlp)} never leaves")
    if content["pap"] not in PAP:
        return Refused(RejectReason.FORBIDDEN_MARKING, f"PAP label {_quoted(content['pap'])} is unknown")
    for caveat in content["caveats"]:
        if caveat not in CAVEATS:
            return Refused(RejectReason.FORBIDDEN_CAVEAT, f"caveat {_quoted(caveat)} never leaves")
    if partner not in nations and (nations or tlp in NAMED_TLP):
        return Refused(RejectReason.NOT_RELEASABLE_HERE, f"{tlp} and {partner} is not named in releasable_to")
    return None


def _identity_of(record: ReleasedIndicator, key: bytes | None, partition: int, shards: int) -> Refused | None:
    """Rule 3. With content, the type and the value must be ones from which an id can be made."""
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
        raw = indicator_key(kind, content["value"])
        if indicator_id(raw) != identifier:
            return Refused(RejectReason.KEY_MISMATCH, "its id is not that of its type and value")
    if key != identifier.encode():
        return Refused(RejectReason.KEY_MISMATCH, "its key is not its id")
    shard = shard_of_key(raw, shards)
    if shard != partition:
        return Refused(RejectReason.KEY_MISMATCH, f"stands on partition {partition}; its id belongs on {shard}")
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


def _version_of(record: ReleasedIndicator) -> Refused | None:
    """Rule 5."""
    if not 0 <= record["recalled_through"] < record["version"]:
        return Refused(
            RejectReason.MALFORMED_CONTENT,
            f"version {record['version']} is not above recalled_through {record['recalled_through']}",
        )
    return None


def _kind_of(record: ReleasedIndicator) -> Refused | None:
    """Rule 6, and that the two forms do not mix."""
    if (record["kind"] == "content") != (record["content"] is not None):
        return Refused(RejectReason.MALFORMED_CONTENT, f"kind {record['kind']} has the content of another kind")
    if record["kind"] == "content" and record["reason"]:
        return Refused(RejectReason.MALFORMED_CONTENT, "has content and a reason for its absence")
    if record["kind"] != "content" and record["reason"] not in REASONS:
        return Refused(RejectReason.MALFORMED_CONTENT, f"reason {_quoted(record['reason'])} is not a known code")
    if record["kind"] == "recalled" and not record["recalled_through"]:
        return Refused(RejectReason.MALFORMED_CONTENT, "is a recall of no version")
    return None


def _content_of(record: ReleasedIndicator, content: Content, now_ms: int) -> Refused | None:
    """Rules 10 and 11."""
    return (
        _times_of(record, content, now_ms)
        or _numbers_of(content)
        or _lists_of(content)
        or _enriched_of(content)
        or _tearline_of(content)
    )


def _times_of(record: ReleasedIndicator, content: Content, now_ms: int) -> Refused | None:
    ends_ms, latest_ms = content["release_expires_ms"], now_ms + CLOCK_TOLERANCE_MS
    if ends_ms and ends_ms <= now_ms:
        return Refused(RejectReason.RELEASE_EXPIRED, f"its release ended at {ends_ms} ms")
    if record["version"] > latest_ms:
        return Refused(
            RejectReason.TIME_OUT_OF_RANGE, "its version is a day ahead of our clock: no later one could ever win"
        )
    if not 0 <= content["first_seen_ms"] <= content["last_seen_ms"] <= latest_ms:
        return Refused(RejectReason.TIME_OUT_OF_RANGE, "first and last seen are no span of the past")
    if not 0 <= content["valid_until_ms"] <= LAST_TIME_MS or ends_ms > LAST_TIME_MS:
        return Refused(RejectReason.TIME_OUT_OF_RANGE, "valid_until or release_expires is no time")
    return None


def _numbers_of(content: Content) -> Refused | None:
    if not -1 <= content["confidence"] <= 100:
        return Refused(RejectReason.CONFIDENCE_OUT_OF_RANGE, f"confidence is {content['confidence']}")
    if not 0 <= content["sightings"] <= MAX_SIGHTINGS:
        return Refused(RejectReason.COUNT_OUT_OF_RANGE, f"sightings are {content['sightings']}")
    return None


def _lists_of(content: Content) -> Refused | None:
    labels, nations = content["labels"], content["releasable_to"]
    if len(labels) > MAX_LABELS or not all(_is_label(label) for label in labels):
        return Refused(
            RejectReason.TOO_MANY_LABELS,
            f"more than {MAX_LABELS} labels, or one that is empty, over {MAX_LABEL_LENGTH} characters or not text",
        )
    if len(nations) > MAX_NATIONS or not all(_is_code(nation, 3) for nation in nations):
        return Refused(RejectReason.MALFORMED_CONTENT, "releasable_to is no list of ISO 3166-1 alpha-3 codes")
    if not (_ascends(labels) and _ascends(nations) and _ascends(content["caveats"])):
        return Refused(RejectReason.MALFORMED_CONTENT, "a list is not sorted or has repeats")
    return None


def _enriched_of(content: Content) -> Refused | None:
    domain, country = content["registered_domain"], content["country"]
    if domain and not ("." in domain and domain in content["value"]):
        return Refused(RejectReason.MALFORMED_CONTENT, "registered_domain is not part of the value")
    if country and not _is_code(country, 2):
        return Refused(RejectReason.MALFORMED_CONTENT, "country is no ISO 3166-1 alpha-2 code")
    if not 0 <= content["asn"] <= MAX_AS_NUMBER:
        return Refused(RejectReason.MALFORMED_CONTENT, f"asn is {content['asn']}")
    return None


def _tearline_of(content: Content) -> Refused | None:
    """An empty one is not as our writer writes it, which rule 2 has seen."""
    tearline = content.get("tearline", "")
    if len(tearline.encode()) > MAX_TEARLINE_BYTES or not _is_text(tearline.replace("\n", "")):
        return Refused(
            RejectReason.MALFORMED_CONTENT, f"its tearline has over {MAX_TEARLINE_BYTES} bytes or is no text"
        )
    return None


def _is_label(label: str) -> bool:
    """Text of a bounded length."""
    return 0 < len(label) <= MAX_LABEL_LENGTH and _is_text(label)


def _is_text(text: str) -> bool:
    """Whether it is without control characters (Unicode category Cc)."""
    return text.isprintable() or not any(character < " " or "\x7f" <= character < "\xa0" for character in text)


def _is_code(code: str, letters: int) -> bool:
    return len(code) == letters and code.isascii() and code.isalpha() and code.isupper()


def _ascends(items: Sequence[str]) -> bool:
    return all(one < other for one, other in pairwise(items))


def _quoted(text: str) -> str:
    """A code or label for a detail: short, so that nothing travels in what should be a code."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
