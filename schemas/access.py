"""The rights on a nation's cluster: the least that each role needs, as data. Kafka's authoriser denies the rest.

Users are ``<nation>-<role>``: ``GBR-bridge`` is Britain's bridge, on its own cluster and on its partner's. A
partner's bridge may write the inbox and its own progress, own transactional ids of its own prefix, and read what we
hold of it. So no partner can write our progress, or fence our workers. No role may create, alter or delete a topic:
only administrators do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from schemas import topics

Resource = Literal["topic", "group", "transactional-id"]
Operation = Literal["read", "write", "delete", "describe", "describe-configs"]

_READ: Final[tuple[Operation, ...]] = ("describe", "describe-configs", "read")
_WRITE: Final[tuple[Operation, ...]] = ("describe", "describe-configs", "write")
_BOTH: Final[tuple[Operation, ...]] = (*_READ, "write")
_OWNED: Final[tuple[Operation, ...]] = ("describe", "write")


@dataclass(frozen=True, slots=True, order=True)
class Allowed:
    """One operation that a user may do on one resource, or on all resources with this prefix."""

    user: str
    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.user} {self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"


def user_of(nation: str, role: str) -> str:
    """The user name of a nation's role on every cluster."""
    return f"{nation}-{role}"


def bridge_topics_abroad(origin: str, shards: int) -> list[topics.Topic]:
    """The topics of its partner's cluster that ``origin``'s bridge may use, as that cluster names them."""
    seen = {topics.inbox(origin), topics.progress(topics.bridge_step(origin)), topics.held_digests(origin)}
    seen |= {topics.urgent_inbox(origin), topics.progress(topics.urgent_step(origin)), topics.accepted(origin)}
    return [topic for topic in topics.topics_of("", (origin,), shards) if topic.name in seen]


def bridge_topics_at_home(partner: str, shards: int) -> list[topics.Topic]:
    """The topics that a bridge to ``partner`` reads and writes on its own cluster."""
    seen = {topics.released(partner), topics.receipts(partner), topics.released_digests(partner)}
    seen |= {
        topics.urgent(partner),
        topics.partner_receipts(partner),
        topics.QUARANTINE,
        topics.POLICY,
        topics.POLICY_READINGS,
    }
    seen |= {topics.changelog(topics.settle_step(partner))}
    return [topic for topic in topics.topics_of("", (partner,), shards) if topic.name in seen]


def access_of(nation: str, partners: Iterable[str]) -> list[Allowed]:
    """All rights on ``nation``'s cluster, sorted."""
    partners = tuple(partners)
    found = [*_produce(nation), *_streams(nation, partners), *_officer(nation, partners), *_reader(nation, partners)]
    found += [*_quality(nation, partners), *_sightings(nation, partners)]
    for partner in partners:
        found += _bridge_at_home(nation, partner)
        found += _bridge_of_partner(partner)
    return sorted(set(found))


def _topics(user: str, operations: Iterable[Operation], names: Iterable[str]) -> Iterator[Allowed]:
    names = tuple(names)
    return (Allowed(user, "topic", name, operation) for operation in operations for name in names)


def _produce(nation: str) -> Iterator[Allowed]:
    yield from _topics(user_of(nation, "produce"), _WRITE, [topics.SENSOR_REPORTS, topics.QUARANTINE])


def _streams(nation: str, partners: tuple[str, ...]) -> Iterator[Allowed]:
    """Reads all topics but the progress of bridges; writes all but those of sensors, officers, partners and bridges."""
    user = user_of(nation, "streams")
    every = [topic.name for topic in topics.topics_of(nation, partners, 1)]
    inboxes = {name for partner in partners for name in (topics.inbox(partner), topics.urgent_inbox(partner))}
    lanes = [step for partner in partners for step in (topics.bridge_step(partner), topics.urgent_step(partner))]
    kept = set(map(topics.progress, lanes))
    yield from _topics(user, ("describe", "describe-configs"), every)
    yield from _topics(user, ("read",), [name for name in every if name not in kept])
    of_others = {topics.SENSOR_REPORTS, topics.COMMANDS, topics.POLICY, topics.ANCHORS, topics.SENSOR_QUALITY}
    of_others |= inboxes | kept
    yield from _topics(user, ("write",), [name for name in every if name not in of_others])
    yield from _topics(user, ("delete",), inboxes)  # DeleteRecords, up to receive's committed position
    yield Allowed(user, "group", f"kakehashi-{nation}-streams", "read")
    for step in topics.streams_steps(partners):
        for operation in _OWNED:
            yield Allowed(user, "transactional-id", f"kakehashi.{step.name}.", operation, prefixed=True)


def _bridge_at_home(nation: str, partner: str) -> Iterator[Allowed]:
    user = user_of(nation, "bridge")
    written = (topics.QUARANTINE, topics.POLICY_READINGS)
    for topic in bridge_topics_at_home(partner, 1):
        yield from _topics(user, _WRITE if topic.name in written else _READ, [topic.name])


def _bridge_of_partner(partner: str) -> Iterator[Allowed]:
    user, step = user_of(partner, "bridge"), topics.bridge_step(partner)
    yield from _topics(user, _WRITE, [topics.inbox(partner), topics.urgent_inbox(partner)])
    yield from _topics(user, _BOTH, [topics.progress(step), topics.progress(topics.urgent_step(partner))])
    yield from _topics(user, _READ, [topics.held_digests(partner), topics.accepted(partner)])
    for operation in _OWNED:
        yield Allowed(user, "transactional-id", f"kakehashi.{step}.", operation, prefixed=True)


def _officer(nation: str, partners: tuple[str, ...]) -> Iterator[Allowed]:
    """Writes commands and redriven reports, and reads the topics that commands refer to."""
    user = user_of(nation, "officer")
    written = [topics.COMMANDS, topics.SENSOR_REPORTS, topics.POLICY, topics.ANCHORS]
    yield from _topics(user, _WRITE, [*written, *map(topics.receipts, partners)])
    seen = [topics.AUDIT, topics.REVIEW_PENDING, topics.QUARANTINE, topics.NATIONAL, topics.COMMANDS]
    seen += [
        topics.POLICY,
        topics.POLICY_READINGS,
        topics.ANCHORS,
        topics.progress(topics.StepKind.CORRELATE),
        topics.changelog(topics.StepKind.CORRELATE),
        topics.SENSOR_REPORTS,
        topics.progress(topics.StepKind.INTAKE),
        topics.changelog(topics.StepKind.INTAKE),
    ]
    for partner in partners:
        seen += [topics.released(partner), topics.partner_receipts(partner)]
        seen += [topics.accepted(partner), topics.released_digests(partner), topics.receipts(partner)]
        seen += [topics.changelog(topics.settle_step(partner))]
    yield from _topics(user, _READ, seen)
    # `kakehashi conformance` judges how long these are kept, and whose times they have.
    yield from _topics(user, ("describe-configs",), [topics.SENSOR_REPORTS, topics.QUARANTINE, topics.AUDIT])


def _reader(nation: str, partners: tuple[str, ...]) -> Iterator[Allowed]:
    disputes = [topic(each) for each in partners for topic in (topics.receipts, topics.partner_receipts)]
    yield from _topics(
        user_of(nation, "reader"),
        _READ,
        [topics.NATIONAL, topics.SENSOR_QUALITY, *map(topics.accepted, partners), *disputes],
    )


def _sightings(nation: str, partners: tuple[str, ...]) -> Iterator[Allowed]:
    """Reads the picture, and reports as a sensor: ``kakehashi sighting``; answers that something was not seen."""
    user = user_of(nation, "sightings")
    seen = [topic(each) for each in partners for topic in (topics.accepted, topics.receipts, topics.partner_receipts)]
    yield from _topics(user, _READ, [topics.NATIONAL, *seen])
    yield from _topics(user, _WRITE, [topics.SENSOR_REPORTS, topics.QUARANTINE, *map(topics.receipts, partners)])


def _quality(nation: str, partners: tuple[str, ...]) -> Iterator[Allowed]:
    user = user_of(nation, "quality")
    yield from _topics(user, _READ, [topics.NATIONAL, topics.QUARANTINE, *map(topics.partner_receipts, partners)])
    yield from _topics(user, _WRITE, [topics.SENSOR_QUALITY])
