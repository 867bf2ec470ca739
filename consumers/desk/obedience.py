"""Waits until every process that must obey a record of ``policy.v1`` has read it, and finds those that do not."""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import POLICY_READING, Undecodable
from schemas.records import PolicyReading

_LOOK_EVERY_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """One shard of one kind of process. ``wrong`` is why it does not obey; empty if it does."""

    reading: PolicyReading
    wrong: str

    @property
    def name(self) -> str:
        """Its name for a person."""
        kind = f"bridge to {self.reading['partner']}" if self.reading["role"] == "bridge" else "worker"
        return f"{kind}, shard {self.reading['shard']} ({self.reading['process']})"


def await_obedience(
    cluster: Cluster, record_id: str, offset: int, concerned: Collection[tuple[str, str]], wait_s: float
) -> list[Answer]:
    """The answer of each shard whose process has announced itself. Returns when all have read the record, or after
    ``wait_s``. ``concerned`` are roles with their partners, as in ``PolicyReading``.

    Raises NotFound if the topic is missing, BrokerUnavailable if the cluster does not answer.
    """
    deadline = time.monotonic() + wait_s
    with TopicReader(cluster, topics.POLICY_READINGS) as reader:
        while True:
            answers = [
                Answer(each, _wrong_with(each, record_id, offset, wait_s))
                for each in _readings(reader, cluster)
                if (each["role"], each["partner"]) in concerned
            ]
            if all(each.reading["next_offset"] > offset for each in answers) or time.monotonic() > deadline:
                return sorted(answers, key=lambda each: each.name)
            threading.Event().wait(_LOOK_EVERY_S)


def _readings(reader: TopicReader, cluster: Cluster) -> list[PolicyReading]:
    """The last record of each key."""
    last: dict[bytes, PolicyReading] = {}
    codec = cluster.codec(POLICY_READING)
    for record in reader.records(0):
        found = codec.decode(POLICY_READING, record.value) if record.value is not None else None
        if found is None:
            last.pop(record.key or b"", None)
        elif not isinstance(found, Undecodable):
            last[record.key or b""] = cast("PolicyReading", found)
    return list(last.values())


def _wrong_with(reading: PolicyReading, record_id: str, offset: int, wait_s: float) -> str:
    if reading["next_offset"] <= offset:
        return f"has not answered within {wait_s:g} s: it is stopped, stuck, or cannot reach its cluster"
    return next((f"refuses it: {each['detail']}" for each in reading["refused"] if each["record_id"] == record_id), "")
