"""What a run measures, how much of it, and for how long at most. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.workload import Shape, Spread

DEFAULT_MINUTES: Final = 40
SECONDS: Final[Mapping[str, int]] = {
    "idle": 90,
    "throughput": 240,
    "hops": 20,
    "latency": 540,
    "stages": 10,
    "batches": 40,
    "sensors": 10,
    "skew": 40,
    "state": 260,
    "bridge": 290,
    "recalls": 40,
    "decisions": 10,
    "rules": 40,
    "recorded": 155,
    "quix": 45,
    "intelmq": 60,
    "picture": 75,
    "outputs": 180,
    "taxii": 60,
    "readers": 175,
    "long": 1280,
}
"""The parts in their order, what decides first, and how long each takes on two idle cores in a run of 40 minutes, if of
the rates that ``latency`` and ``long`` try for minutes one does not hold."""
APART: Final = ("long",)  # measured if they are asked for
PARTS: Final = tuple(SECONDS)
_BOUND: Final = 2.5  # so many times as long may a part take, then it is stopped
_WRITTEN: Final = 200_000  # indicators in each output, in a run of all parts
_START_S: Final = 60  # of brokers and workers: as long in a short run
_FIND_S: Final[Mapping[str, int]] = {"latency": 240, "long": 240}  # and so is the search for the rate that is sustained


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes. ``plain_part`` is the plain agent's share of the pipeline's observations: it takes as long for it."""

    observations: int
    rounds: int
    seed: int
    share: float = 1.0
    new: int = 60_000
    plain_part: float = 0.05
    recorded: int = 15_000
    recorded_again: int = 30_000
    stages: int = 100_000
    batches: int = 40_000
    sensors: tuple[int, ...] = (40, 400, 4_000)
    idle_s: float = 40.0
    bridge: int = 50_000
    bridge_rounds: int = 1
    hops: int = 100_000
    latency_s: float = 10.0
    loads: tuple[float, ...] = (0.1, 0.5, 0.8, 0.95)
    probe_s: float = 10.0
    held_minutes: int = 2
    long_s: float = 600.0
    states: tuple[int, ...] = (1_000_000, 10_000_000)
    decisions: int = 100_000
    released: int = 100_000
    picture: int = 1_000_000
    outputs: int = _WRITTEN
    held: int = 100_000
    changes_per_s: int = 1_000
    changes_s: float = 30.0
    intelmq: int = 10_000
    quix: int = 6_000
    taxii: int = 100_000
    medallion: int = 2_000
    records: int = 300_000
    readings: int = 3
    parts: tuple[str, ...] = tuple(part for part in PARTS if part not in APART)

    def bound_s(self, part: str) -> float:
        """So long may a part take."""
        larger = max(1.0, self.outputs / _WRITTEN) if part == "outputs" else 1.0
        return _START_S + _FIND_S.get(part, 0) + _BOUND * SECONDS[part] * max(self.share, 0.1) * larger

    def pipeline_shapes(self) -> list[tuple[Shape, bool]]:
        """The pipeline's work, and whether it runs in every round, with two workers besides (the others once)."""
        n = self.observations
        return [
            (Shape(n, 10, Spread.ANY, self.seed), True),
            (Shape(n, 10, Spread.SAME, self.seed), True),
            (Shape(self.new, 1, Spread.ANY, self.seed), False),
            (Shape(n, 100, Spread.ANY, self.seed), False),
        ]

    def plain_shape(self, shape: Shape) -> Shape:
        """The same work for the plain agent, smaller: whole rounds, and each indicator as often."""
        distinct = max(1, round(shape.distinct * self.plain_part))
        return Shape(distinct * shape.repetition, shape.repetition, shape.spread, shape.seed)


def plan_for(minutes: float, *, observations: int | None, rounds: int | None, seed: int) -> Plan:
    """The plan for a run of about so many minutes on two cores."""
    part = min(1.0, minutes / DEFAULT_MINUTES)
    return Plan(
        observations=observations or max(20_000, int(120_000 * part)),
        rounds=rounds or 1,
        seed=seed,
        share=part,
        new=max(10_000, int(60_000 * part)),
        recorded=max(5_000, int(15_000 * part)),
        recorded_again=max(10_000, int(30_000 * part)),
        stages=max(20_000, int(100_000 * part)),
        batches=max(10_000, int(40_000 * part)),
        idle_s=max(10.0, 40.0 * part),
        bridge=max(10_000, int(50_000 * part)),
        hops=max(20_000, int(100_000 * part)),
        latency_s=max(5.0, 10.0 * part),
        probe_s=max(5.0, 10.0 * part),
        held_minutes=max(1, round(2 * part)),
        long_s=max(60.0, 600.0 * part),
        states=(1_000_000, 10_000_000) if part >= 1 else (100_000,),
        decisions=max(10_000, int(100_000 * part)),
        released=max(10_000, int(100_000 * part)),
        picture=max(50_000, int(1_000_000 * part)),
        outputs=max(50_000, int(_WRITTEN * part)),
        held=max(20_000, int(100_000 * part)),
        changes_s=max(10.0, 30.0 * part),
        intelmq=max(5_000, int(10_000 * part)),
        quix=max(2_000, int(6_000 * part)),
        taxii=max(10_000, int(100_000 * part)),
        records=max(50_000, int(300_000 * part)),
        readings=3 if part >= 1 else 1,
    )
