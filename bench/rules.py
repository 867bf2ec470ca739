"""(h) Rules change: everything that was released is decided again and recalled, to the last one on the partner's topic.

The changelog is written beforehand as correlate itself would have left it (``bench.state``): each indicator as one
sensor stated it, released to the partner under other rules than those installed: it is ``TLP:AMBER`` and names no one,
which they let go. The installed rules withhold that, so every one of them is decided again, audited and recalled, and
each recall is carried by the bridge and applied by the partner's receive. Observations are sent meanwhile.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final, cast

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

from bench.hops import ROLES
from bench.pipeline import WARM_UP, absorb
from bench.publish import Publisher, encoded
from bench.role import Role, cpu_seconds
from bench.stand import HOME, PARTNER, SHARDS, Stand
from bench.state import prefill, rows_for
from bench.workload import generate
from exchange import clock
from exchange.errors import FatalError
from exchange.kafka.clients import Cluster, reader
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.markings import SourceMarking
from schemas.records import ReleasedIndicator
from streams.correlate.row import Row
from streams.enrichment.installed import installed_enricher

OTHER_RULES: Final = b"of before"
UNNAMED: Final = SourceMarking("TLP:AMBER")
_DONE_S: Final = 3_000.0
_RUNNING: Final = "shard.running step=correlate"


def measure(stand: Stand, indicators: int, now_ms: int, epoch_ms: int) -> dict[str, Any]:
    """From the first shard that runs under the rules to the last recall, at home and on the partner's topic."""
    stand.refresh()
    publisher = Publisher(stand.home)
    prefill(stand, released_rows(indicators, now_ms), now_ms)
    more = encoded(generate(replace(WARM_UP, observations=WARM_UP.observations * 5), nation=HOME, epoch_ms=epoch_ms))
    home, *others = ROLES
    with ExitStack() as running:

        def start(name: str, arguments: Sequence[str]) -> Role:
            environment = stand.environment(KAKEHASHI_STATE=str(stand.folder / "state" / name))
            return running.enter_context(Role.start(name, arguments, environment, stand.folder))

        roles = [start(*each) for each in others]
        for role in roles:
            role.await_ready()
        worker = start(*home)
        began_ms = _await_running(worker)
        publisher.publish(more)
        sent = time.monotonic()
        ended, _ = absorb(stand, worker, more)
        reported = _Recalls(stand.home, topics.released(PARTNER), indicators)
        carried = _Recalls(stand.partner, topics.accepted(HOME), indicators)
        reported.await_all(worker)
        carried.await_all(worker)
        cpu = cpu_seconds(worker.pid)
    return {
        "indicators": indicators,
        "told_s": round((reported.last_ms - began_ms) / 1000, 1),
        "partner_s": round((carried.last_ms - began_ms) / 1000, 1),
        "rate": round(indicators / (reported.last_ms - began_ms) * 1000),
        "worker_cpu_us": round(cpu / indicators * 1e6, 1),
        "observations": WARM_UP.observations * 5,
        "observations_s": round(ended - sent, 1),
        "void": reported.wrong or carried.wrong,
    }


def released_rows(indicators: int, now_ms: int) -> Iterator[tuple[bytes, Row]]:
    """Indicators that were released under other rules; their enrichment is already known."""
    enricher = installed_enricher()
    for key, row in rows_for(indicators, now_ms, UNNAMED):
        known = enricher.enrich(row.kind, row.value)
        yield key, msgspec.structs.replace(row, enrichment=known, rules=OTHER_RULES)


def _await_running(role: Role) -> int:
    """When the first shard of correlate is the worker's: Unix milliseconds, to a hundredth of a second."""
    deadline = time.monotonic() + _DONE_S
    while _RUNNING not in role.log.read_text("utf-8", "replace"):
        role.check()
        if time.monotonic() > deadline:
            raise FatalError(f"no shard of correlate runs after {_DONE_S:g} s:\n{role.log_tail()}")
        time.sleep(0.01)
    return clock.now_ms()


class _Recalls:
    """Counts the ends on a topic, one for each indicator. Times are the records' own."""

    def __init__(self, cluster: Cluster, topic: str, wanted: int) -> None:
        self._topic, self._wanted, self._codec = topic, wanted, Codec()
        self._consumer = reader(cluster, **{"fetch.message.max.bytes": 4 << 20})
        self._consumer.assign([TopicPartition(topic, shard, OFFSET_BEGINNING) for shard in range(SHARDS)])
        self._seen: set[bytes] = set()
        self.last_ms, self.wrong = 0, ""

    def await_all(self, role: Role) -> None:
        """Until there is one of each. Raises FatalError if it takes too long."""
        deadline = time.monotonic() + _DONE_S
        while len(self._seen) < self._wanted:
            role.check()
            if time.monotonic() > deadline:
                raise FatalError(f"{len(self._seen)} of {self._wanted} recalls are on {self._topic}")
            for message in self._consumer.consume(10_000, 0.5):
                if message.error() is None:
                    self._take(message)
        self._consumer.close()

    def _take(self, message: Message) -> None:
        found = self._codec.decode(RELEASED_INDICATOR, message.value())
        if isinstance(found, Undecodable):
            self.wrong = f"{self._topic}: {found.detail}"
            return
        record, key = cast("ReleasedIndicator", found), message.key() or b""
        if record["kind"] != "recalled":  # sent in the meantime
            return
        if key in self._seen:
            self.wrong = f"{self._topic}: an indicator was recalled twice"
        self._seen.add(key)
        self.last_ms = max(self.last_ms, message.timestamp()[1])
