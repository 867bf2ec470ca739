"""One process of a bridge."""

from collections.abc import Mapping, Sequence
from typing import Final

from consumers.bridge.threads import border_watch, bridge_threads
from consumers.reconcile.run import Reconciler, Side
from exchange import logs
from exchange.authority.policy_readings import PolicyReader
from exchange.clock import now_ms
from exchange.errors import BrokerUnavailable, ExchangeError, TransientError
from exchange.health import Pulse, liveness, readiness
from exchange.kafka.broker_time import BrokerTime
from exchange.kafka.clients import ROLE_ASKS_S, Cluster, topic_ids
from exchange.kafka.topics_admin import check_topics
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.role import STALLED_AFTER_MS, StopRequest, end_at_once, metrics_of, serve_metrics
from exchange.settings import Settings
from schemas.access import bridge_topics_abroad, bridge_topics_at_home
from schemas.topics import bridge_step, receipts, released, urgent, urgent_step

CHECK_EVERY_S: Final = 20.0


def run(home: Cluster, partner: Cluster, settings: Settings, shards: Sequence[int], loglevel: str) -> None:
    """Carry these shards until asked to stop.

    Raises TopicMismatch or BrokerUnavailable before any work if a cluster differs from the contract, and
    ConfigurationError if the nations have no link.
    """
    logs.start(loglevel, settings.log_format)
    settings.agreement(home.nation, partner.nation)
    check_topics(home, bridge_topics_at_home(partner.nation, settings.shards))
    check_topics(partner, bridge_topics_abroad(home.nation, settings.shards))
    steps = (bridge_step(home.nation), urgent_step(home.nation))
    metrics = metrics_of(Role.BRIDGE, home.nation, (partner.nation,), steps)
    carried = [released(partner.nation), receipts(partner.nation), urgent(partner.nation)]
    sources = topic_ids(home, carried, again_s=ROLE_ASKS_S)
    clock = BrokerTime(home).start().clock
    metrics.ask(spec.CLOCK_AHEAD_SECONDS, lambda: clock.ahead_ms() / 1000)
    watch = border_watch(home, settings, clock).start()
    threads = bridge_threads(home, partner, settings, watch, clock, metrics, end_at_once, shards)
    stopping = StopRequest()

    def pulses() -> dict[tuple[str, int], Pulse]:
        return {(thread.step, thread.number): thread.pulse for thread in threads}

    serve_metrics(
        metrics,
        settings,
        [home, partner],
        live=lambda: liveness(pulses(), now_ms(), STALLED_AFTER_MS),
        ready=lambda: readiness(pulses(), assigned=True),
    )
    for thread in threads:
        thread.start()
    reader = PolicyReader(home, watch, "bridge", partner.nation, lambda: frozenset(shards)).start()
    if settings.reconcile_s:
        reconciler = Reconciler(Side.of(home), Side.of(partner), shards, metrics, settings.reconcile_s)
        reconciler.start()
    while not stopping.wait(CHECK_EVERY_S):
        try:
            must_be_the_same(home, sources)
        except ExchangeError as error:
            end_at_once(error)
    stopping.report()
    for thread in threads:
        thread.ask_to_stop()
    for thread in threads:
        thread.stop(10.0)
    reader.withdraw()


def must_be_the_same(home: Cluster, sources: Mapping[str, str]) -> None:
    """Raises BrokerUnavailable if one of these topics has another id: a consumer would continue in it at the old offset
    and skip records. After a restart the bridge reports it, and reads the topic from its beginning."""
    try:
        found = topic_ids(home, list(sources))
    except TransientError:  # a cluster that does not answer is asked again
        return
    for topic, known in sources.items():
        if found[topic] != known:
            raise BrokerUnavailable(
                f"topic {topic} of {home.nation} was recreated (id {found[topic]}, was {known}) while it "
                "was read: the bridge must be started again"
            )
