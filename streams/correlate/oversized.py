"""Indicators that would need a record larger than a broker accepts: they stop neither their batch nor their shard.

Rows, audit entries and records are below that, unless about 10,000 sensors are made for one indicator
(docs/adr/0038), so this is the second line. Such an indicator first goes without its observations, so that commands and
recalls are still obeyed; then it is left as it is.
Whatever is left out goes to quarantine.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from exchange.metrics.labels import LeftOut
from exchange.protocol.record import Output, Record, RowChange
from schemas.marking_records import marking_record
from schemas.quarantine import Refused
from schemas.vocabulary import RejectReason
from streams.blocks import Observed
from streams.correlate.work import Work
from streams.refusal import Quarantine, location_of

TOO_LARGE: Final = Refused(
    RejectReason.TOO_LARGE,
    "its indicator would need a record that is larger than a broker accepts; the indicator stays as it was. Report it",
)
LATER_MS: Final = 60 * 60 * 1000  # until a row that cannot be written is tried again


class Skip(IntEnum):
    """How much of an indicator's input a batch leaves out."""

    NOTHING = 0
    OBSERVATIONS = 1
    EVERYTHING = 2


LEFT_OUT: Final = {Skip.OBSERVATIONS: LeftOut.OBSERVATIONS, Skip.EVERYTHING: LeftOut.EVERYTHING}


class Oversized(Exception):  # not an error of the batch: it is computed again without this input
    """The indicator ``key`` has made a value of ``size`` bytes."""

    def __init__(self, key: bytes, size: int) -> None:
        super().__init__(f"{key.hex()}: {size} bytes")
        self.key, self.size = key, size


def largest(outputs: Sequence[Output], rows: Sequence[RowChange]) -> int:
    """The size of the largest of these values."""
    written = max([len(output.value) for output in outputs if output.value], default=0)
    return max(written, max([len(row.value) for row in rows if row.value], default=0))


def check_size(key: bytes, work: Work, before: tuple[int, int], most: int) -> None:
    """Raise Oversized if the update of the indicator ``key`` has made a value of more bytes.

    ``before`` is how many outputs and rows there were before it.
    """
    size = largest(work.outputs[before[0] :], work.rows[before[1] :])
    if size > most:
        raise Oversized(key, size)


def leave(key: bytes, data: bytes | None, work: Work) -> None:
    """Leave a row as it is, and try it again later if it was due."""
    if data is not None:
        work.rows.append(RowChange(key, data, work.now_ms + LATER_MS))


def next_skips(skips: Mapping[bytes, Skip], key: bytes) -> dict[bytes, Skip]:
    """The input to leave out in the next try."""
    return {**skips, key: Skip(skips.get(key, Skip.NOTHING) + 1)}


def refuse_observations(
    seen: Sequence[Observed], record: Record, skips: Mapping[bytes, Skip], quarantine: Quarantine, work: Work
) -> list[Observed]:
    """The observations of a block that are not left out; the others, by their row, go to quarantine."""
    taken = []
    for row, each in enumerate(seen):
        if not skips.get(each.key):
            taken.append(each)
            continue
        sensor, place = each.assertion.sensor, location_of(record, row)
        quarantine.put(place, TOO_LARGE, _as_json(each), work, sensor=sensor, content_type="json")
    return taken


def _as_json(observed: Observed) -> bytes:
    """The observation as text for people."""
    assertion = observed.assertion
    latest, seen = assertion.latest, assertion.total
    return msgspec.json.encode(
        {
            "sensor": assertion.sensor,
            "epoch": latest.epoch,
            "sequence": latest.sequence,
            "kind": observed.kind.label,
            "value": observed.value,
            "first_seen_ms": seen.first_seen_ms,
            "last_seen_ms": seen.last_seen_ms,
            "count": seen.count,
            "confidence": latest.confidence,
            "valid_until_ms": latest.valid_until_ms,
            "marking": marking_record(latest.marking),
            "labels": latest.labels,
            "description": latest.description,
            "context": dict(latest.context),
            "withdrawal": latest.withdrawal,
        }
    )
