"""Brings a shard back that has worked at a time which had not come, because its clock and its broker's were both wrong.

One transaction, as in a rebuild: position and rows. Records that are read again after it give the same result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exchange.errors import Refused
from exchange.kafka.broker_time import BrokerTime
from exchange.kafka.clients import Cluster
from exchange.protocol.rebuild import BrokenShard
from exchange.protocol.record import RowChange
from exchange.settings import Settings
from exchange.witnessed_clock import TOLERANCE_MS
from schemas.topics import StepKind, StreamsStep
from streams.blocks import KEY_BYTES
from streams.correlate import row as rows_of
from streams.repair.put_back import put_back
from streams.repair.rebuild import step_of
from streams.repair.scratch import Scratch
from streams.steps import STATE_FORMATS


@dataclass(frozen=True, slots=True)
class TimeReport:
    """By how many milliseconds the shard was ahead, how many rows are looked at again, and the batch that was written;
    None in a dry run."""

    shard: str
    ahead_ms: int
    rows: int
    batch: int | None


def broker_agrees(cluster: Cluster) -> int:
    """The time in milliseconds. Raises Refused if this machine and the broker differ: then no one knows the time."""
    broker = BrokerTime(cluster)
    broker.look()
    ahead_ms = broker.clock.ahead_ms()
    if abs(ahead_ms) > TOLERANCE_MS:
        raise Refused(
            f"this machine is {ahead_ms / 1000:+.1f} s from {cluster.nation}'s broker: synchronise both clocks first"
        )
    return broker.clock()


def reset_time(
    cluster: Cluster,
    step: str,
    shard: int,
    settings: Settings,
    *,
    dry_run: bool,
    now_ms: Callable[[Cluster], int] = broker_agrees,
) -> TimeReport:
    """Set the shard's time to now, or with ``dry_run`` only report it.

    Raises Refused if the shard is not ahead or the clocks differ, ProducerFenced if a worker interferes.
    """
    if not 0 <= shard < settings.shards:
        raise Refused(f"--shard {shard}: {cluster.nation} has the shards 0 to {settings.shards - 1}")
    found, time_ms = step_of(step, settings.partners(cluster.nation)), now_ms(cluster)
    broken = BrokenShard(cluster, found.name, shard, found.inputs, STATE_FORMATS[found.kind])
    try:
        if not dry_run:
            broken.fence()
        ahead_ms = broken.time_ms() - time_ms
        if ahead_ms <= TOLERANCE_MS:
            raise Refused(f"{broken.name} is not ahead: its time is {ahead_ms / 1000:+.1f} s from the broker's")
        with Scratch(settings.state / cluster.nation) as scratch:
            rows = list(_rows(found, broken, scratch, time_ms))
        batch = None if dry_run else broken.put_back(rows, time_ms, from_nothing=found.kind is StepKind.SETTLE)
    finally:
        broken.close()
    return TimeReport(broken.name, ahead_ms, len(rows), batch)


def _rows(step: StreamsStep, broken: BrokenShard, scratch: Scratch, time_ms: int) -> Iterator[RowChange]:
    """The rows of correlate, each to be looked at again. Settle reads its topics again; the others know no time."""
    if step.kind is not StepKind.CORRELATE:
        return
    for rows in broken.rows():
        scratch.put((row.key, row.value) for row in rows)
    for key, value in scratch.items(b""):
        if len(key) == KEY_BYTES:
            yield RowChange(key, rows_of.encode(put_back(rows_of.decode(value), time_ms)), time_ms)
