"""What a sighting costs by how many sensors have reported the same indicator: intake and correlate, without Kafka."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.batch_sizes import timed
from bench.stand import HOME
from bench.steps import Steps, batches
from bench.workload import Expected, Work, observation
from producers.report import report_of

SIGHTINGS: Final = 20_000
_REPORTS: Final = 50  # of a shard in one batch


def measure(counts: Sequence[int], seed: int, epoch_ms: int) -> list[dict[str, Any]]:
    """Microseconds of processor time for a sighting, by the number of sensors. Each has one work of its own."""
    return [_one(count, seed, epoch_ms) for count in counts]


def _one(sensors: int, seed: int, epoch_ms: int) -> dict[str, Any]:
    work = sightings(sensors, SIGHTINGS, seed, epoch_ms)
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as folder:
        both = Steps(Path(folder), epoch_ms)
        spent = timed(both, batches(work, epoch_ms, _REPORTS), 1)
        both.close()
    return {"sensors": sensors, "sightings": work.observations, **spent.per(work.observations)}


def sightings(sensors: int, count: int, seed: int, epoch_ms: int) -> Work:
    """One indicator, a report for each sighting: every sensor sees it equally often, in an order of its own."""
    dice, reports = random.Random(seed), []
    numbers = list(range(sensors))
    for again in range(count // sensors):
        dice.shuffle(numbers)
        for sensor in numbers:
            reports.append(
                report_of(
                    [observation(seed, 0, again, epoch_ms)],
                    nation=HOME,
                    sensor=f"many-{sensor:04d}",
                    epoch=epoch_ms,
                    sequence=again,
                    produced_at_ms=epoch_ms,
                    tool="bench",
                )
            )
    return Work(f"{sensors} sensors", tuple(reports), len(reports), Expected(1, len(reports), None, None))
