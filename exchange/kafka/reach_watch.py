"""Whether a cluster answers, asked at intervals: librdkafka retries in silence, and a quiet shard notices nothing."""

import logging
import threading
import time
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from exchange.kafka.clients import Cluster
from exchange.metrics import spec
from exchange.metrics.registry import Metrics
from schemas import topics

ASK_EVERY_S: Final = 2.0
UNREACHABLE_S: Final = 10.0  # longer than a broker needs to start again after a crash
_log = logging.getLogger(__name__)


class ReachWatch:
    """Asks one cluster from a thread of its own; ``silent_s`` may be called from any thread."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._answered_at = time.monotonic()
        self._answers = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"reach-{cluster.nation}", daemon=True)

    def start(self, metrics: Metrics) -> "ReachWatch":
        """Begin to ask, and show the result."""
        metrics.ask(spec.CLUSTER_SILENT_SECONDS, self.silent_s, self.cluster.nation)
        self._thread.start()
        return self

    def silent_s(self) -> float:
        """For how many seconds the cluster has not answered; 0 if it answered the last question."""
        return 0.0 if self._answers else time.monotonic() - self._answered_at

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        admin, was_reported = AdminClient(self.cluster.client()), False
        while not self._stopping.wait(ASK_EVERY_S):
            asked = time.monotonic()
            try:
                admin.list_topics(topics.POLICY, timeout=ASK_EVERY_S)  # an unknown topic is an answer, too
            except KafkaException as error:
                self._answers = False
                if not was_reported and self.silent_s() > UNREACHABLE_S:
                    was_reported = True
                    _log.error(
                        "cluster.unreachable nation=%s bootstrap=%s silent_s=%.0f error=%s",
                        self.cluster.nation, self.cluster.bootstrap, self.silent_s(), error.args[0].str(),
                    )  # fmt: skip
            else:
                if was_reported:
                    _log.warning("cluster.reached nation=%s after_s=%.0f", self.cluster.nation, self.silent_s())
                self._answered_at, self._answers, was_reported = asked, True, False
