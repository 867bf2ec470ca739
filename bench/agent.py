"""Measures an agent that takes one observation a record: plain Faust (a), or another stream processor."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from bench.agent_options import AgentOptions
from bench.agent_stages import KEYED, SOURCE
from bench.outcome import without, wrong
from bench.pipeline import brokers_cpu, settled, together
from bench.publish import Publisher, Sending
from bench.role import Role, cpu_seconds, resident_bytes
from bench.run import Run
from bench.single import singles
from bench.stand import HOME, ROLL_UP_MS, SHARDS, Stand, ensure
from bench.workload import Shape, Work, generate
from schemas.identity import shard_of_sensor
from schemas.topics import Topic

WARM_UP: Final = Shape(400, 2, seed=999_983)

Absorb = Callable[[Sequence[Sending]], float]
"""Waits until all of it is done; the monotonic time of that. Raises FatalError if it takes too long."""


@dataclass(frozen=True, slots=True)
class Agent:
    """How one is started, and how its end is seen."""

    what: str
    start: Callable[[Stand, AgentOptions], Role]
    following: Callable[[Stand, AgentOptions, Role], AbstractContextManager[Absorb]]


def measure(agent: Agent, stand: Stand, work: Work, epoch_ms: int) -> Run:
    """Run the work through one agent, from empty topics."""
    stand.refresh()
    publisher = Publisher(stand.home)
    ensure(stand.home, [Topic(SOURCE, "sensor", SHARDS), Topic(KEYED, "indicator key", SHARDS)])
    warm_up = generate(WARM_UP, nation=HOME, epoch_ms=epoch_ms, sensor_prefix="warm-up")
    records, before = _as_singles(work), _as_singles(warm_up)
    options = AgentOptions(stand.home.bootstrap, f"bench-{time.time_ns()}", stand.folder / "plain", ROLL_UP_MS)
    with agent.start(stand, options) as role, agent.following(stand, options, role) as absorb:
        publisher.publish(before, SOURCE)
        absorb(before)
        brokers, worker = brokers_cpu(stand), cpu_seconds(role.pid)
        began = time.monotonic()
        publisher.publish(records, SOURCE)
        ended = absorb([*before, *records])
        worker_cpu, broker_cpu = cpu_seconds(role.pid) - worker, brokers_cpu(stand) - brokers
        resident = resident_bytes(role.pid)
        expected = together(work.expected, warm_up.expected)
        national, released, _ = settled(stand, expected)
        settled_cpu = cpu_seconds(role.pid) - worker - worker_cpu
    return Run(
        what=agent.what,
        work=work.name,
        observations=len(records),
        absorbed_s=ended - began,
        worker_cpu_s=worker_cpu,
        brokers_cpu_s=broker_cpu,
        settled_cpu_s=settled_cpu,
        resident_bytes=resident,
        batches=0,
        national=without(national, warm_up.expected.distinct, warm_up.expected.sightings),
        released=without(released, warm_up.expected.released, warm_up.expected.released_sightings),
        void=wrong(expected, national, released),
    )


def _as_singles(work: Work) -> list[Sending]:
    """Each observation as a record, to its sensor's partition."""
    return [Sending(shard_of_sensor(sensor, SHARDS), sensor.encode(), value) for sensor, value in singles(work)]
