"""Reconciles one direction: reads the digests of both sides, then the records that differ, with a bridge's rights.

On the partner's cluster these are the digests of what it holds of us, its topic of what it accepted from us, and the
position of our own bridge.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.reconcile.compare import (
    Difference,
    Windows,
    answered_in,
    differences,
    differing,
    digests_in,
    records_of,
    refusals_in,
    remembered_by_settle,
    stopped_in,
    without_superseded,
)
from consumers.subscription.topic_reader import TopicReader
from exchange.clock import now_ms
from exchange.errors import ExchangeError
from exchange.kafka.clients import Cluster, begin_offset
from exchange.kafka.progress import last_progress
from exchange.metrics import spec
from exchange.metrics.labels import Differs
from exchange.metrics.registry import Metrics
from exchange.protocol.changelog import Changelog
from exchange.protocol.record import RowChange
from schemas import topics
from schemas.codec import LATER_RELEASES, PROGRESS, RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec

_log = logging.getLogger(__name__)

GRACE_MS: Final = 60_000
FIRST_AFTER_S: Final = 60.0
_NAMED: Final = 20
NOTHING: Final = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One nation's cluster, and its schema ids."""

    cluster: Cluster
    codec: Codec

    @classmethod
    def of(cls, cluster: Cluster) -> "Side":
        """With the ids of its registry, if it has one."""
        names = (RELEASED_INDICATOR, RECEIPT, WINDOW_DIGEST, PROGRESS)
        return cls(cluster, cluster.codec(*names, newer=LATER_RELEASES))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of one reconciliation. ``windows`` are shard and begin of those that differ."""

    released: int
    held: int
    windows: tuple[tuple[int, int], ...]
    differences: tuple[Difference, ...]

    @property
    def counts(self) -> Counter[Differs]:
        """How many of each kind."""
        return Counter(each.differs for each in self.differences)


def reconcile(
    home: Side,
    partner: Side,
    shards: Sequence[int],
    *,
    full: bool = False,
    grace_ms: int = GRACE_MS,
    guard: bool = False,
) -> Comparison:
    """Compare these shards. With ``full`` the digests are ignored, and all records are compared. With ``guard`` it also
    reads what the guard of our bridge has stopped: officers may read quarantine, a bridge may not.

    Raises NotFound if a topic is missing, BrokerUnavailable if no broker answers.
    """
    began_ms = now_ms()
    ours = _digests(home, topics.released_digests(partner.cluster.nation), shards)
    theirs = _digests(partner, topics.held_digests(home.cluster.nation), shards)
    windows: list[tuple[int, int]] = []
    found: list[Difference] = []
    for shard in shards:
        apart = differing(ours[shard], theirs[shard])
        windows += [(shard, window) for window in apart]
        if apart or full:
            wanted = None if full else frozenset(apart)
            found += _differences(home, partner, shard, wanted, began_ms - grace_ms, guard=guard)
    held, released = (
        sum(count for of_shard in side.values() for count, _ in of_shard.values()) for side in (theirs, ours)
    )
    return Comparison(released, held, tuple(windows), tuple(found))


def _digests(side: Side, topic: str, shards: Sequence[int]) -> dict[int, Windows]:
    with TopicReader(side.cluster, topic) as reader:
        return {shard: digests_in(reader.records(shard), side.codec) for shard in shards}


def _differences(
    home: Side, partner: Side, shard: int, windows: frozenset[int] | None, settled_before_ms: int, *, guard: bool
) -> list[Difference]:
    """Compare the records of both sides. The partner's are read first: what is released meanwhile is then too young.

    A held indicator is looked up at home in any version: its newest may have left these windows since.
    """
    carried_to = _carried_to(home, partner, shard)
    with TopicReader(partner.cluster, topics.accepted(home.cluster.nation)) as reader:
        held = records_of(reader.records(shard), partner.codec, windows)
    remembered = remembered_by_settle(_rows_of_settle(home, partner, shard), windows)
    with TopicReader(home.cluster, topics.released(partner.cluster.nation)) as reader:
        released = records_of(without_superseded(reader.records(shard), remembered), home.codec, windows, named=held)
    with TopicReader(home.cluster, topics.partner_receipts(partner.cluster.nation)) as reader:
        receipts = list(reader.records(shard))
    stopped: Mapping[int, str] = {}
    if guard:
        with TopicReader(home.cluster, topics.QUARANTINE) as reader:
            topic = topics.released(partner.cluster.nation)
            stopped = stopped_in(reader.records(shard), home.cluster.codec(), topic)
    found = differences(
        remembered | released,
        held,
        refusals_in(receipts, home.codec),
        shard,
        settled_before_ms=settled_before_ms,
        carried_to=carried_to,
        answered=answered_in(receipts, home.codec) if windows is None else None,
        stopped=stopped,
    )
    return list(found)


def _rows_of_settle(home: Side, partner: Side, shard: int) -> Iterator[RowChange]:
    """The rows that our settle has committed about the partner, in the order of writing."""
    step = topics.settle_step(partner.cluster.nation)
    topic = topics.changelog(step)
    changelog = Changelog(home.cluster, topic, shard, step)
    for rows, _, _ in changelog.read(begin_offset(home.cluster, topic, shard)):
        yield from rows


def _carried_to(home: Side, partner: Side, shard: int) -> int | None:
    """The next offset that the bridge will carry, by its position abroad; None if it never had one."""
    step, topic = topics.bridge_step(home.cluster.nation), topics.released(partner.cluster.nation)
    progress = last_progress(partner.cluster, step, shard, partner.codec)
    if progress is None:
        return None
    return next((place["next_offset"] for place in progress["inputs"] if place["topic"] == topic), NOTHING)


class Reconciler:
    """Reconciles every ``every_s`` in a thread of its own, and shows the result in metrics and the log."""

    def __init__(
        self,
        home: Side,
        partner: Side,
        shards: Sequence[int],
        metrics: Metrics,
        every_s: float,
        find: Callable[[Side, Side, Sequence[int]], Comparison] = reconcile,
    ) -> None:
        self._home, self._partner, self._shards = home, partner, tuple(shards)
        self._metrics, self._every_s, self._find = metrics, every_s, find
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="reconciler", daemon=True)

    def start(self) -> None:
        """Begin: the first time soon, so that the effect of a restart is seen. Until then the metric is 0: never."""
        self._metrics.set(spec.LAST_RECONCILED, 0, self._home.cluster.nation, self._partner.cluster.nation)
        self._thread.start()

    def stop(self) -> None:
        """Stop as soon as possible; it writes nothing, so there is nothing to wait for."""
        self._stopping.set()

    def _live(self) -> None:
        wait_s = min(FIRST_AFTER_S, self._every_s)
        while not self._stopping.wait(wait_s):
            wait_s = self._every_s
            try:
                found = self._find(self._home, self._partner, self._shards)
            except ExchangeError as error:  # the last result stays, and grows old: the alert is on its age
                _log.warning("reconcile.failed: %s", error)
            else:
                self._show(found)

    def _show(self, found: Comparison) -> None:
        nations = self._home.cluster.nation, self._partner.cluster.nation
        for differs in Differs:
            self._metrics.set(spec.RECONCILE_DIFFERENCES, found.counts[differs], *nations, differs)
        self._metrics.set(spec.LAST_RECONCILED, time.time(), *nations)
        for each in found.differences[:_NAMED]:
            _log.warning(
                "reconcile.differs %s shard=%d id=%s released=%d held=%d %s",
                each.differs, each.shard, each.indicator_id, each.released_version, each.held_version, each.reason,
            )  # fmt: skip
        _log.info(
            "reconcile.done released=%d held=%d windows=%d differences=%d",
            found.released, found.held, len(found.windows), len(found.differences),
        )  # fmt: skip
