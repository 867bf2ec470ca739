"""The nation's own indicators, with what each sensor asserts about them."""

from typing import Literal, TypedDict

from schemas.records.observed import MarkingRecord


class SourceRecord(TypedDict):
    """The assertion of one sensor about an indicator."""

    sensor: str
    marking: MarkingRecord
    confidence: int
    valid_until_ms: int
    labels: list[str]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    description: str
    context: dict[str, str]


class Indicator(TypedDict):
    """The nation's own merged record of one indicator."""

    id: str
    kind: Literal["content", "expired", "revoked"]
    version: int
    type: str
    value: str
    marking: MarkingRecord
    confidence: int
    labels: list[str]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    valid_until_ms: int
    source_count: int
    sources: list[SourceRecord]
    registered_domain: str
    asn: int
    country: str
    special_use: str
    warninglists: list[str]
