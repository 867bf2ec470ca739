"""(f) Latency from publishing a report to the partner's topic, through all hops, at a trickle and under load.

All on this machine: streams of both nations and the bridge between them. Probes are small reports with an indicator
of their own, published at an even pace beside the load; one process sends them and reads the partner's topic, so
both times are of one clock.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Producer, TopicPartition

from bench.hops import ROLES, all_hops
from bench.load import Load
from bench.pipeline import brokers_cpu
from bench.role import Role, cpu_seconds
from bench.stand import HOME, SHARDS, WORKERS_ROLL_UP_MS, Stand
from bench.stream import reports
from bench.transactions import committed
from bench.workload import observation
from exchange.errors import FatalError
from exchange.kafka.clients import idempotent_producer, reader
from producers.report import report_of
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.identity import indicator_id, indicator_key, shard_of_sensor
from schemas.normalise import Invalid, canonical

PROBES_PER_S: Final = 10
_PROBE_SENSORS: Final = 8
_PROBE_SEED: Final = 777_767
_LIFE_S: Final = 15.0  # of an indicator, and so until a stream is even
_LATEST_S: Final = 60.0  # a stream is longer by this than what is to be measured, which ends with its last probe


class ProbesLate(FatalError):
    """Probes have not arrived by far: the load is too much, or something is broken."""


def measure(
    stand: Stand, full_rate: float, loads: Sequence[float], seconds: float, now_ms: int, home_workers: int = 1
) -> list[dict[str, Any]]:
    """Percentiles at these parts of ``full_rate`` observations a second (0: a trickle), by so many workers at home."""
    with measuring(stand, now_ms, home_workers) as hops:
        return [{"load": load, **hops.at(full_rate * load, seconds)} for load in loads]


@contextmanager
def measuring(stand: Stand, now_ms: int, home_workers: int = 1) -> Iterator["Hops"]:
    """All hops, warm, with the roll-up that a worker has by default: under a load that lasts it is much of the work."""
    with all_hops(stand, home_workers, WORKERS_ROLL_UP_MS) as roles, closing(Probes(stand, now_ms)) as probes:
        probes.run(3.0)  # warm-up: first connections, first decisions
        yield Hops(stand, roles, probes, now_ms, home_workers)


@dataclass
class Hops:
    """All hops while they run, to be measured at one rate after the other."""

    stand: Stand
    roles: Sequence[Role]
    probes: "Probes"
    now_ms: int
    home_workers: int
    _number: int = 0

    def at(self, rate: float, seconds: float) -> dict[str, Any]:
        """Percentiles, and the resources used, at ``rate`` observations a second besides the probes."""
        self._number += 1
        stream = self._number + 10 * self.home_workers
        with Load(self.stand, reports(rate, _LIFE_S, _LIFE_S + seconds + _LATEST_S, self.now_ms, stream)) as load:
            time.sleep(_LIFE_S if rate else 0)
            found = self.run(seconds)
            load.check()
        return {"observations_per_s": round(rate), **found}

    def run(self, seconds: float) -> dict[str, Any]:
        """Percentiles of the probes of so many seconds, and the resources used meanwhile."""
        stand, home = self.stand, [self.roles[0], *self.roles[len(ROLES) :]]
        began, used = time.monotonic(), [cpu_seconds(role.pid) for role in home]
        brokers_s, transactions = brokers_cpu(stand), committed(stand)
        times = self.probes.run(seconds)
        took, brokers_s = time.monotonic() - began, brokers_cpu(stand) - brokers_s
        spent = [cpu_seconds(role.pid) - before for role, before in zip(home, used, strict=True)]
        for role in self.roles:
            role.check()
        return {
            "workers": self.home_workers,
            "home_busy": round(max(spent) / took, 2),
            "brokers_busy": round(brokers_s / took, 2),
            "transactions_per_s": round((committed(stand) - transactions) / took, 1),
            **summary(times),
            "last_p50_ms": round(percentile(sorted(times[-len(times) // 4 :]), 50)),
        }


def summary(latencies_ms: Sequence[float]) -> dict[str, Any]:
    """Count and nearest-rank percentiles, in milliseconds."""
    ordered = sorted(latencies_ms)
    return {
        "probes": len(ordered),
        "p50_ms": round(percentile(ordered, 50)),
        "p99_ms": round(percentile(ordered, 99)),
        "max_ms": round(ordered[-1]),
    }


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile of values that are sorted and at least one."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


class Probes:
    """Sends probes, and sees them arrive. Numbers of probes continue, so no probe is a repetition."""

    def __init__(self, stand: Stand, now_ms: int) -> None:
        self._now_ms, self._codec = now_ms, Codec()
        self._producer: Producer = idempotent_producer(stand.home, **{"linger.ms": 0})
        self._consumer = reader(stand.partner, **{"fetch.wait.max.ms": 10})
        self._consumer.assign(
            [TopicPartition(topics.accepted(HOME), shard, OFFSET_BEGINNING) for shard in range(SHARDS)]
        )
        self._sent: dict[bytes, float] = {}
        self._number = 0
        self._sequences = [0] * _PROBE_SENSORS

    def run(self, seconds: float) -> list[float]:
        """The latencies of the probes of so many seconds, in milliseconds. Raises ProbesLate."""
        count = round(seconds * PROBES_PER_S)
        arrived: list[float] = []
        began = time.monotonic()
        for sent in range(count):
            due = began + sent / PROBES_PER_S
            while (left := due - time.monotonic()) > 0:
                arrived += self._arrivals(left)
            self._send()
        deadline = time.monotonic() + _LATEST_S
        while self._sent and time.monotonic() < deadline:
            arrived += self._arrivals(0.1)
        if self._sent:
            late = len(self._sent)
            self._sent.clear()
            raise ProbesLate(f"{late} of {count} probes have not arrived after {_LATEST_S:g} s")
        return arrived

    def _send(self) -> None:
        """One report with one indicator that is released and new."""
        number, self._number = self._number, self._number + 1
        seen = observation(_PROBE_SEED, number * 20, 1, self._now_ms)  # of each 20, the first is released
        known = canonical(seen.kind, seen.value)
        if isinstance(known, Invalid):
            raise AssertionError(f"the generator made an invalid value: {known.detail}")
        sensor = number % _PROBE_SENSORS
        name = f"probe-{sensor}"
        report = report_of(
            [seen],
            nation=HOME,
            sensor=name,
            epoch=self._now_ms,
            sequence=self._sequences[sensor],
            produced_at_ms=self._now_ms,
            tool="bench",
        )
        self._sequences[sensor] += 1
        value = self._codec.encode(SENSOR_REPORT, report)
        self._sent[indicator_id(indicator_key(*known)).encode()] = time.monotonic()
        self._producer.produce(topics.SENSOR_REPORTS, value, name.encode(), shard_of_sensor(name, SHARDS))
        self._producer.poll(0)

    def _arrivals(self, timeout_s: float) -> list[float]:
        found = []
        for message in self._consumer.consume(1, timeout_s):
            sent = self._sent.pop(message.key() or b"", None) if message.error() is None else None
            if sent is not None:
                found.append((time.monotonic() - sent) * 1000)
        return found

    def close(self) -> None:
        """Stop."""
        self._producer.flush(5)
        self._consumer.close()
