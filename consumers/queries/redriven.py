"""The state of quarantine entries: whether one was redriven, and with what result.

Intake keeps a row for each redriven entry that was accepted. An observation that is refused again has a new entry,
which names the key of the first one: together they count once.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import msgspec

from consumers.subscription.topic_reader import TopicReader
from exchange.errors import NotFound
from exchange.kafka.clients import Cluster, begin_offset, end_offset
from exchange.kafka.progress import last_progress
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec, Undecodable
from schemas.quarantine import REDRIVEN_ROW
from schemas.records import Quarantined, SensorReport


class State(enum.StrEnum):
    """The state of an entry."""

    OPEN = "open"
    REDRIVEN = "redriven"  # sent, and not yet taken by intake
    ACCEPTED = "accepted"
    REFUSED_AGAIN = "refused-again"


class _Again(msgspec.Struct, frozen=True):
    redrive_of: str = ""


def identity_of(entry: Quarantined, codec: Codec) -> str:
    """The key under which an entry counts if it is redriven: that of its first refusal."""
    original = entry["original"]
    if original is None or entry["topic"] != topics.SENSOR_REPORTS:
        return entry["key"]
    if entry["content_type"] == "json":
        try:
            return msgspec.json.decode(original, type=_Again).redrive_of or entry["key"]
        except msgspec.DecodeError:
            return entry["key"]
    if topics.SENSOR_REPORTS.encode() not in original:  # cheaper than decoding what was never redriven
        return entry["key"]
    report = codec.decode(SENSOR_REPORT, original)
    return (
        entry["key"] if isinstance(report, Undecodable) else cast("SensorReport", report)["redrive_of"] or entry["key"]
    )


@dataclass(frozen=True, slots=True)
class States:
    """The identities of what was accepted, of what is on its way to intake, and of what was refused again."""

    accepted: frozenset[str]
    on_its_way: frozenset[str]
    refused_again: frozenset[str]

    def of(self, identity: str) -> State:
        """The state of all entries of one identity."""
        if identity in self.accepted:
            return State.ACCEPTED
        if identity in self.on_its_way:
            return State.REDRIVEN
        return State.REFUSED_AGAIN if identity in self.refused_again else State.OPEN


def states(cluster: Cluster, found: Iterable[Quarantined], codec: Codec) -> States:
    """The states of these entries, which are all of a quarantine. Raises BrokerUnavailable if no broker answers."""
    identities = {entry["key"]: identity_of(entry, codec) for entry in found if entry["stage"] == "intake"}
    again = frozenset(identity for key, identity in identities.items() if identity != key)
    return States(_accepted(cluster), _on_its_way(cluster, codec), again)


def _accepted(cluster: Cluster) -> frozenset[str]:
    keys: set[str] = set()
    try:
        with TopicReader(cluster, topics.changelog(topics.StepKind.INTAKE)) as reader:
            for partition in reader.partitions:
                for record in reader.records(partition):
                    if record.key is not None and record.key.startswith(REDRIVEN_ROW):
                        key = record.key.removeprefix(REDRIVEN_ROW).decode("utf-8", "replace")
                        (keys.discard if record.value is None else keys.add)(key)
    except NotFound:
        pass  # intake has never run
    return frozenset(keys)


def _on_its_way(cluster: Cluster, codec: Codec) -> frozenset[str]:
    """The records on the sensors' topic after intake's position."""
    keys: set[str] = set()
    with TopicReader(cluster, topics.SENSOR_REPORTS) as reader:
        for partition in reader.partitions:
            begin, end = (bound(cluster, topics.SENSOR_REPORTS, partition) for bound in (begin_offset, end_offset))
            for record in reader.read(partition, max(begin, _taken(cluster, partition, codec)), end):
                report = codec.decode(SENSOR_REPORT, record.value)
                if not isinstance(report, Undecodable):
                    keys.add(cast("SensorReport", report)["redrive_of"])
    return frozenset(keys - {""})


def _taken(cluster: Cluster, shard: int, codec: Codec) -> int:
    progress = last_progress(cluster, topics.StepKind.INTAKE, shard, codec)
    inputs = () if progress is None else progress["inputs"]
    return next((each["next_offset"] for each in inputs if each["topic"] == topics.SENSOR_REPORTS), 0)
