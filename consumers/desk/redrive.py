"""Redrives quarantined input: makes the report that is sent for a quarantined report or observation.

A redriven report's identity is its quarantine key (``redrive_of``): intake counts it once, however often it is sent,
and it uses up no sequence number. An officer signs it. It goes to the original's partition, because that shard knows
which keys it has counted. An entry that cannot be redriven has a reason, and what to do instead.
"""

from collections.abc import Mapping
from typing import Annotated, Final, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.protocol.record import Output
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec, Undecodable
from schemas.normalise import Invalid, canonical
from schemas.records import ContextRecord, Quarantined, SensorReport, SourceMarkingRecord
from schemas.report_signature import signature_header
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

FORMAT_VERSION: Final = 1


Long = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


class Redrive(msgspec.Struct, frozen=True, gc=False):
    """The record to send, and how many observations are in it."""

    key: str
    output: Output
    observations: int


class NotRedrivable(msgspec.Struct, frozen=True, gc=False):
    """Why an entry is not redriven, and what to do instead."""

    key: str
    why: str


class Observed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One quarantined observation as its sensor reported it: the JSON that intake keeps."""

    nation: str
    sensor: str
    epoch: Long
    sequence: Long
    kind: str
    value: str
    tool: str = ""
    first_seen_ms: Long = 0
    last_seen_ms: Long = 0
    count: Long = 1
    confidence: Long = -1
    valid_until_ms: Long = 0
    marking: SourceMarkingRecord | None = None
    labels: list[str] | None = None
    context: ContextRecord | None = None
    redrive_of: str = ""


_NUMBERS: Final = ("first_seen_ms", "last_seen_ms", "count", "confidence", "valid_until_ms")
_TEXTS: Final = ("kind", "value")
CORRECTABLE: Final = (*_TEXTS, *_NUMBERS, "labels")
"""What ``--set`` may change. Not a marking: that is its owner's, and no one loosens one by hand in passing."""


def redrive(entry: Quarantined, codec: Codec, *, now_ms: int, changes: Mapping[str, str]) -> Redrive | NotRedrivable:
    """What to send for an entry. ``changes`` correct one observation: field and new value, both as text.

    Lists are given with commas, times in milliseconds since 1970 UTC. Pure; raises nothing.
    """
    key, original = entry["key"], entry["original"]
    if entry["stage"] == "produce":
        return NotRedrivable(
            key,
            f"it is a line of {entry['place'] or 'a file'} that no reader could read and never became an observation: "
            "correct it there and send it with `kakehashi produce --nation NATION --sensor SENSOR FILE`",
        )
    if entry["topic"] != topics.SENSOR_REPORTS:
        return NotRedrivable(
            key,
            f"it was refused at {entry['stage']}, on {entry['topic']}: it is written again when its cause is fixed, "
            "and never put back by hand",
        )
    if original is None:
        return NotRedrivable(
            key, f"its {entry['size']} bytes were not kept: have the sensor {entry['sensor']} send it again"
        )
    if entry["content_type"] == "json":
        return _one(entry, original, codec, now_ms, changes)
    if entry["content_type"] == "avro":
        return _whole(entry, original, codec, changes)
    return NotRedrivable(key, f"content of type {entry['content_type']!r} cannot be redriven")


def signed(sent: Redrive, codec: Codec, private: Ed25519PrivateKey) -> Redrive:
    """The same with an officer's signature: intake counts no other redrive."""
    value = sent.output.value or b""
    output = msgspec.structs.replace(sent.output, headers=(signature_header(codec, value, private),))
    return msgspec.structs.replace(sent, output=output)


def _whole(entry: Quarantined, original: bytes, codec: Codec, changes: Mapping[str, str]) -> Redrive | NotRedrivable:
    """A report that was refused whole: the same columns, with its new identity."""
    if changes:
        return NotRedrivable(entry["key"], "it is a whole report: --set corrects single observations only")
    found = codec.decode(SENSOR_REPORT, original)
    if isinstance(found, Undecodable):
        return NotRedrivable(
            entry["key"],
            f"its bytes are still no report ({found.reason}: {found.detail}): have the sensor {entry['sensor']} send "
            "it again",
        )
    report = cast("SensorReport", found)
    # A repeated refusal keeps its first identity: under a new one it would count once more with each refusal.
    report["redrive_of"] = report["redrive_of"] or entry["key"]
    return _sent(entry, report, codec)


def _one(
    entry: Quarantined, original: bytes, codec: Codec, now_ms: int, changes: Mapping[str, str]
) -> Redrive | NotRedrivable:
    """One observation: a report of its own, with the epoch and sequence of the one it came in."""
    try:
        observed = corrected(msgspec.json.decode(original, type=Observed), changes)
    except (msgspec.DecodeError, ValueError) as error:
        return NotRedrivable(entry["key"], str(error))
    kind = TYPE_BY_LABEL.get(observed.kind) or _by_code(observed.kind)
    if kind is None:
        known = ", ".join(TYPE_BY_LABEL)
        return NotRedrivable(entry["key"], f"type {observed.kind!r} is unknown: --set kind= one of {known}")
    spelled = canonical(kind, observed.value)
    if isinstance(spelled, Invalid):
        return NotRedrivable(
            entry["key"], f"it would be refused again: {spelled.detail}; correct it with --set value=…"
        )
    report: SensorReport = {
        "format_version": FORMAT_VERSION,
        "nation": observed.nation,
        "sensor": observed.sensor,
        "epoch": observed.epoch,
        "sequence": observed.sequence,
        "produced_at_ms": now_ms,
        "tool": observed.tool,
        "redrive_of": observed.redrive_of or entry["key"],  # as a whole report does
        "values": [observed.value],
        "kinds": bytes([kind]),
        "first_seen_ms": [observed.first_seen_ms],
        "last_seen_ms": [observed.last_seen_ms],
        "counts": [observed.count],
        "confidences": [observed.confidence],
        "valid_until_ms": [observed.valid_until_ms],
        "markings": [] if observed.marking is None else [observed.marking],
        "marking_index": [] if observed.marking is None else [0],
        "label_sets": [] if observed.labels is None else [observed.labels],
        "label_index": [] if observed.labels is None else [0],
        "contexts": [] if observed.context is None else [observed.context],
        "context_index": [] if observed.context is None else [0],
    }
    return _sent(entry, report, codec)


def _by_code(kind: str) -> IndicatorType | None:
    """The type of ``unknown-16``: kept by a version that did not know the code, it is redriven after the upgrade."""
    code = kind.removeprefix("unknown-")
    return next((known for known in IndicatorType if str(known.value) == code != kind), None)


def _sent(entry: Quarantined, report: SensorReport, codec: Codec) -> Redrive:
    output = Output(
        topics.SENSOR_REPORTS, entry["partition"], report["sensor"].encode(), codec.encode(SENSOR_REPORT, report)
    )
    return Redrive(entry["key"], output, len(report["values"]))


def corrected(observed: Observed, changes: Mapping[str, str]) -> Observed:
    """The observation with these fields changed. Raises ``ValueError`` for an unknown field or no number."""
    fields: dict[str, object] = {}
    for name, text in changes.items():
        if name in _TEXTS:
            fields[name] = text
        elif name in _NUMBERS:
            fields[name] = _number(name, text)
        elif name == "labels":
            fields[name] = [word.strip() for word in text.split(",") if word.strip()]
        else:
            raise ValueError(f"--set {name}: choose one of {', '.join(CORRECTABLE)}")
    return msgspec.structs.replace(observed, **fields)


def _number(name: str, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"--set {name}={text}: a whole number is wanted") from None
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"--set {name}={text}: too large")
    return number
