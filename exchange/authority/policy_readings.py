"""What each process has read of ``policy.v1``, and what it does not obey: the answer to an officer who closes a border.

One record for each shard on ``policy.reading.v1``, by whoever works on the shard. A worker that stops
leaves its record, which the next owner of the shard replaces: until then no one answers for the shard, and an officer
must know. A bridge that is stopped in good order withdraws its record; a killed one counts as one that does not answer.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from exchange.authority.policy_watch import PolicyWatch
from exchange.clock import now_ms
from exchange.errors import ExchangeError
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import produce
from schemas import topics
from schemas.codec import POLICY_READING
from schemas.records import PolicyReading

LOOK_EVERY_S: Final = 1.0  # at the shards; what is new is reported at once
_FLUSH_S: Final = 5.0
_AGAIN_S: Final = 300.0  # a record that a predecessor withdrew too late comes back
MOST_REFUSED: Final = 20
_log = logging.getLogger(__name__)

Shards = Callable[[], frozenset[int]]


class PolicyReader:
    """Reports the readings of a watch, from a thread of its own, for the shards that this process works on."""

    def __init__(self, cluster: Cluster, watch: PolicyWatch, role: str, partner: str, shards: Shards) -> None:
        """``role`` is ``streams`` or ``bridge``; ``partner`` is a bridge's."""
        self._cluster, self._watch, self._role, self._partner, self._shards = cluster, watch, role, partner, shards
        self._process = f"{socket.gethostname()}:{os.getpid()}"
        self._producer = idempotent_producer(cluster)
        self._codec = cluster.codec(POLICY_READING)
        self._reported: dict[int, object] = {}
        self._again_at = 0.0
        self._stopping, self._changed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._follow, name="policy-readings", daemon=True)

    def start(self) -> "PolicyReader":
        """Begin to report."""
        self._watch.call_on_news(self._changed.set)
        self._thread.start()
        return self

    def withdraw(self) -> None:
        """Stop, and leave nothing behind: these shards are no longer worked on."""
        self._stopping.set()
        self._changed.set()
        self._thread.join()
        for shard in self._reported:
            produce(self._producer, topics.POLICY_READINGS, 0, self._key(shard), None)
        self._producer.flush(_FLUSH_S)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self._changed.wait(LOOK_EVERY_S)
            self._changed.clear()
            try:
                self._report()
            except ExchangeError as error:
                _log.error("policy.unreported: officers wait for this process in vain: %s", error)

    def _report(self) -> None:
        published, shards = self._watch.latest, self._shards()
        state = published.next_offset, tuple((each.record_id, each.detail) for each in published.refused)
        if time.monotonic() > self._again_at:
            self._reported.clear()
            self._again_at = time.monotonic() + _AGAIN_S
        for shard in self._reported.keys() - shards:
            del self._reported[shard]  # its new owner reports
        for shard in sorted(shards):
            if published.read_ms and self._reported.get(shard) != state:
                reading: PolicyReading = {
                    "role": self._role,
                    "partner": self._partner,
                    "shard": shard,
                    "process": self._process,
                    "next_offset": published.next_offset,
                    "refused": [
                        {"record_id": each.record_id, "detail": each.detail}
                        for each in published.refused[-MOST_REFUSED:]
                    ],
                    "at_ms": now_ms(),
                }
                value = self._codec.encode(POLICY_READING, reading)
                produce(self._producer, topics.POLICY_READINGS, 0, self._key(shard), value)
                self._reported[shard] = state
        self._producer.poll(0)

    def _key(self, shard: int) -> bytes:
        return f"{self._role}/{self._partner}/{shard}".encode()
