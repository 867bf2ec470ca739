"""Rebuilds a shard whose changelog or source was lost, and says what does not come back: one command for every step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exchange.errors import Refused
from exchange.kafka.clients import Cluster
from exchange.protocol.rebuild import BrokenShard, Loss
from exchange.protocol.record import Position, RowChange
from exchange.settings import Settings
from schemas import topics
from streams.correlate import step as correlate
from streams.intake import step as intake
from streams.receive import step as receive
from streams.repair.rows import IntakeRows, ReceiveRows, Rows, SettleRows, Tally
from streams.settle import step as settle


@dataclass(frozen=True, slots=True)
class Report:
    """What was, or would be, done with a shard. ``position`` is None where nothing was written."""

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
    """Rebuild one shard, or with ``dry_run`` only say what would be.

    Raises Refused where nothing is wrong, NotFound where a topic is missing, ProducerFenced where a worker interferes.
    """
    if not 0 <= shard < settings.shards:
        raise Refused(f"--shard {shard}: {cluster.nation} has the shards 0 to {settings.shards - 1}")
    reads, state_format, make_rows = _step(step, cluster, settings)
    broken = BrokenShard(cluster, step, shard, reads, state_format)
    try:
        if not dry_run:
            broken.fence()
        damage = broken.examine(resume_at)
        tally, position = Tally(), None
        sources: tuple[str, ...] = ()
        changes: Iterator[RowChange] = iter(())
        if not damage.rows_are_whole:
            rows = make_rows()
            if not rows.sources:
                damage = broken.again(damage)
            sources, changes = rows.sources or reads, rows.rows(broken, damage, tally)
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


def _step(step: str, cluster: Cluster, settings: Settings) -> tuple[tuple[str, ...], int, Callable[[], Rows]]:
    """What the step reads, the format of its state, and how its rows are made again."""
    nation, partners = cluster.nation, settings.partners(cluster.nation)
    folder = settings.state / nation
    if step == intake.Intake.name:
        return (topics.SENSOR_REPORTS,), intake.STATE_FORMAT, lambda: IntakeRows(nation, settings)
    if step == correlate.Correlate.name:

        def load() -> Rows:
            from streams.repair.correlate import CorrelateRows  # it loads the policy and all enrichment

            return CorrelateRows.load(cluster, settings, folder)

        return (topics.OBSERVATIONS, topics.COMMANDS), correlate.STATE_FORMAT, load
    for partner in partners:
        if step == f"receive.{partner}":
            reads = (topics.inbox(partner), topics.urgent_inbox(partner))
            return reads, receive.STATE_FORMAT, lambda partner=partner: ReceiveRows(partner, folder)
        if step == topics.settle_step(partner):
            told = (topics.released(partner), topics.partner_receipts(partner), topics.accepted(partner))
            return told, settle.STATE_FORMAT, SettleRows
    steps = [name for partner in partners for name in (f"receive.{partner}", topics.settle_step(partner))]
    raise Refused(f"--step {step}: the steps that have a state are {', '.join(['intake', 'correlate', *steps])}")
