"""Shows a ``WitnessedClock`` the broker's clock: no request of Kafka asks for it, but each append is answered with it.

A tombstone is written repeatedly under one key of ``policy.reading.v1``, which every worker and bridge may write
and no one reads for it. Compaction keeps none of them.
"""

import logging
import threading
import time
from typing import Final, Self

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message, Producer

from exchange.clock import now_ms
from exchange.errors import BrokerUnavailable, ConfigurationError, TransientError
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.witnessed_clock import TOLERANCE_MS, WitnessedClock
from schemas import topics

_log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
_WAIT_S: Final = 10.0
_KEY: Final = b"clock"


def monotonic_ms() -> int:
    """Milliseconds of a clock that no one sets."""
    return time.monotonic_ns() // 1_000_000


class BrokerTime:
    """Looks at the broker's clock at once, and then every ``EVERY_S`` in a thread of its own. If the broker is away,
    its clock goes on as it was seen last."""

    def __init__(self, cluster: Cluster) -> None:
        self.clock = WitnessedClock(now_ms, monotonic_ms)
        self._cluster = cluster
        self._producer = self._connected()
        self._is_far = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def _connected(self) -> Producer:
        return idempotent_producer(self._cluster, **{"linger.ms": 0})

    def start(self) -> Self:
        """Look once, then continue in the background. Raises BrokerUnavailable if there is no answer."""
        self.look()
        self._thread = threading.Thread(target=self._follow, name="broker-time", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_WAIT_S)

    def look(self) -> None:
        """Look once. Raises BrokerUnavailable if there is no answer, ConfigurationError if it is not the broker's."""
        seen: list[tuple[int, int]] = []
        failed: list[str] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                seen.append(message.timestamp())
            else:
                failed.append(error.str())

        where = f"{self._cluster.nation}'s Kafka at {self._cluster.bootstrap}"
        try:
            self._producer.produce(topics.POLICY_READINGS, None, _KEY, 0, on_delivery=delivered)
            self._producer.flush(_WAIT_S)
        except (KafkaException, BufferError) as error:
            failed.append(str(error))
        if not seen:
            self._producer = self._connected()  # one that failed for good would fail for ever
            raise BrokerUnavailable(f"{where} does not show its clock: {failed[0] if failed else 'no answer'}")
        kind, append_ms = seen[-1]
        if kind != TIMESTAMP_LOG_APPEND_TIME:
            raise ConfigurationError(
                f"{where}: {topics.POLICY_READINGS} has no append time: run `kakehashi topics --nation "
                f"{self._cluster.nation}`, and set message.timestamp.type=LogAppendTime"
            )
        self.clock.witness(append_ms)
        self._warn()

    def _warn(self) -> None:
        """Log once if the clocks diverge, and once if they agree again."""
        ahead_ms = self.clock.ahead_ms()
        is_far = abs(ahead_ms) > TOLERANCE_MS
        if is_far and not self._is_far:
            _log.error(
                "clock.differs nation=%s ahead_s=%.1f: this machine's clock and its broker's differ; the earlier one "
                "is believed. Synchronise both", self._cluster.nation, ahead_ms / 1000,
            )  # fmt: skip
        elif self._is_far and not is_far:
            _log.warning("clock.agrees nation=%s ahead_s=%.1f", self._cluster.nation, ahead_ms / 1000)
        self._is_far = is_far

    def _follow(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.look()
            except TransientError as error:
                _log.warning("clock.unseen error=%s", error)
            except Exception:
                _log.exception("clock.broken: the broker's clock is not looked at")
