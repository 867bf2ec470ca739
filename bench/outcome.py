"""Reads the output as a ``read_committed`` consumer: the last version of each indicator, and the sums.

A figure whose outcome differs from the generated work is void; this module detects it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from bench.stand import SHARDS
from bench.workload import Expected
from exchange.kafka.clients import Cluster, reader
from schemas.codec import Codec, Undecodable

_BATCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Totals of one topic: records, indicators, and the sum of their sightings."""

    records: int
    bytes: int
    distinct: int
    sightings: int


class Following:
    """Follows a topic of indicators from its beginning; ``schema`` is of the national or the released record."""

    def __init__(self, cluster: Cluster, topic: str, schema: str) -> None:
        self._codec, self._schema = Codec(), schema
        self._consumer = reader(cluster, **{"fetch.message.max.bytes": 4 << 20})
        self._consumer.assign([TopicPartition(topic, shard, OFFSET_BEGINNING) for shard in range(SHARDS)])
        self._latest: dict[bytes, tuple[int, int]] = {}
        self._records = self._bytes = self._sightings = 0
        self.doubles = 0

    def read(self, timeout_s: float) -> bool:
        """Take in new records; whether there were any."""
        messages = self._consumer.consume(1, timeout_s)
        if messages:
            messages += self._consumer.consume(_BATCH, 0)
        for message in messages:
            value = message.value()
            if message.error() is not None or value is None:
                continue
            self._records += 1
            self._bytes += len(value)
            record = self._codec.decode(self._schema, value)
            if isinstance(record, Undecodable):
                raise AssertionError(f"{message.topic()}: {record.detail}")
            self._take(message.key() or b"", record["version"], _sightings(record))
        return bool(messages)

    def _take(self, key: bytes, version: int, sightings: int) -> None:
        known, before = self._latest.get(key, (-1, 0))
        if version == known:
            self.doubles += 1
        if version > known:
            self._latest[key] = (version, sightings)
            self._sightings += sightings - before

    def outcome(self) -> Outcome:
        """The totals so far."""
        return Outcome(self._records, self._bytes, len(self._latest), self._sightings)

    def until(self, enough: Callable[[Outcome], bool], timeout_s: float) -> Outcome:
        """Read until the totals suffice, or for the given time; the totals."""
        deadline = time.monotonic() + timeout_s
        while not enough(self.outcome()) and time.monotonic() < deadline:
            self.read(0.2)
        return self.outcome()

    def until_quiet(self, silence_s: float) -> Outcome:
        """Read until no record has come for the given time; the totals."""
        while self.read(silence_s):
            pass
        return self.outcome()

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()


def _sightings(record: dict[str, Any]) -> int:
    if "content" not in record:
        return int(record["sightings"])
    return int(record["content"]["sightings"]) if record["content"] else 0


def without(outcome: Outcome, indicators: int | None, sightings: int | None) -> Outcome:
    """An outcome less the indicators of the warm-up; its records and bytes are left in."""
    return replace(
        outcome, distinct=outcome.distinct - (indicators or 0), sightings=outcome.sightings - (sightings or 0)
    )


def wrong(expected: Expected, national: Outcome, released: Outcome) -> str:
    """How the outcome differs from the generated work; empty if it does not."""
    found = []
    if (national.distinct, national.sightings) != (expected.distinct, expected.sightings):
        found.append(
            f"national has {national.distinct} indicators with {national.sightings} sightings, generated were "
            f"{expected.distinct} with {expected.sightings}"
        )
    if expected.released is not None and (released.distinct, released.sightings) != (
        expected.released,
        expected.released_sightings,
    ):
        found.append(
            f"released has {released.distinct} indicators with {released.sightings} sightings, wanted were "
            f"{expected.released} with {expected.released_sightings}"
        )
    return "; ".join(found)
