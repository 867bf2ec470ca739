"""Many sources that report one indicator: correlate of one shard on a bench, fed with blocks of any size."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import INDICATOR, OBSERVATION_BLOCK, RELEASED_INDICATOR, Codec
from schemas.identity import indicator_key
from schemas.marking_records import marking_record
from schemas.markings import Marking, Tlp
from schemas.records import ObservationBlock
from schemas.vocabulary import IndicatorType
from streams.correlate import row as rows_of
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import Row
from streams.correlate.step import Correlate, CorrelateSettings
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load
from tests.builders import NOW_MS
from tests.officers import ROSTER
from tests.streams.enrichment_builders import an_enricher
from tests.streams.workbench import Workbench

HASH: Final = "5" * 64
KEY: Final = indicator_key(IndicatorType.FILE_SHA256, HASH)
GREEN: Final = Marking(Tlp.GREEN, releasable_to=None)
RED: Final = Marking(Tlp.RED)
ROLL_UP_MS: Final = 60_000
KIB: Final = 1 << 10
BLOCK: Final = 9_000
CODEC: Final = Codec()
SETTINGS: Final = CorrelateSettings("GBR", ("JPN",), ROLL_UP_MS, Lifetimes.load(), lambda: ROSTER, 1)
CLASSIFIER: Final = Classifier(Engine(load("GBR")))


class Stated(msgspec.Struct, frozen=True):
    """One source's report of the indicator."""

    sensor: str
    sequence: int = 0
    marking: Marking = GREEN
    confidence: int = 80
    labels: tuple[str, ...] = ()
    context: tuple[tuple[str, str], ...] = ()
    withdrawal: int = 0
    count: int = 1
    seen_ms: int = NOW_MS
    valid_until_ms: int = 0


def block_of(stated: Sequence[Stated], kind: IndicatorType = IndicatorType.FILE_SHA256, value: str = HASH) -> bytes:
    """A block of these reports of an indicator, as intake writes it."""
    block: ObservationBlock = {
        "format_version": 1,
        "keys": indicator_key(kind, value) * len(stated),
        "kinds": bytes([kind]) * len(stated),
        "values": [value] * len(stated),
        "sensors": [each.sensor for each in stated],
        "sensor_index": list(range(len(stated))),
        "epochs": [NOW_MS] * len(stated),
        "sequences": [each.sequence for each in stated],
        "appended_ms": [NOW_MS] * len(stated),
        "first_seen_ms": [each.seen_ms for each in stated],
        "last_seen_ms": [each.seen_ms for each in stated],
        "counts": [each.count for each in stated],
        "confidences": [each.confidence for each in stated],
        "valid_until_ms": [each.valid_until_ms for each in stated],
        "markings": [marking_record(each.marking) for each in stated],
        "marking_index": list(range(len(stated))),
        "label_sets": [list(each.labels) for each in stated],
        "label_index": list(range(len(stated))),
        "contexts": [{"description": "", "entries": dict(each.context)} for each in stated],
        "context_index": list(range(len(stated))),
        "withdrawals": bytes(each.withdrawal for each in stated),
    }
    return CODEC.encode(OBSERVATION_BLOCK, block)


class PopularBench:
    """One indicator and its sources."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.correlate = Workbench(Correlate(SETTINGS, 0, CODEC, an_enricher(), CLASSIFIER))

    def observes(self, *stated: Stated) -> Effects:
        """One batch with these reports, a moment later: in blocks of what a block may have."""
        self.now_ms += 10
        blocks = [block_of(stated[start : start + BLOCK]) for start in range(0, len(stated), BLOCK)]
        records = [Record(topics.OBSERVATIONS, 0, at, b"0", block, NOW_MS) for at, block in enumerate(blocks)]
        return self.correlate.turn(self.now_ms, *records)

    def settles(self) -> None:
        """What waits for its roll-up is published."""
        self.now_ms += ROLL_UP_MS
        self.correlate.turn(self.now_ms)

    @property
    def row(self) -> Row:
        """The indicator's row."""
        [data] = self.correlate.get_many([KEY])
        assert data is not None
        return rows_of.decode(data)

    def kept(self) -> dict[bytes, bytes]:
        """The rows of the indicator's sources, and of the indicator without what depends on times of release."""
        rows = {key: data for key, data in self.correlate.scan(b"", 1 << 30) if key.startswith(KEY)}
        row = rows_of.decode(rows.pop(KEY))
        bare = Row(row.kind, row.value, row.enrichment, row.assertions, further=row.further, bounded=row.bounded)
        return rows | {KEY: rows_of.encode(bare)}

    def national(self) -> dict[str, Any]:
        """The last national record."""
        return self.correlate.written(topics.NATIONAL, INDICATOR)[-1]

    def released(self) -> list[dict[str, Any]]:
        """All that the partner was sent."""
        return self.correlate.written(topics.released("JPN"), RELEASED_INDICATOR)


def largest(effects: Effects) -> int:
    """The size of the largest value that a batch writes."""
    values = [*(output.value for output in effects.outputs), *(row.value for row in effects.rows)]
    return max(len(value) for value in values if value is not None)


def written_bytes(effects: Effects) -> int:
    """All that a batch writes."""
    return sum(len(each.value or b"") for each in effects.outputs) + sum(len(row.value or b"") for row in effects.rows)
