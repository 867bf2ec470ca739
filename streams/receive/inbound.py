"""The inbound guard: what a partner's bridge has put into our inbox, checked as if the partner had no guard.

Written from the agreement and not from the sender's code, with which it shares only the contract. In order:

1.  A null value is refused: who deletes from a topic of ours is ourselves.
2.  Exactly one ``ReleasedIndicator``, of at most ``MAX_BYTES``; with content, of an agreed version.
3.  The key is the id in UTF-8, the id is one of ours, and the record stands on the id's partition.
4.  The origin is the nation whose inbox it is, and so are all hops: our own records do not come back (promise 8),
    and nobody relays a third nation's. More than ``MAX_HOPS`` hops are a loop, whoever they name.
5.  The version is above every version of this key that was accepted: an equal one is a duplicate, which lanes and
    replays make and which is dropped in silence; a lower one is stale. So is content of a version that was
    recalled. Versions never restart, so neither can win again (promise 5).
6.  Expired, revoked and recalled records have no content and are accepted, whatever else is true.
7.  Content is accepted if its marking lets us have it: TLP CLEAR or GREEN, or AMBER and AMBER+STRICT with us
    named; if anybody is named, we are; a TLP label and caveats that were agreed with this nation, no national caveat
    whatever was agreed; a known PAP label; the release has not ended.
8.  Content is possible: known type, canonical value that gives the id, times, counts, confidence and lists in range;
    a tearline, where it has one, is text of at most ``MAX_TEARLINE_BYTES`` with line feeds for its only controls.
9.  Content that 7 or 8 refuses still recalls what it says is recalled: its nation may never say it in another record.

Of a refused record with content no bytes are kept: what its nation recalls has to be gone here, and nobody empties
quarantine. Who wants to see it asks that nation, which has it (ADR 23).
"""

import re
from typing import Final, cast

import msgspec

from schemas.agreement import Agreement
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.identity import indicator_key, shard_of_key
from schemas.markings import NATIONAL_EYES_ONLY, Caveat, Pap, Tlp
from schemas.normalise import normalise
from schemas.records import Content, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL, EndReason, RejectReason

MAX_BYTES: Final = 128 << 10
MAX_HOPS: Final = 8
MAX_STRINGS: Final = 64
MAX_STRING_LENGTH: Final = 256
MAX_REASON_LENGTH: Final = 64
MAX_TEARLINE_BYTES: Final = 2048
DAY_MS: Final = 24 * 60 * 60 * 1000
END_OF_TIME_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

_PREFIX: Final = len("indicator--")
_ID: Final = re.compile(r"indicator--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CODE: Final = re.compile(r"[A-Z]{1,3}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TLP: Final = {tlp.label: tlp for tlp in Tlp if tlp is not Tlp.UNMARKED and tlp is not Tlp.RED}
_PAP: Final = {pap.label for pap in Pap}
_CAVEATS: Final = {str(caveat) for caveat in {*Caveat} - {*NATIONAL_EYES_ONLY, Caveat.EMBARGO, Caveat.UNRECOGNISED}}


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """Becomes part of our picture of the partner.

    ``recalled_through`` is the highest version recalled, by this record or before it. ``recalls`` says that this
    record raised it: whatever we hold of those versions has to go, also where the recall itself was overtaken.
    """

    record: ReleasedIndicator
    recalled_through: int
    recalls: bool


class Duplicate(msgspec.Struct, frozen=True, gc=False):
    """This version was accepted before: dropped in silence."""

    version: int


class Stale(msgspec.Struct, frozen=True, gc=False):
    """A later version was accepted, or this one was recalled: dropped and counted."""

    version: int
    floor: int


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Must not come in. ``keep_bytes`` is False where quarantine may have a digest only.

    ``version`` is the refused record's, 0 where it could not be read. ``recall`` is what comes in instead of content
    that recalls earlier versions and is refused itself.
    """

    reason: RejectReason
    detail: str
    keep_bytes: bool = False
    version: int = 0
    recall: Accepted | None = None


Verdict = Accepted | Duplicate | Stale | Refused
_Wrong = tuple[RejectReason, str]


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
    ``floor`` is the highest version of this key that was accepted, None for a key never seen; ``recalled_through``
    the highest that was recalled, 0 for none. ``partition`` is where the record stands, of ``shards``.
    """
    if value is None:
        return Refused(RejectReason.TRUNCATED, "a null value: a partner does not delete from our topics")
    if len(value) > MAX_BYTES:
        return Refused(RejectReason.TOO_LARGE, f"{len(value)} bytes; at most {MAX_BYTES} are taken")
    decoded = codec.decode(RELEASED_INDICATOR, value)
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    record = cast("ReleasedIndicator", decoded)
    wrong = (
        _misplaced(record, key, partition, shards)
        or _foreign(record, agreed.nation, agreed.partner)
        or _shapeless(record)
    )
    if wrong is not None:
        return _refused(record, agreed, *wrong)
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
            or _not_agreed(codec.schema_of(value), agreed)
            or _impossible(content, record, now_ms)
        )
        if wrong is not None:
            # A version of the future would be a floor that nothing comes over: what it recalls is not believed.
            recalls = record["recalled_through"] > recalled_through and version <= now_ms + DAY_MS
            recall = _recall_in(record) if recalls else None
            return msgspec.structs.replace(_refused(record, agreed, *wrong), recall=recall)
    return Accepted(
        record, max(recalled_through, record["recalled_through"]), record["recalled_through"] > recalled_through
    )


def _refused(record: ReleasedIndicator, agreed: Agreement, reason: RejectReason, detail: str) -> Refused:
    """A marking that is not for us is the reason, whatever else is wrong."""
    content = record["content"]
    unfit = None if content is None else _unfit_marking(content, agreed)
    return Refused(*(unfit or (reason, detail)), content is None, max(0, record["version"]))


def _recall_in(record: ReleasedIndicator) -> Accepted:
    """Of refused content what is left of it: the recall of what it says is recalled, under its own version."""
    recall: ReleasedIndicator = {**record, "kind": "recalled", "reason": str(EndReason.WITHDRAWN), "content": None}
    return Accepted(recall, record["recalled_through"], recalls=True)


def key_of(name: str) -> bytes | None:
    """The 16 bytes of an indicator's id in its one spelling (UUIDv5, RFC 9562, section 5.5); None for anything else."""
    found = _ID.fullmatch(name)
    return None if found is None else bytes.fromhex(name[_PREFIX:].replace("-", ""))


def _misplaced(record: ReleasedIndicator, key: bytes | None, partition: int, shards: int) -> _Wrong | None:
    """Rule 3."""
    raw = key_of(record["id"])
    if raw is None:
        return RejectReason.KEY_MISMATCH, "the id is no indicator's"
    if key is None or key != record["id"].encode():
        return RejectReason.KEY_MISMATCH, "the key is not the id"
    if shard_of_key(raw, shards) != partition:
        return RejectReason.KEY_MISMATCH, f"partition {partition} is not where this id belongs"
    return None


def _foreign(record: ReleasedIndicator, home: str, origin: str) -> _Wrong | None:
    """Rule 4."""
    hops = record["hops"]
    if record["origin"] == home or home in hops:
        return RejectReason.LOOPED, "it has been here before"
    if len(hops) > MAX_HOPS:
        return RejectReason.LOOPED, f"{len(hops)} hops; more than {MAX_HOPS} are a loop"
    if record["origin"] != origin:
        return RejectReason.FOREIGN_ORIGIN, f"the origin is not {origin}, whose inbox this is"
    if hops != [origin]:
        return RejectReason.FOREIGN_ORIGIN, f"it did not come from {origin} alone"
    return None


def _shapeless(record: ReleasedIndicator) -> _Wrong | None:
    """Rule 6, and versions that can be."""
    has_content = record["content"] is not None
    if has_content != (record["kind"] == "content"):
        return RejectReason.MALFORMED_CONTENT, f"a record of kind {record['kind']} with the content of another"
    if record["recalled_through"] < 0 or record["version"] <= record["recalled_through"]:
        return RejectReason.MALFORMED_CONTENT, "it recalls its own version, or has none"
    reason = record["reason"]
    if len(reason) > MAX_REASON_LENGTH or not reason.isprintable() or (has_content and reason):
        return RejectReason.MALFORMED_CONTENT, "the reason is no code"
    return None


def _not_agreed(schema: str | None, agreed: Agreement) -> _Wrong | None:
    """Of rule 2."""
    if schema not in agreed.schemas:
        return RejectReason.UNKNOWN_SCHEMA, f"schema {schema} was not agreed with {agreed.partner}"
    return None


def _not_for_us(content: Content, agreed: Agreement, now_ms: int) -> _Wrong | None:
    """Rule 7."""
    unfit = _unfit_marking(content, agreed)
    if unfit is None and content["release_expires_ms"] and content["release_expires_ms"] <= now_ms:
        return RejectReason.RELEASE_EXPIRED, "the release ended before it arrived"
    return unfit


def _unfit_marking(content: Content, agreed: Agreement) -> _Wrong | None:
    tlp, home = _TLP.get(content["tlp"]), agreed.nation
    if tlp is None or content["tlp"] not in agreed.tlp:
        return RejectReason.FORBIDDEN_MARKING, f"TLP label {content['tlp'][:32]!r} must not be shared, or is not agreed"
    if content["pap"] not in _PAP:
        return RejectReason.FORBIDDEN_MARKING, f"PAP label {content['pap'][:32]!r} is not known here"
    unfit = set(content["caveats"]) - (agreed.caveats & _CAVEATS)
    if unfit:
        return RejectReason.FORBIDDEN_CAVEAT, f"caveat {min(unfit)[:32]!r} must not be shared, or is not agreed"
    named = content["releasable_to"]
    if home not in named and (named or tlp >= Tlp.AMBER):
        return RejectReason.NOT_RELEASABLE_HERE, f"{home} is not among its recipients"
    return None


def _impossible(content: Content, record: ReleasedIndicator, now_ms: int) -> _Wrong | None:
    """Rule 8."""
    kind = TYPE_BY_LABEL.get(content["type"])
    if kind is None:
        return RejectReason.UNKNOWN_TYPE, f"type {content['type'][:32]!r} is not known here"
    if normalise(kind, content["value"]) != content["value"]:
        return RejectReason.INVALID_VALUE, f"the value is no canonical {kind.label}"
    if indicator_key(kind, content["value"]) != key_of(record["id"]):
        return RejectReason.KEY_MISMATCH, "the id is another indicator's"
    latest_ms = now_ms + DAY_MS
    seen = (content["first_seen_ms"], content["last_seen_ms"])
    ends = (content["valid_until_ms"], content["release_expires_ms"])
    if min(*seen, *ends) < 0 or seen[0] > seen[1] or seen[1] > latest_ms or max(ends) > END_OF_TIME_MS:
        return RejectReason.TIME_OUT_OF_RANGE, "times that cannot be"
    if record["version"] > latest_ms:
        return RejectReason.TIME_OUT_OF_RANGE, "a version of the future, above which nothing could come"
    if content["confidence"] not in range(-1, 101):
        return RejectReason.CONFIDENCE_OUT_OF_RANGE, f"confidence {content['confidence']}"
    if content["sightings"] < 0:
        return RejectReason.COUNT_OUT_OF_RANGE, f"seen {content['sightings']} times"
    return _odd_strings(content)


def _odd_strings(content: Content) -> _Wrong | None:
    labels, nations = content["labels"], content["releasable_to"]
    if len(labels) > MAX_STRINGS or any(not _is_text(label) for label in labels):
        return RejectReason.TOO_MANY_LABELS, f"more than {MAX_STRINGS} labels, or one that is no short text"
    codes = [*nations, content["country"] or "XX"]
    if len(nations) > MAX_STRINGS or not all(map(_CODE.fullmatch, codes)):
        return RejectReason.MALFORMED_CONTENT, "a recipient or the country is no ISO 3166-1 code"
    if content["registered_domain"] not in content["value"] or not 0 <= content["asn"] < 1 << 32:
        return RejectReason.MALFORMED_CONTENT, "an enrichment that does not belong to the value"
    tearline = content.get("tearline")
    if tearline is not None and not (
        0 < len(tearline.encode()) <= MAX_TEARLINE_BYTES and _is_shown_as_it_is(tearline.replace("\n", ""))
    ):
        return RejectReason.MALFORMED_CONTENT, f"a tearline that is empty, over {MAX_TEARLINE_BYTES} bytes or no text"
    return None


def _is_text(label: str) -> bool:
    """Neither empty nor long, and nothing in it that a terminal or a log would obey (C0 and C1 controls)."""
    return 0 < len(label) <= MAX_STRING_LENGTH and _is_shown_as_it_is(label)


def _is_shown_as_it_is(text: str) -> bool:
    return _CONTROL.search(text) is None
