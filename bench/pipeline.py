"""(b) This pipeline: ``kakehashi streams``, one worker process or more, fed with sensor reports."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from bench.outcome import Following, Outcome, without, wrong
from bench.progress import StepProgress
from bench.publish import Publisher, Sending, encoded, per_partition
from bench.role import Role, cpu_seconds, resident_bytes
from bench.run import Run
from bench.stand import HOME, PARTNER, ROLL_UP_MS, Stand
from bench.workload import Expected, Shape, Work, generate
from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR

_DONE_S: Final = 600.0
WARM_UP: Final = Shape(4_000, 2, seed=999_983)


def measure(stand: Stand, work: Work, epoch_ms: int, workers: int = 1) -> Run:
    """Run the work through so many workers, from empty topics; what they use is added up."""
    stand.refresh()
    publisher = Publisher(stand.home)
    warm_up = generate(WARM_UP, nation=HOME, epoch_ms=epoch_ms, sensor_prefix="warm-up")
    records = encoded(work)
    with ExitStack() as running:
        roles = [running.enter_context(streams_worker(stand, number)) for number in range(workers)]
        before = encoded(warm_up)
        publisher.publish(before)
        absorb(stand, roles[0], before)
        brokers, worker = brokers_cpu(stand), _cpu(roles)
        began = time.monotonic()
        publisher.publish(records)
        ended, batches = absorb(stand, roles[0], [*before, *records])
        worker_cpu, broker_cpu = _cpu(roles) - worker, brokers_cpu(stand) - brokers
        resident = sum(resident_bytes(role.pid) for role in roles)
        expected = together(work.expected, warm_up.expected)
        national, released, doubles = settled(stand, expected)
        settled_cpu = _cpu(roles) - worker - worker_cpu
    void = wrong(expected, national, released)
    return Run(
        what="pipeline" if workers == 1 else f"pipeline, {workers} workers",
        work=work.name,
        observations=work.observations,
        absorbed_s=ended - began,
        worker_cpu_s=worker_cpu,
        brokers_cpu_s=broker_cpu,
        settled_cpu_s=settled_cpu,
        resident_bytes=resident,
        batches=batches,
        national=without(national, warm_up.expected.distinct, warm_up.expected.sightings),
        released=without(released, warm_up.expected.released, warm_up.expected.released_sightings),
        void=void or (f"{doubles} (key, version) stand twice" if doubles else ""),
    )


def streams_worker(stand: Stand, number: int) -> Role:
    """One of the group, ready: it has the shards that it is to have until another one joins."""
    environment = stand.environment(KAKEHASHI_STATE=str(stand.folder / "state" / str(number)))
    role = Role.start("streams", ["kakehashi", "streams", "--nation", HOME], environment, stand.folder)
    role.await_ready()
    return role


def _cpu(roles: Sequence[Role]) -> float:
    return sum(cpu_seconds(role.pid) for role in roles)


def absorb(stand: Stand, role: Role, sent: Sequence[Sending]) -> tuple[float, int]:
    """Wait until intake and correlate have committed all that was sent; when that was, and correlate's batches."""
    intake = StepProgress(stand.home, "intake", topics.SENSOR_REPORTS)
    correlate = StepProgress(stand.home, "correlate", topics.OBSERVATIONS)
    try:
        intake.await_offsets(per_partition(sent), role, _DONE_S)
        ended = correlate.await_end(stand.home, role, _DONE_S)
        return ended, correlate.batches
    finally:
        intake.close()
        correlate.close()


def settled(stand: Stand, expected: Expected) -> tuple[Outcome, Outcome, int]:
    """The totals of the national and released topics after the roll-ups, and the number of duplicates."""
    national = Following(stand.home, topics.NATIONAL, INDICATOR)
    released = Following(stand.home, topics.released(PARTNER), RELEASED_INDICATOR)
    try:
        wait_s = 3 * ROLL_UP_MS / 1000 + 30
        outcome = national.until(lambda found: found.sightings >= expected.sightings, wait_s)
        # A partner's roll-up has a clock of its own: it counts from the latest release to that partner.
        wanted = expected.released_sightings
        if wanted is None:
            other = released.until_quiet(1.5 * ROLL_UP_MS / 1000)
        else:
            other = released.until(lambda found: found.sightings >= wanted, wait_s)
        return outcome, other, national.doubles + released.doubles
    finally:
        national.close()
        released.close()


def together(one: Expected, other: Expected) -> Expected:
    """Both works' outcome; they have no indicator in common."""
    known = one.released is not None and other.released is not None
    return replace(
        one,
        distinct=one.distinct + other.distinct,
        sightings=one.sightings + other.sightings,
        released=(one.released or 0) + (other.released or 0) if known else None,
        released_sightings=(one.released_sightings or 0) + (other.released_sightings or 0) if known else None,
    )


def brokers_cpu(stand: Stand) -> float:
    """Processor time that the brokers have used so far, if they are ours."""
    return sum(cpu_seconds(pid) for pid in stand.broker_pids().values())
