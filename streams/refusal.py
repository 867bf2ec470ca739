"""A refusal as a value, and the record that it leaves in quarantine: reason, location, and enough to redrive it."""

from hashlib import sha256
from typing import Final

import msgspec

from exchange.metrics import spec
from exchange.metrics.labels import QuarantineStage
from exchange.protocol.effects import EffectsBuilder
from exchange.protocol.record import Output, Record
from schemas import topics
from schemas.codec import QUARANTINED, Codec, Undecodable
from schemas.records import Quarantined, SensorReport
from schemas.vocabulary import IndicatorType, RejectReason

MAX_ORIGINAL_BYTES: Final = 512 << 10
EXCERPT_CHARACTERS: Final = 500
WHOLE: Final = -1


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Why an input is refused: a code, and one sentence that states what to do."""

    reason: RejectReason
    detail: str


class Location(msgspec.Struct, frozen=True, gc=False):
    """A record's position on its topic; ``index`` is an observation in a report, WHOLE for the record itself."""

    topic: str
    partition: int
    offset: int
    index: int = WHOLE

    @property
    def key(self) -> str:
        """The quarantine key: the same location always has the same key, so writing it twice is writing it once."""
        return f"{self.topic}-{self.partition}-{self.offset}-{self.index}"


def location_of(record: Record, index: int = WHOLE) -> Location:
    """The location of a record that was read."""
    return Location(record.topic, record.partition, record.offset, index)


class Quarantine:
    """Writes the refusals of one shard of one step."""

    def __init__(self, stage: QuarantineStage, shard: int, codec: Codec) -> None:
        self._stage, self._shard, self._codec = stage, shard, codec

    def put(
        self,
        location: Location,
        refused: Refused | Undecodable,
        original: bytes,
        work: EffectsBuilder,
        *,
        sensor: str = "",
        source: str = "",
        content_type: str = "avro",
        keep_bytes: bool = True,
    ) -> None:
        """Add the quarantine record to the batch's effects, and count it. The arguments are ``refusal``'s."""
        kept = refusal(
            location,
            refused.reason,
            refused.detail,
            original,
            stage=str(self._stage),
            at_ms=work.now_ms,
            sensor=sensor,
            source=source,
            content_type=content_type,
            keep_bytes=keep_bytes,
        )
        value = self._codec.encode(QUARANTINED, kept)
        work.outputs.append(Output(topics.QUARANTINE, self._shard, kept["key"].encode(), value))
        work.tally[spec.QUARANTINED_RECORDS.tally(self._stage, refused.reason)] += 1


def is_whole(key: str) -> bool:
    """Whether a quarantine key is of a whole record, not of one row of it."""
    return key.endswith(f"-{WHOLE}")


def refusal(
    location: Location,
    reason: RejectReason,
    detail: str,
    original: bytes,
    *,
    stage: str,
    at_ms: int,
    sensor: str = "",
    source: str = "",
    content_type: str = "avro",
    keep_bytes: bool = True,
) -> Quarantined:
    """The record for quarantine. An original that is too large, or must not be kept, leaves its digest and size.

    ``source`` is the record's position on the sender's cluster.
    """
    keep = keep_bytes and len(original) <= MAX_ORIGINAL_BYTES
    return {
        "key": location.key,
        "reason": str(reason),
        "detail": detail[:EXCERPT_CHARACTERS],
        "stage": stage,
        "at_ms": at_ms,
        "sensor": sensor,
        "topic": location.topic,
        "partition": location.partition,
        "offset": location.offset,
        "index": location.index,
        "place": source,
        "content_type": content_type,
        "original": original if keep else None,
        "excerpt": "" if keep or not keep_bytes else original[:EXCERPT_CHARACTERS].decode("utf-8", "replace"),
        "size": len(original),
        "digest": sha256(original).digest(),
    }


def observation_as_json(report: SensorReport, index: int, *, in_full: bool = True) -> bytes:
    """One observation of a report as its sensor sent it: what quarantine keeps, shows and redrives.

    Without ``in_full`` it lacks what it shares with other observations of its report: marking, labels and context.
    """

    def number(name: str, absent: int) -> int:
        column: list[int] = report[name]  # type: ignore[literal-required]  # callers below name its columns
        return column[index] if column else absent

    def entry(name: str, index_name: str) -> object:
        place = number(index_name, -1) if in_full else -1
        entries: list[object] = report[name]  # type: ignore[literal-required]
        return entries[place] if 0 <= place < len(entries) else None

    code = report["kinds"][index]
    known = code in IndicatorType.__members__.values()
    return msgspec.json.encode(
        {
            "nation": report["nation"],
            "sensor": report["sensor"],
            "epoch": report["epoch"],
            "sequence": report["sequence"],
            "tool": report["tool"],
            "kind": IndicatorType(code).label if known else f"unknown-{code}",
            "value": report["values"][index],
            "first_seen_ms": number("first_seen_ms", 0),
            "last_seen_ms": number("last_seen_ms", 0),
            "count": number("counts", 1),
            "confidence": number("confidences", -1),
            "valid_until_ms": number("valid_until_ms", 0),
            "marking": entry("markings", "marking_index"),
            "labels": entry("label_sets", "label_index"),
            "context": entry("contexts", "context_index"),
        }
    )
