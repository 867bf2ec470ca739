"""Rebuilds a shard whose changelog or source was lost, and reports losses: one command for every step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exchange.errors import Refused
from exchange.kafka.clients import Cluster
from exchange.protocol.rebuild import BrokenShard, Loss
from exchange.protocol.record import Position, RowChange
from exchange.settings import Settings
from schemas.topics import StepKind, StreamsStep, streams_steps
from streams.repair.rows import IntakeRows, ReceiveRows, Rows, SettleRows, Tally
from streams.steps import STATE_FORMATS


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a rebuild, or of its dry run. ``position`` is None if nothing was written."""

    shard: str
    found: tuple[str, ...]
    sources: tuple[str, ...]
    kept: int
    rebuilt: int
    resumes: str
    lost: tuple[Loss, ...]
    position: Position | None


def rebuild(
    cluster: Cluster,
    step: str,
    shard: int,
    settings: Settings,
    *,
    dry_run: bool,
    resume_at: int | None,
    now_ms: Callable[[], int],
) -> Report:
    """Rebuild one shard, or with ``dry_run`` only report what it would do.

    Raises Refused if nothing is wrong, NotFound if a topic is missing, ProducerFenced if a worker interferes.
    """
    if not 0 <= shard < settings.shards:
        raise Refused(f"--shard {shard}: {cluster.nation} has the shards 0 to {settings.shards - 1}")
    found = step_of(step, settings.partners(cluster.nation))
    broken = BrokenShard(cluster, found.name, shard, found.inputs, STATE_FORMATS[found.kind])
    try:
        if not dry_run:
            broken.fence()
        damage = broken.examine(resume_at)
        tally, position = Tally(), None
        sources: tuple[str, ...] = ()
        changes: Iterator[RowChange] = iter(())
        if not damage.rows_are_whole:
            rows = _rows(found, cluster, settings)
            if not rows.sources:
                damage = broken.again(damage)
            sources, changes = rows.sources or found.inputs, rows.rows(broken, damage, tally)
        if dry_run:
            for _ in changes:
                pass
        else:
            position = broken.take_over(damage, changes, now_ms())
    finally:
        broken.close()
    return Report(
        broken.name,
        damage.found,
        sources,
        tally.kept,
        tally.rebuilt,
        ", ".join(f"{topic}-{shard} at offset {offset}" for topic, offset in damage.next_offsets.items()),
        (*damage.lost, *tally.losses()),
        position,
    )


def step_of(step: str, partners: Sequence[str]) -> StreamsStep:
    """The step of this name. Raises Refused if there is none."""
    steps = {each.name: each for each in streams_steps(partners)}
    if step not in steps:
        raise Refused(f"--step {step}: the steps that have a state are {', '.join(steps)}")
    return steps[step]


def _rows(step: StreamsStep, cluster: Cluster, settings: Settings) -> Rows:
    """The rebuild of a step's rows."""
    folder = settings.state / cluster.nation
    match step.kind:
        case StepKind.INTAKE:
            return IntakeRows(cluster, settings)
        case StepKind.CORRELATE:
            from streams.repair.correlate import CorrelateRows  # it loads the policy and all enrichment

            return CorrelateRows.load(cluster, settings, folder)
        case StepKind.RECEIVE:
            return ReceiveRows(cluster, step.partner, folder)
        case StepKind.SETTLE:
            return SettleRows()
