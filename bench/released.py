"""A release to the partner as correlate writes it: what the bench sends if no correlate runs."""

from typing import Any, cast

from bench.stand import HOME, PARTNER
from schemas.records import Content, ReleasedIndicator
from schemas.topics import DAY_MS
from schemas.vocabulary import IndicatorType


def release(identifier: str, kind: IndicatorType, value: str, at_ms: int, **differs: Any) -> ReleasedIndicator:
    """Content that the guard passes, of version ``at_ms``; ``differs`` are the content's fields that are other ones."""
    content: Content = {
        "type": kind.label,
        "value": value,
        "tlp": "TLP:GREEN",
        "pap": "PAP:GREEN",
        "releasable_to": [PARTNER],
        "caveats": [],
        "confidence": 80,
        "labels": ["malicious-activity"],
        "first_seen_ms": at_ms,
        "last_seen_ms": at_ms,
        "sightings": 1,
        "valid_until_ms": 0,
        "release_expires_ms": at_ms + 90 * DAY_MS,
        "registered_domain": "",
        "asn": 0,
        "country": "",
    }
    return {
        "id": identifier,
        "kind": "content",
        "version": at_ms,
        "recalled_through": 0,
        "origin": HOME,
        "hops": [HOME],
        "reason": "",
        "content": cast("Content", {**content, **differs}),
    }
