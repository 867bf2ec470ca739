"""The quarantine record: why an input was refused, its location, and as much of it as may be kept. Pure."""

from hashlib import sha256
from typing import Final

import msgspec

from schemas.records import Quarantined
from schemas.vocabulary import RejectReason

MAX_ORIGINAL_BYTES: Final = 512 << 10
EXCERPT_CHARACTERS: Final = 500
WHOLE: Final = -1
REDRIVEN_ROW: Final = b"q"
"""Intake's changelog has a row for each redriven entry that was accepted: this, then the entry's key."""


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


NO_LOCATION: Final = Location("", -1, -1)
"""The location of an input that is on no topic yet."""


class Original(msgspec.Struct, frozen=True, gc=False):
    """A refused input: its bytes if they are kept, its size in bytes, its SHA-256, and the beginning of a large one."""

    kept: bytes | None
    size: int
    digest: bytes
    excerpt: str = ""


def original_of(value: bytes, *, keep_bytes: bool = True) -> Original:
    """The original of a refusal. If it is over ``MAX_ORIGINAL_BYTES``, its beginning is kept; without ``keep_bytes``,
    nothing but its size and digest is."""
    size, digest = len(value), sha256(value).digest()
    if not keep_bytes:
        return Original(None, size, digest)
    if size > MAX_ORIGINAL_BYTES:
        return Original(None, size, digest, value[:EXCERPT_CHARACTERS].decode("utf-8", "replace"))
    return Original(value, size, digest)


def quarantined(
    key: str,
    location: Location,
    refused: Refused,
    original: Original,
    *,
    stage: str,
    at_ms: int,
    sensor: str = "",
    source: str = "",
    content_type: str = "avro",
) -> Quarantined:
    """The record that a refusal leaves in quarantine, under a key that is the same if it is written again.

    ``source`` is the record's position on the sender's cluster, or the position in the sensor's input.
    """
    return {
        "key": key,
        "reason": str(refused.reason),
        "detail": refused.detail[:EXCERPT_CHARACTERS],
        "stage": stage,
        "at_ms": at_ms,
        "sensor": sensor,
        "topic": location.topic,
        "partition": location.partition,
        "offset": location.offset,
        "index": location.index,
        "place": source,
        "content_type": content_type,
        "original": original.kept,
        "excerpt": original.excerpt,
        "size": original.size,
        "digest": original.digest,
    }


def is_whole(key: str) -> bool:
    """Whether a quarantine key is of a whole record, not of one row of it."""
    return key.endswith(f"-{WHOLE}")
