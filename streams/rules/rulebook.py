"""Which rules are in force at a time: the shipped policy set, until a signed activation replaces it.

A pure function of the records on ``policy.v1`` and the shard's time, so every shard switches at the same shard time,
between two batches, no matter when its worker has read the records. A set that does not load, or whose texts do not
match its version, is refused: the old one stays in force.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from exchange.authority.policy_record import Border, Kind, NotApproved, borders
from exchange.authority.policy_watch import Published
from schemas.records import PolicyRecord
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.in_force import InForce
from streams.rules.policy_set import PolicySet, compiled
from streams.rules.rule import PolicyError

_log = logging.getLogger(__name__)


class Watched(Protocol):
    """``exchange.authority.policy_watch.PolicyWatch``, as far as it is needed here."""

    def published(self, at_ms: int) -> Published:
        """The known records. Raises PolicyStale."""
        ...


@dataclass(frozen=True, slots=True)
class Activated:
    """A set in force from a shard time on. ``by`` is empty for the set that ships with the software."""

    at_ms: int
    policy_set: PolicySet
    by: tuple[str, ...] = ()
    reason: str = ""
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """A nation's rules over time: activations by time, sets by version, and refused records."""

    activated: tuple[Activated, ...]
    sets: Mapping[str, PolicySet]
    refused: tuple[NotApproved, ...]

    def at(self, now_ms: int) -> Activated:
        """The set in force at this shard time."""
        return [each for each in self.activated if each.at_ms <= now_ms][-1]

    def before(self, record_id: str) -> Activated | None:
        """The set that was in force before the activation of this record; None if there is no such activation."""
        pairs = zip(self.activated, self.activated[1:], strict=False)
        return next((earlier for earlier, each in pairs if each.record_id == record_id), None)

    def next_after(self, now_ms: int) -> Activated | None:
        """The next activation after this time, if there is one."""
        return next((each for each in self.activated if each.at_ms > now_ms), None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A set that people are to approve, the one that it follows, and the next one that is activated already."""

    policy_set: PolicySet
    before: Activated
    then: Activated | None = None


def candidate(draft: PolicyRecord, history: History, nation: str, now_ms: int) -> Candidate | str:
    """The set of a draft, or why there is none: it does not load, or an activation names one that is not published.

    A set is compared with the set in force now, an activation with the set in force at its time.
    """
    if draft["kind"] == Kind.SET:
        found = loaded_set(draft, nation)
        return found if isinstance(found, str) else Candidate(found, history.at(now_ms))
    if draft["version"] not in history.sets:
        return f"{draft['version'][:12]} is not a published set: publish it first"
    at_ms = draft["activate_at_ms"]
    return Candidate(history.sets[draft["version"]], history.at(at_ms), history.next_after(at_ms))


def history_of(shipped: PolicySet, published: Published) -> History:
    """Every valid activation, by its time; of two at the same time the later written one follows the other.

    An activation counts only behind its set, so every reader of the activation has read the set.
    """
    sets, found, refused = {shipped.version: shipped}, [Activated(0, shipped)], []
    for each in published.approved:
        version, wrong = each.record["version"], ""
        if each.kind is Kind.SET and version not in sets:
            loaded = loaded_set(each.record, shipped.nation)
            if isinstance(loaded, PolicySet):
                sets[version] = loaded
            else:
                wrong = f"the set {version[:12]} does not load: {loaded}"
        elif each.kind is Kind.ACTIVATION and version in sets:
            at_ms, reason, name = each.record["activate_at_ms"], each.record["reason"], each.record["record_id"]
            found.append(Activated(at_ms, sets[version], each.persons, reason, name))
        elif each.kind is Kind.ACTIVATION:
            wrong = f"there is no valid set {version[:12]} before its activation"
        if wrong:
            refused.append(NotApproved(each.offset, wrong, each.record["record_id"]))
    return History(tuple(sorted(found, key=lambda activated: activated.at_ms)), sets, tuple(refused))


def loaded_set(record: PolicyRecord, nation: str) -> PolicySet | str:
    """The set in a record, or why it does not load."""
    try:
        loaded = compiled(record["texts"], nation)
    except PolicyError as error:
        return str(error)
    if loaded.version != record["version"]:
        return f"its texts are of version {loaded.version}"
    return loaded


class Rulebook:
    """``Rules`` from the records that a watch has read. Shared by all shards of a process."""

    def __init__(self, shipped: PolicySet, watch: Watched) -> None:
        self._shipped, self._watch = shipped, watch
        self._lock = threading.Lock()
        self._classifiers: dict[str, Classifier] = {}
        self._known: tuple[Published, History, dict[str, Border]] | None = None

    def in_force(self, now_ms: int) -> InForce:
        """At a shard time. Raises PolicyStale."""
        published = self._watch.published(now_ms)
        with self._lock:
            if self._known is None or self._known[0].approved != published.approved:
                self._known = self._read(published)
            _, history, closed = self._known
            chosen = history.at(now_ms)
            classifier = self._classifiers.get(chosen.policy_set.version)
            if classifier is None:
                classifier = self._classifiers[chosen.policy_set.version] = Classifier(Engine(chosen.policy_set))
        return InForce(classifier, closed)

    def _read(self, published: Published) -> tuple[Published, History, dict[str, Border]]:
        history = history_of(self._shipped, published)
        for each in history.refused:
            _log.error("policy.invalid offset=%d record=%s detail=%s", each.offset, each.record_id, each.detail)
        every: dict[str, Border] = borders(published.approved)
        return published, history, {partner: state for partner, state in every.items() if state is not Border.OPEN}
