"""Measures (c): the hand-written loop, with the outputs that the pipeline had for the same work."""

import json
import time
from dataclasses import asdict
from typing import Final

from bench.arrived import standing
from bench.ceiling_loop import Ratios
from bench.outcome import Outcome
from bench.pipeline import WARM_UP, absorb, brokers_cpu
from bench.publish import Publisher, encoded
from bench.role import Role, cpu_seconds, resident_bytes
from bench.run import Run
from bench.stand import HOME, PARTNER, SHARDS, Stand
from bench.workload import Work, generate
from exchange.kafka.clients import Cluster
from schemas import topics

_SOURCE_BYTES: Final = 90
_BARE_BYTES: Final = 250
_TOLERANCE: Final = 2 * SHARDS  # a remainder of less than a record is never written


def ratios_of(pipeline: Run) -> Ratios:
    """How many records the pipeline wrote for each observation, roll-ups included, and how big."""
    everything = pipeline.observations + WARM_UP.observations
    mean = pipeline.national.bytes / max(1, pipeline.national.records)
    return Ratios(
        national=pipeline.national.records / everything,
        released=pipeline.released.records / everything,
        audit=pipeline.national.distinct / everything,
        sources=max(1, round((mean - _BARE_BYTES) / _SOURCE_BYTES)),
    )


def measure(stand: Stand, work: Work, epoch_ms: int, ratios: Ratios) -> Run:
    """Run the work through the hand-written loop, from empty topics."""
    stand.refresh()
    publisher = Publisher(stand.home)
    warm_up = generate(WARM_UP, nation=HOME, epoch_ms=epoch_ms, sensor_prefix="warm-up")
    before, records = encoded(warm_up), encoded(work)
    arguments = ["bench.ceiling_loop", "--bootstrap", stand.home.bootstrap, "--ratios", json.dumps(asdict(ratios))]
    with Role.start("ceiling", arguments, stand.environment(), stand.folder) as role:
        publisher.publish(before)
        absorb(stand, role, before)
        brokers, worker = brokers_cpu(stand), cpu_seconds(role.pid)
        began = time.monotonic()
        publisher.publish(records)
        ended, batches = absorb(stand, role, [*before, *records])
        worker_cpu, broker_cpu = cpu_seconds(role.pid) - worker, brokers_cpu(stand) - brokers
        resident = resident_bytes(role.pid)
    everything = work.observations + warm_up.observations
    national = _count(stand.home, topics.NATIONAL)
    released = _count(stand.home, topics.released(PARTNER))
    wanted = (everything * ratios.national, everything * ratios.released)
    fits = all(abs(a - b) <= _TOLERANCE for a, b in zip((national.records, released.records), wanted, strict=True))
    return Run(
        what="hand-written loop",
        work=work.name,
        observations=work.observations,
        absorbed_s=ended - began,
        worker_cpu_s=worker_cpu,
        brokers_cpu_s=broker_cpu,
        settled_cpu_s=0.0,
        resident_bytes=resident,
        batches=batches,
        national=national,
        released=released,
        void="" if fits else f"wrote {national.records} and {released.records} records, wanted were {wanted}",
    )


def _count(cluster: Cluster, topic: str) -> Outcome:
    """Records and bytes of a topic that nothing is written to any more."""
    sizes = [len(message.value() or b"") for message in standing(cluster, topic)]
    return Outcome(len(sizes), sum(sizes), 0, 0)
