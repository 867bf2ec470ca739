"""Every topic of an exchange: name, partitions, retention and cleanup; and the steps of a worker with their inputs.

Nations are ISO 3166-1 alpha-3 codes in upper case; topic names carry them in that form.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

DAY_MS: Final = 24 * 60 * 60 * 1000
FOR_EVER: Final = -1

SENSOR_REPORTS: Final = "sensor.reports.v1"
OBSERVATIONS: Final = "indicator.observations.v1"
NATIONAL: Final = "indicator.national.v1"
AUDIT: Final = "decision.audit.v1"
QUARANTINE: Final = "quarantine.v1"
COMMANDS: Final = "command.v1"
REVIEW_PENDING: Final = "review.pending.v1"
POLICY: Final = "policy.v1"
POLICY_READINGS: Final = "policy.reading.v1"
ANCHORS: Final = "audit.anchor.v1"
SENSOR_QUALITY: Final = "sensor.quality.v1"


@cache
def released(partner: str) -> str:
    """Our releases to a partner, on our cluster."""
    return f"indicator.released.{partner}.v1"


@cache
def urgent(partner: str) -> str:
    """The fast lane: copies of releases to a partner that must not wait behind others, on our cluster."""
    return f"indicator.urgent.{partner}.v1"


def inbox(origin: str) -> str:
    """The topic on our cluster that a partner's bridge writes."""
    return f"inbox.{origin}.v1"


def urgent_inbox(origin: str) -> str:
    """The inbox for the fast lane of a partner's bridge."""
    return f"inbox.urgent.{origin}.v1"


def accepted(origin: str) -> str:
    """The records that we accepted from a partner."""
    return f"partner.{origin}.indicator.v1"


def receipts(origin: str) -> str:
    """Our receipts for a partner's records; our bridge carries them to it."""
    return f"receipt.{origin}.v1"


def partner_receipts(partner: str) -> str:
    """A partner's receipts for our releases, as they arrive at home."""
    return f"partner.{partner}.receipt.v1"


def released_digests(partner: str) -> str:
    """A digest for each window of our releases to a partner."""
    return f"released.{partner}.digest.v1"


def held_digests(origin: str) -> str:
    """A digest for each window of the records that we hold of a partner; its bridge may read it."""
    return f"held.{origin}.digest.v1"


class StepKind(enum.StrEnum):
    """The steps that a streams worker runs."""

    INTAKE = "intake"
    CORRELATE = "correlate"
    RECEIVE = "receive"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class StreamsStep:
    """One step of a worker; ``partner`` is empty for a step that the nation has once."""

    kind: StepKind
    partner: str = ""

    @property
    def name(self) -> str:
        """Its name, in its transactional ids and its own topics."""
        return f"{self.kind}.{self.partner}" if self.partner else str(self.kind)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The topics that it reads, besides those that it keeps itself."""
        match self.kind:
            case StepKind.INTAKE:
                return (SENSOR_REPORTS,)
            case StepKind.CORRELATE:
                return (OBSERVATIONS, COMMANDS)
            case StepKind.RECEIVE:
                return (inbox(self.partner), urgent_inbox(self.partner))
            case StepKind.SETTLE:
                return (released(self.partner), partner_receipts(self.partner), accepted(self.partner))


NATIONAL_STEPS: Final = (StreamsStep(StepKind.INTAKE), StreamsStep(StepKind.CORRELATE))


def partner_steps(partner: str) -> tuple[StreamsStep, ...]:
    """The steps that a nation has for one partner."""
    return (StreamsStep(StepKind.RECEIVE, partner), StreamsStep(StepKind.SETTLE, partner))


def streams_steps(partners: Iterable[str]) -> tuple[StreamsStep, ...]:
    """All steps of a nation's workers."""
    return (*NATIONAL_STEPS, *(step for partner in partners for step in partner_steps(partner)))


def settle_step(partner: str) -> str:
    """The name of the step that matches releases to a partner with its receipts."""
    return StreamsStep(StepKind.SETTLE, partner).name


def changelog(step: str) -> str:
    """The committed rows of a step's state."""
    return f"state.{step}.changelog.v1"


def progress(step: str) -> str:
    """The committed position of each shard of a step."""
    return f"{step}.progress.v1"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. A compacted one keeps the last of each key.

    ``retention_ms`` applies to deleting topics; ``FOR_EVER`` is until an officer truncates it.
    """

    name: str
    key: str
    partitions: int
    compacted: bool = False
    retention_ms: int = 7 * DAY_MS
    config: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The topic's configuration with Kafka's names."""
        if self.compacted:
            base = {
                "cleanup.policy": "compact",
                "min.cleanable.dirty.ratio": "0.2",
                "segment.bytes": str(64 << 20),
                "max.compaction.lag.ms": str(DAY_MS),
            }
        else:
            base = {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        return base | {"max.message.bytes": str(MAX_RECORD_BYTES)} | dict(self.config)


MAX_RECORD_BYTES: Final = 2 << 20  # the same as schemas.codec.MAX_BYTES: a record that cannot be read is not accepted
INBOX_BATCH_BYTES: Final = 8 << 20  # of one shard in one round trip of a bridge; its guard limits records to less
PURGE_MS: Final = 60 * 60 * 1000  # limit for recalled content among accepted records, and for a read inbox on disk
APPEND_TIME: Final = {"message.timestamp.type": "LogAppendTime"}


def step_topics(step: str, shards: int, *, state: bool) -> list[Topic]:
    """The topics that hold one step's progress and state."""
    topics = [Topic(progress(step), "shard", shards, compacted=True)]
    return [*topics, Topic(changelog(step), "row key", shards, compacted=True)] if state else topics


def bridge_step(origin: str) -> str:
    """The bridge's step on the partner's cluster: a prefix that only that bridge may write."""
    return f"bridge.{origin}"


def urgent_step(origin: str) -> str:
    """The fast lane of a bridge, on the partner's cluster."""
    return f"{bridge_step(origin)}.urgent"


def topics_of(nation: str, partners: Iterable[str], shards: int) -> list[Topic]:
    """All topics of one nation's cluster. The same ``shards`` holds on both sides of a bridge."""
    long = 365 * DAY_MS
    # Two verdicts on one indicator have one key, so compaction would lose the first; and a shard that is rebuilt from
    # less than all of its rows gets its vetoes back from here. They come at the pace of people.
    lasting = 10 * long
    batched = {"max.message.bytes": str(INBOX_BATCH_BYTES)}
    rolled, purged = {"segment.ms": str(PURGE_MS)}, {"max.compaction.lag.ms": str(PURGE_MS)}
    topics = [
        Topic(SENSOR_REPORTS, "sensor", shards, config=APPEND_TIME),
        Topic(OBSERVATIONS, "shard", shards),
        Topic(NATIONAL, "indicator id", shards, compacted=True),
        # Time alone cuts no chain: `kakehashi audit truncate` does, behind a signed anchor.
        Topic(AUDIT, "indicator id", shards, retention_ms=FOR_EVER),
        Topic(ANCHORS, "shard/sequence", 1, compacted=True, config=APPEND_TIME),
        # Not compacted: a copy of a record must not replace the first one and its time.
        Topic(POLICY, "record id", 1, retention_ms=FOR_EVER, config=APPEND_TIME),
        Topic(POLICY_READINGS, "role/partner/shard", 1, compacted=True, config=APPEND_TIME),
        Topic(QUARANTINE, "topic-partition-offset-index", shards, retention_ms=long),
        Topic(COMMANDS, "indicator id", shards, retention_ms=lasting, config=APPEND_TIME),
        Topic(REVIEW_PENDING, "indicator id and partner", shards, compacted=True),
        Topic(SENSOR_QUALITY, "sensor", shards, compacted=True),
        *(topic for step in NATIONAL_STEPS for topic in step_topics(step.name, shards, state=True)),
    ]
    for partner in partners:
        if partner == nation:
            raise ValueError(f"{nation} cannot be its own partner")
        topics += [
            Topic(released(partner), "indicator id", shards, compacted=True),
            Topic(urgent(partner), "indicator id", shards, retention_ms=30 * DAY_MS),
            Topic(
                inbox(partner), "indicator id", shards, retention_ms=30 * DAY_MS, config=APPEND_TIME | rolled | batched
            ),
            Topic(urgent_inbox(partner), "indicator id", shards, retention_ms=30 * DAY_MS, config=APPEND_TIME | rolled),
            Topic(accepted(partner), "indicator id", shards, compacted=True, config=APPEND_TIME | purged),
            Topic(released_digests(partner), "window", shards, compacted=True),
            Topic(held_digests(partner), "window", shards, compacted=True),
            Topic(receipts(partner), "indicator id", shards, retention_ms=30 * DAY_MS),
            Topic(partner_receipts(partner), "indicator id/code", shards, compacted=True),
            *step_topics(bridge_step(partner), shards, state=False),
            *step_topics(urgent_step(partner), shards, state=False),
            *(topic for step in partner_steps(partner) for topic in step_topics(step.name, shards, state=True)),
        ]
    return topics
