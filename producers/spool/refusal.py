"""The quarantine record of a refusal at the sensor."""

from typing import Final

from producers.readers.reading import Rejected
from schemas import quarantine
from schemas.observation import SourcePlace
from schemas.records import Quarantined

STAGE: Final = "produce"


def quarantined(rejected: Rejected, sensor: str, digest: bytes, item: int, now_ms: int) -> Quarantined:
    """The record of a refusal: the ``item``-th reading of its line, in the input with this SHA-256.

    Its key is the same whenever the same input is read again, so that a repeated refusal is stored once.
    """
    return quarantine.quarantined(
        f"sensor-{sensor}-{digest.hex()[:16]}-{rejected.place.line}-{item}",
        quarantine.NO_LOCATION,
        quarantine.Refused(rejected.reason, rejected.detail),
        quarantine.Original(rejected.original, rejected.size, rejected.digest, rejected.excerpt),
        stage=STAGE,
        at_ms=now_ms,
        sensor=sensor,
        source=place_name(rejected.place),
        content_type="text",
    )


def place_name(place: SourcePlace) -> str:
    """``eve.json:17``; the file alone if all of it is meant."""
    return f"{place.file}:{place.line}" if place.line else place.file
