"""Measures (a): feeds the plain agent with single observations, and waits until its changelog holds all of them."""

import time
from typing import Final

from bench.agent_stages import KEYED, SOURCE
from bench.outcome import without, wrong
from bench.pipeline import brokers_cpu, settled, together
from bench.plain_agent import TABLE
from bench.publish import Sending, publish
from bench.role import Role, cpu_seconds, resident_bytes
from bench.run import Run
from bench.single import singles
from bench.stand import HOME, ROLL_UP_MS, SHARDS, Stand, ensure
from bench.workload import Shape, Work, generate
from exchange.errors import BrokerUnavailable, FatalError
from exchange.kafka.clients import Cluster, end_offset
from schemas import topics
from schemas.identity import shard_of_sensor
from schemas.topics import Topic

_DONE_S: Final = 300.0
WARM_UP: Final = Shape(400, 2, seed=999_983)
_POLL_S: Final = 0.1


def measure(stand: Stand, work: Work, epoch_ms: int) -> Run:
    """Run the work through one plain agent, from empty topics."""
    stand.refresh()
    ensure(stand.home, [Topic(SOURCE, "sensor", SHARDS), Topic(KEYED, "indicator key", SHARDS)])
    warm_up = generate(WARM_UP, nation=HOME, epoch_ms=epoch_ms, sensor_prefix="warm-up")
    records, before = as_singles(work), as_singles(warm_up)
    name = f"bench-{time.time_ns()}"
    arguments = ["bench.plain_agent", "--bootstrap", stand.home.bootstrap, "--name", name]
    arguments += ["--datadir", str(stand.folder / "plain"), "--roll-up-ms", str(ROLL_UP_MS)]
    changelog = f"{name}-{TABLE}-changelog"
    with Role.start("plain", arguments, stand.environment(), stand.folder) as role:
        publish(stand.home, before, SOURCE)
        _absorb(stand.home, role, changelog, len(before))
        brokers, worker = brokers_cpu(stand), cpu_seconds(role.pid)
        began = time.monotonic()
        publish(stand.home, records, SOURCE)
        ended = _absorb(stand.home, role, changelog, len(before) + len(records))
        worker_cpu, broker_cpu = cpu_seconds(role.pid) - worker, brokers_cpu(stand) - brokers
        resident = resident_bytes(role.pid)
        expected = together(work.expected, warm_up.expected)
        national, released, _ = settled(stand, expected)
        settled_cpu = cpu_seconds(role.pid) - worker - worker_cpu
    return Run(
        what="plain Faust agent",
        work=work.name,
        observations=len(records),
        absorbed_s=ended - began,
        worker_cpu_s=worker_cpu,
        brokers_cpu_s=broker_cpu,
        settled_cpu_s=settled_cpu,
        resident_bytes=resident,
        batches=len(records),
        national=without(national, warm_up.expected.distinct, warm_up.expected.sightings),
        released=without(released, warm_up.expected.released, warm_up.expected.released_sightings),
        void=wrong(expected, national, released),
    )


def as_singles(work: Work) -> list[Sending]:
    """Each observation as a record, to its sensor's partition."""
    return [Sending(shard_of_sensor(sensor, SHARDS), sensor.encode(), value) for sensor, value in singles(work)]


def _absorb(cluster: Cluster, role: Role, changelog: str, records: int) -> float:
    """Wait until the table's changelog and quarantine have one record for each of ``records``; when that was.

    Each record writes its row once, after its outputs were handed to the same producer, or is refused.
    """
    kept = (changelog, topics.QUARANTINE)
    deadline = time.monotonic() + _DONE_S
    while True:
        role.check()
        try:
            found = sum(end_offset(cluster, topic, shard) for topic in kept for shard in range(SHARDS))
        except BrokerUnavailable:
            found = 0  # the agent makes its changelog topic itself, when it starts
        if found >= records:
            return time.monotonic()
        if time.monotonic() > deadline:
            raise FatalError(f"the plain agent has done {found} of {records} records:\n{role.log_tail()}")
        time.sleep(_POLL_S)
