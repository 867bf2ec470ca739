"""How much work each part of a run gets, from how long the whole may take. Pure."""

from dataclasses import dataclass, field
from typing import Final

from bench.workload import Shape, Spread

PARTS: Final = (
    "throughput",
    "recorded",
    "stages",
    "batches",
    "idle",
    "bridge",
    "hops",
    "latency",
    "recalls",
    "state",
    "decisions",
    "rules",
    "picture",
    "outputs",
    "intelmq",
    "taxii",
    "readers",
)
DEFAULT_MINUTES: Final = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes. ``plain_part`` is the plain agent's share of the pipeline's observations: it takes as long for it."""

    observations: int
    rounds: int
    seed: int
    plain_part: float = 0.05
    recorded: int = 40_000
    recorded_again: int = 150_000
    stages: int = 200_000
    idle_s: float = 60.0
    bridge: int = 100_000
    hops: int = 200_000
    latency_s: float = 15.0
    loads: tuple[float, ...] = (0.1, 0.5, 0.8)
    states: tuple[int, ...] = (100_000, 1_000_000, 10_000_000)
    decisions: int = 100_000
    released: int = 100_000
    picture: int = 1_000_000
    outputs: int = 1_000_000
    held: int = 100_000
    changes_per_s: int = 1_000
    changes_s: float = 30.0
    intelmq: int = 20_000
    taxii: int = 100_000
    medallion: int = 2_000
    records: int = 300_000
    readings: int = 3
    parts: tuple[str, ...] = field(default=PARTS)

    def pipeline_shapes(self) -> list[tuple[Shape, bool]]:
        """The pipeline's work, and whether it runs in every round (the others once)."""
        n = self.observations
        return [
            (Shape(n, 10, Spread.ANY, self.seed), True),
            (Shape(n, 10, Spread.SAME, self.seed), True),
            (Shape(n // 2, 1, Spread.ANY, self.seed), False),
            (Shape(n, 100, Spread.ANY, self.seed), False),
        ]

    def plain_shape(self, shape: Shape) -> Shape:
        """The same work for the plain agent, smaller: whole rounds, and each indicator as often."""
        distinct = max(1, round(shape.distinct * self.plain_part))
        return Shape(distinct * shape.repetition, shape.repetition, shape.spread, shape.seed)


def plan_for(minutes: float, *, observations: int | None, rounds: int | None, seed: int) -> Plan:
    """The plan for a run of about so many minutes on two cores."""
    part = minutes / DEFAULT_MINUTES
    return Plan(
        observations=observations or max(20_000, int(300_000 * part)),
        rounds=rounds or max(1, round(2 * part)),
        seed=seed,
        recorded=max(5_000, int(40_000 * min(1.0, part))),
        recorded_again=max(10_000, int(150_000 * min(1.0, part))),
        stages=max(20_000, int(200_000 * min(1.0, part))),
        idle_s=max(10.0, 60.0 * min(1.0, part)),
        bridge=max(10_000, int(100_000 * part)),
        hops=max(20_000, int(200_000 * part)),
        latency_s=max(3.0, 15.0 * part),
        states=(100_000, 1_000_000, 10_000_000) if part >= 1 else (100_000,),
        decisions=max(10_000, int(100_000 * min(1.0, part))),
        released=max(10_000, int(100_000 * min(1.0, part))),
        outputs=max(50_000, int(1_000_000 * min(1.0, part))),
        held=max(20_000, int(100_000 * min(1.0, part))),
        changes_s=max(10.0, 30.0 * min(1.0, part)),
        intelmq=max(5_000, int(20_000 * min(1.0, part))),
        taxii=max(10_000, int(100_000 * min(1.0, part))),
        records=max(50_000, int(300_000 * min(1.0, part))),
    )
