"""The cost of an observation by the size of a batch: intake and correlate in this process, without Kafka."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.stand import HOME
from bench.steps import Steps, batches
from bench.workload import REPORT_SIZE, Shape, generate
from exchange.protocol.record import Record

REPORTS: Final = (1, 2, 5, 10, 20, 50)  # of a shard in one batch
REPORT_SIZES: Final = (10, REPORT_SIZE)  # observations
_PER_MS: Final = 3  # observations that arrive meanwhile, so that roll-ups fall due as under load


def measure(shape: Shape, epoch_ms: int) -> list[dict[str, Any]]:
    """Microseconds of processor time for an observation, for each size of a report and of a batch."""
    return [_one(shape, epoch_ms, size, reports) for size in REPORT_SIZES for reports in REPORTS]


def _one(shape: Shape, epoch_ms: int, report_size: int, reports: int) -> dict[str, Any]:
    work = generate(shape, nation=HOME, epoch_ms=epoch_ms, report_size=report_size)
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as folder:
        both = Steps(Path(folder), epoch_ms)
        spent = timed(both, batches(work, epoch_ms, reports), report_size)
        both.close()
    return {"report_size": report_size, "reports": reports, "turns": spent.turns, **spent.per(work.observations)}


@dataclass
class Spent:
    """Processor time of both steps in seconds, and its result."""

    intake_s: float = 0.0
    correlate_s: float = 0.0
    turns: int = 0
    outputs: int = 0

    def per(self, observations: int) -> dict[str, float]:
        """For an observation."""
        return {
            "intake_us": round(self.intake_s / observations * 1e6, 2),
            "correlate_us": round(self.correlate_s / observations * 1e6, 2),
            "outputs_per_observation": round(self.outputs / observations, 2),
        }


def timed(both: Steps, work: Iterable[dict[int, list[Record]]], report_size: int) -> Spent:
    """Run these batches of reports through both steps."""
    spent = Spent()
    for batch in work:
        spent.turns += 1
        both.now_ms += report_size * sum(map(len, batch.values())) // _PER_MS
        began = time.thread_time()
        blocks = [block for shard, records in batch.items() for block in both.intake(shard, records)]
        halfway = time.thread_time()
        spent.outputs += both.correlate(blocks)
        spent.intake_s += halfway - began
        spent.correlate_s += time.thread_time() - halfway
    return spent


def times_backlog(data: Any) -> Iterator[tuple[int, float]]:
    """For each size of a report: how many times an observation costs with one of them in a batch, of with the most."""
    for size in sorted({entry["report_size"] for entry in data}):
        costs = {entry["reports"]: whole_us(entry) for entry in data if entry["report_size"] == size}
        yield size, round(costs[min(costs)] / costs[max(costs)], 2)


def whole_us(entry: Any) -> float:
    """Both steps together."""
    return float(entry["intake_us"] + entry["correlate_us"])


def record_us(entry: Any) -> float:
    """Both steps together, for each record that correlate writes."""
    return whole_us(entry) / float(entry["outputs_per_observation"])
