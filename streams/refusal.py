"""What is refused, as the record that goes to quarantine: with its reason, its place, and enough to try again."""

from hashlib import sha256
from typing import Final

import msgspec

from schemas.records import Quarantined, SensorReport
from schemas.vocabulary import IndicatorType, RejectReason

MAX_ORIGINAL_BYTES: Final = 512 << 10
EXCERPT_CHARACTERS: Final = 500
WHOLE: Final = -1


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stood on a topic; ``index`` is its row in the report, WHOLE for all of the record."""

    topic: str
    partition: int
    offset: int
    index: int = WHOLE

    @property
    def key(self) -> str:
        """The quarantine key: the same place always has the same one."""
        return f"{self.topic}-{self.partition}-{self.offset}-{self.index}"


def is_whole(key: str) -> bool:
    """Whether a quarantine key is of a whole record, not of one row of it."""
    return key.endswith(f"-{WHOLE}")


def refusal(
    place: Place,
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
    """The record for quarantine. Too big an original, or one that may not be kept, leaves a digest and its size.

    ``source`` is the place where whoever sent it has it.
    """
    keep = keep_bytes and len(original) <= MAX_ORIGINAL_BYTES
    return {
        "key": place.key,
        "reason": str(reason),
        "detail": detail[:EXCERPT_CHARACTERS],
        "stage": stage,
        "at_ms": at_ms,
        "sensor": sensor,
        "topic": place.topic,
        "partition": place.partition,
        "offset": place.offset,
        "index": place.index,
        "place": source,
        "content_type": content_type,
        "original": original if keep else None,
        "excerpt": "" if keep or not keep_bytes else original[:EXCERPT_CHARACTERS].decode("utf-8", "replace"),
        "size": len(original),
        "digest": sha256(original).digest(),
    }


def observation_as_json(report: SensorReport, index: int, *, in_full: bool = True) -> bytes:
    """One observation of a report in the words of its sensor: what quarantine keeps, shows and redrives.

    Unless ``in_full`` it has not what it shares with others of its report: marking, labels and context.
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
