"""One worker process of a nation's streams."""

import logging
import os
import signal

import faust

from exchange import logs
from exchange.authority.policy_readings import PolicyReader
from exchange.clock import now_ms
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import check_topics
from exchange.metrics.kinds import Role
from exchange.role import STALLED_AFTER_MS, end_at_once, metrics_of, serve_metrics
from exchange.settings import Settings
from schemas.topics import streams_steps, topics_of
from streams.worker.application import application
from streams.worker.ownership import Ownership
from streams.worker.workshop import StreamsWorkshop

_log = logging.getLogger(__name__)


def run(nation: str, cluster: Cluster, settings: Settings, instance: str | None, loglevel: str) -> None:
    """Work until stopped. Ends the process.

    Raises TopicMismatch or BrokerUnavailable before any work if the cluster differs from the contract.
    """
    logs.start(loglevel, settings.log_format)
    partners = settings.partners(nation)
    check_topics(cluster, topics_of(nation, partners, settings.shards))
    metrics = metrics_of(Role.STREAMS, nation, partners, tuple(step.name for step in streams_steps(partners)))
    workshop = StreamsWorkshop.open(nation, cluster, settings, metrics, end_at_once)
    ownership = Ownership(workshop)
    PolicyReader(cluster, workshop.watch, "streams", "", ownership.running).start()
    serve_metrics(
        metrics,
        settings,
        [cluster],
        live=lambda: ownership.live(now_ms(), STALLED_AFTER_MS),
        ready=ownership.ready,
    )
    app = application(nation, cluster, settings, ownership, instance)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # Faust itself has no handler for it
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    worker = faust.Worker(app, override_logging=False, quiet=True, redirect_stdouts=False)
    worker.spinner = None  # it writes control characters, also to a file
    try:
        worker.execute_from_commandline()
    finally:
        _log.warning("role.stopping")
        ownership.close()
