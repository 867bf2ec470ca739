"""The cost of a sighting by how many sensors have reported the same indicator: intake and correlate, without Kafka."""

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

SIGHTINGS: Final = 8_000
_REPORTS: Final = 10  # of a shard in one batch: so few that most are of different sensors, however few there are


def measure(counts: Sequence[int], seed: int, epoch_ms: int) -> list[dict[str, Any]]:
    """Microseconds of processor time for a sighting, by the number of sensors, once each of them has seen it."""
    return [_one(count, seed, epoch_ms) for count in counts]


def _one(sensors: int, seed: int, epoch_ms: int) -> dict[str, Any]:
    first, work = sightings(sensors, sensors, seed, epoch_ms), sightings(sensors, SIGHTINGS, seed, epoch_ms, again=1)
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as folder:
        both = Steps(Path(folder), epoch_ms)
        timed(both, batches(first, epoch_ms, _REPORTS), 1)
        spent = timed(both, batches(work, epoch_ms, _REPORTS), 1)
        both.close()
    return {"sensors": sensors, "sightings": work.observations, **spent.per(work.observations)}


def sightings(sensors: int, count: int, seed: int, epoch_ms: int, again: int = 0) -> Work:
    """One indicator, a report for each sighting: every sensor sees it equally often, in an order of its own, and before
    as often as ``again``."""
    dice, reports = random.Random(seed), []
    numbers = list(range(sensors))
    for sequence in range(again, again + count // sensors):
        dice.shuffle(numbers)
        for sensor in numbers:
            reports.append(
                report_of(
                    [observation(seed, 0, sequence, epoch_ms)],
                    nation=HOME,
                    sensor=f"many-{sensor:04d}",
                    epoch=epoch_ms,
                    sequence=sequence,
                    produced_at_ms=epoch_ms,
                    tool="bench",
                )
            )
    return Work(f"{sensors} sensors", tuple(reports), len(reports), Expected(1, len(reports), None, None))
