"""Puts the shards of a bridge together: for each, the bulk and the fast lane, each with its log, feed and thread."""

from collections.abc import Callable, Sequence
from functools import partial

from consumers.bridge.border_feed import BorderFeed, UrgentBorderFeed
from consumers.bridge.log import BridgeLog
from consumers.bridge.step import ABROAD, Bridge, Lane, Link, bulk_of, fast_lane_of
from consumers.bridge.throttle import Throttle
from consumers.bridge.urgent_log import UrgentLog
from exchange.authority.policy_record import Border
from exchange.authority.policy_watch import PolicyWatch
from exchange.authority.roster_watch import RosterWatch
from exchange.clock import now_ms
from exchange.kafka.clients import ROLE_ASKS_S, Cluster, begin_offset, topic_ids
from exchange.metrics import spec
from exchange.metrics.kinds import Histogram
from exchange.metrics.registry import Metrics
from exchange.protocol.home import HomeWriter
from exchange.protocol.record import Input
from exchange.protocol.shard import Shard, Turned
from exchange.protocol.thread import ShardThread
from exchange.settings import Settings
from schemas import topics
from schemas.codec import LATER_RELEASES


def border_watch(home: Cluster, settings: Settings, clock: Callable[[], int]) -> PolicyWatch:
    """The watch that knows whether a bridge's borders are open; not started yet."""
    roster = RosterWatch(home.nation, settings.officers)
    return PolicyWatch(home, roster, settings.partners(home.nation), settings.policy_lead_s * 1000, clock)


def bridge_threads(
    home: Cluster,
    partner: Cluster,
    settings: Settings,
    watch: PolicyWatch,
    clock: Callable[[], int],
    metrics: Metrics,
    on_broken: Callable[[Exception], None],
    shards: Sequence[int],
) -> list[ShardThread]:
    """The threads of these shards of the link from ``home`` to ``partner``, not started yet. ``watch`` runs.

    ``clock`` is the one that the home cluster agrees with.

    Assignment is static: it is never revoked. A fenced shard ends the process (``on_broken``).
    """
    partner_codec = partner.codec(*ABROAD, newer=LATER_RELEASES)
    agreed = settings.agreement(home.nation, partner.nation)
    link = Link(agreed, home.codec(), partner_codec, settings.shards)
    bulk, fast = bulk_of(link), fast_lane_of(link)
    receipts = topics.receipts(partner.nation)

    def border() -> Border | None:
        return watch.border(partner.nation)

    def on_lost() -> None:
        metrics.add(spec.BRIDGE_REPLAYS, 1, home.nation, partner.nation)

    def on_throttled(rate: int | None, waited_s: float) -> None:
        metrics.set(spec.BRIDGE_LIMIT_BYTES, rate or 0, home.nation, partner.nation)
        if waited_s:
            metrics.add(spec.BRIDGE_HELD_SECONDS, waited_s, home.nation, partner.nation)

    def make_bulk(shard: int) -> Shard:
        released, always, urgent = (Input(name, shard) for name in (bulk.source, receipts, fast.source))
        throttle = Throttle(settings.bridge_rate, link.shards, on_throttled)
        codecs = link.home_codec, link.partner_codec
        feed = BorderFeed(home, released, always, urgent, border, codecs, throttle)
        log = BridgeLog(
            partner,
            home.nation,
            shard,
            input_ids=topic_ids(home, [bulk.source, receipts, fast.source], again_s=ROLE_ASKS_S),
            begins=lambda: {
                each: begin_offset(home, each.topic, each.partition) for each in (released, always, urgent)
            },
            codec=link.partner_codec,
            on_lost=on_lost,
            on_gap=partial(metrics.add, spec.INPUT_GAPS, 1, bulk.step),
        )
        return Shard(Bridge(link, bulk), log, feed, None, clock, HomeWriter(home))

    def make_fast(shard: int) -> Shard:
        ids = topic_ids(home, [fast.source], again_s=ROLE_ASKS_S)
        feed = UrgentBorderFeed(home, Input(fast.source, shard), border, link.home_codec)
        log = UrgentLog(partner, fast.step, shard, input_ids=ids, codec=link.partner_codec)
        return Shard(Bridge(link, fast), log, feed, None, clock, HomeWriter(home))

    def thread(lane: Lane, make: Callable[[int], Shard], latency: Histogram[str, str], shard: int) -> ShardThread:
        def on_turned(turned: Turned) -> None:
            if turned.oldest is not None:
                waited_s = (now_ms() - turned.oldest.timestamp_ms) / 1000
                metrics.observe(latency, max(0.0, waited_s), home.nation, partner.nation)

        return ShardThread(lane.step, shard, partial(make, shard), metrics, on_broken=on_broken, on_turned=on_turned)

    lanes = ((bulk, make_bulk, spec.REPLICATION_LATENCY), (fast, make_fast, spec.URGENT_LATENCY))
    return [thread(*lane, shard) for shard in shards for lane in lanes]
