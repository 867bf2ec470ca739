"""Records of the exchange's own operation."""

from hashlib import sha256
from typing import Any

from schemas.quarantine import Location, Refused, original_of, quarantined
from schemas.records import PolicyReading, Progress, Quarantined, SensorQuality
from schemas.vocabulary import RejectReason
from tests.builders.changed import NOW_MS, changed


def a_quarantined(**changes: Any) -> Quarantined:
    """One observation that intake refused."""
    original = (
        b'{"nation":"GBR","sensor":"edge-1","epoch":1795305600000,"sequence":0,"tool":"suricata-eve",'
        b'"kind":"ipv4-addr","value":"192.0.2.999"}'
    )
    record = Quarantined(
        key="sensor.reports.v1-0-41-3",
        reason="invalid-value",
        detail="192.0.2.999 is no IPv4 address",
        stage="intake",
        at_ms=NOW_MS,
        sensor="edge-1",
        topic="sensor.reports.v1",
        partition=0,
        offset=41,
        index=3,
        place="",
        content_type="json",
        original=original,
        excerpt="",
        size=len(original),
        digest=sha256(original).digest(),
    )
    return changed(record, changes)


def a_refusal(location: Location, reason: RejectReason, detail: str, original: bytes, **changes: Any) -> Quarantined:
    """The record that intake writes for a refusal."""
    return quarantined(
        location.key,
        location,
        Refused(reason, detail),
        original_of(original),
        stage="intake",
        at_ms=changes.pop("at_ms", NOW_MS),
        **changes,
    )


def a_progress(**changes: Any) -> Progress:
    """Shard 0 of intake after one batch."""
    progress = Progress(
        step="intake",
        shard=0,
        batch=1,
        state_format=1,
        shard_time_ms=NOW_MS,
        inputs=[{"topic": "sensor.reports.v1", "topic_id": "topic-id-1", "partition": 0, "next_offset": 42}],
    )
    return changed(progress, changes)


def a_policy_reading(**changes: Any) -> PolicyReading:
    """Of a bridge's first shard, which refuses a record."""
    reading = PolicyReading(
        role="bridge",
        partner="JPN",
        shard=0,
        process="bridge-0:42",
        next_offset=7,
        refused=[{"record_id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "detail": "the key has ended"}],
        at_ms=NOW_MS,
    )
    return changed(reading, changes)


def a_sensor_quality(**changes: Any) -> SensorQuality:
    """Two indicators of today, of which one was confirmed within an hour and one is disputed."""
    quality = SensorQuality(
        nation="GBR",
        sensor="edge-1",
        at_ms=NOW_MS,
        half_life_ms=2_592_000_000,
        indicators=2_000_000,
        first=1_000_000,
        revoked=0,
        corroborated={"hour": 1_000_000},
        disputed={"false-positive": 1_000_000},
        refused={"invalid-value": 500_000},
    )
    return changed(quality, changes)
