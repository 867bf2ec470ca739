"""Sensors' reports, and the normalised blocks that intake makes of them."""

from typing import NotRequired, TypedDict


class SourceMarkingRecord(TypedDict):
    """A marking as the source wrote it."""

    tlp: str
    pap: str
    releasable_to: list[str] | None
    caveats: list[str]


class ContextRecord(TypedDict):
    """Local context: stays in the nation, except a tearline among the entries (``schemas.tearline``)."""

    description: str
    entries: dict[str, str]


class SensorReport(TypedDict):
    """One report of one sensor, in columns. ``withdrawals`` is there if the report has one."""

    format_version: int
    nation: str
    sensor: str
    epoch: int
    sequence: int
    produced_at_ms: int
    tool: str
    redrive_of: str
    values: list[str]
    kinds: bytes
    first_seen_ms: list[int]
    last_seen_ms: list[int]
    counts: list[int]
    confidences: list[int]
    valid_until_ms: list[int]
    markings: list[SourceMarkingRecord]
    marking_index: list[int]
    label_sets: list[list[str]]
    label_index: list[int]
    contexts: list[ContextRecord]
    context_index: list[int]
    withdrawals: NotRequired[bytes]


class MarkingRecord(TypedDict):
    """A marking after mapping."""

    tlp: int
    pap: int
    releasable_to: list[str] | None
    caveats: list[str]


class ObservationBlock(TypedDict):
    """Normalised observations of one shard, in columns. ``withdrawals`` and ``authenticated`` are there if a row has
    one."""

    format_version: int
    keys: bytes
    kinds: bytes
    values: list[str]
    sensors: list[str]
    sensor_index: list[int]
    epochs: list[int]
    sequences: list[int]
    appended_ms: list[int]
    first_seen_ms: list[int]
    last_seen_ms: list[int]
    counts: list[int]
    confidences: list[int]
    valid_until_ms: list[int]
    markings: list[MarkingRecord]
    marking_index: list[int]
    label_sets: list[list[str]]
    label_index: list[int]
    contexts: list[ContextRecord]
    context_index: list[int]
    withdrawals: NotRequired[bytes]
    authenticated: NotRequired[bytes]
