"""Which rules are in force at a time: the set that comes with the software, until a signed activation says otherwise.

A pure function of what ``policy.v1`` has said and of the shard's time, so every shard switches at the same shard time,
between two batches, whenever its worker has learnt of it. A set that does not load, or whose texts are not of its
version, is refused: the old one stays in force.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exchange.policy_record import Border, Kind, borders
from exchange.policy_watch import Said
from schemas.records import PolicyRecord
from streams.classification.engine import Engine
from streams.classification.policy_set import PolicySet, compiled
from streams.classification.rule import PolicyError
from streams.stages.release import Classifier

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InForce:
    """What a shard decides by: the rules, and the borders that are not open."""

    classifier: Classifier
    borders: Mapping[str, Border] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Equal for the same rules and borders."""
        return self.classifier.engine.version, tuple(sorted(self.borders.items()))


class Rules(Protocol):
    """Where a step asks what is in force."""

    def in_force(self, now_ms: int) -> InForce:
        """At a shard time. Raises PolicyStale where that cannot be known now."""
        ...


class FixedRules:
    """The same rules always, and every border open."""

    def __init__(self, classifier: Classifier) -> None:
        self._in_force = InForce(classifier)

    def in_force(self, now_ms: int) -> InForce:  # noqa: ARG002  # it never changes
        """At any time."""
        return self._in_force


class Watched(Protocol):
    """``exchange.policy_watch.PolicyWatch``, as far as it is needed here."""

    def said(self, at_ms: int) -> Said:
        """What is known. Raises PolicyStale."""
        ...


@dataclass(frozen=True, slots=True)
class Activated:
    """A set in force from a shard time on. ``by`` is empty for the set that comes with the software."""

    at_ms: int
    policy_set: PolicySet
    by: tuple[str, ...] = ()
    reason: str = ""


class Rulebook:
    """``Rules`` by what a watch has read. Shared by all shards of a process."""

    def __init__(self, shipped: PolicySet, watch: Watched) -> None:
        self._shipped, self._watch = shipped, watch
        self._lock = threading.Lock()
        self._classifiers: dict[str, Classifier] = {}
        self._known: tuple[Said | None, tuple[Activated, ...], dict[str, Border]] = (None, (), {})

    def in_force(self, now_ms: int) -> InForce:
        """At a shard time. Raises PolicyStale."""
        said = self._watch.said(now_ms)
        with self._lock:
            known, history, closed = self._known
            if known is None or known.approved != said.approved:
                history = activations(self._shipped, said)
                closed = {name: state for name, state in borders(said.approved).items() if state is not Border.OPEN}
                self._known = (said, history, closed)
            chosen = in_force_at(history, now_ms)
            classifier = self._classifiers.get(chosen.policy_set.version)
            if classifier is None:
                classifier = self._classifiers[chosen.policy_set.version] = Classifier(Engine(chosen.policy_set))
        return InForce(classifier, closed)


def activations(shipped: PolicySet, said: Said) -> tuple[Activated, ...]:
    """Every activation that holds, by its time; of two at the same time the later written is the later one.

    An activation counts only behind its set: whoever reads it has read the set, too.
    """
    sets, found = {shipped.version: shipped}, [Activated(0, shipped)]
    for each in said.approved:
        version = each.record["version"]
        if each.kind is Kind.SET and version not in sets:
            loaded = loaded_set(each.record, shipped.nation)
            if isinstance(loaded, PolicySet):
                sets[version] = loaded
            else:
                _log.error("policy.invalid version=%s error=%s", version, loaded)
        elif each.kind is Kind.ACTIVATION and version in sets:
            found.append(Activated(each.record["activate_at_ms"], sets[version], each.persons, each.record["reason"]))
        elif each.kind is Kind.ACTIVATION:
            _log.error("policy.unknown version=%s: no valid set stands before its activation", version)
    return tuple(sorted(found, key=lambda activated: activated.at_ms))


def sets_of(shipped: PolicySet, said: Said) -> dict[str, PolicySet]:
    """Every set that may be activated, by its version."""
    loaded = [loaded_set(each.record, shipped.nation) for each in said.approved if each.kind is Kind.SET]
    return {each.version: each for each in (shipped, *loaded) if isinstance(each, PolicySet)}


def loaded_set(record: PolicyRecord, nation: str) -> PolicySet | str:
    """The set in a record, or why it does not load."""
    try:
        loaded = compiled(record["texts"], nation)
    except PolicyError as error:
        return str(error)
    if loaded.version != record["version"]:
        return f"its texts are of version {loaded.version}"
    return loaded


def in_force_at(history: tuple[Activated, ...], now_ms: int) -> Activated:
    """The last one whose time has come."""
    return [activated for activated in history if activated.at_ms <= now_ms][-1]
