"""The latest report of each sensor that may have been counted, from intake's state: marking floors hold up to it.

A floor may be too high, which is strict, and never too low: if intake's rows may not be the last ones, every number
that a sensor could have used until now is taken as counted.
"""

from collections.abc import Callable

import msgspec

from exchange.kafka.clients import Cluster, begin_offset
from exchange.kafka.progress import last_progress
from exchange.protocol.changelog import Changelog
from schemas import topics
from streams.correlate.lifecycle import DAY_MS
from streams.intake.ledger import SENSOR
from streams.intake.sequences import Sequences
from streams.intake.step import Intake
from streams.repair.rebuilt_row import Counted


def latest_report_of(cluster: Cluster, shards: int, time_ms: int) -> Callable[[str], Counted]:
    """For each sensor the latest report that intake has counted; for an unknown sensor, any until ``time_ms``.

    No report has an epoch that is later than its append; the day is a margin for brokers whose clocks are ahead.
    """
    unknown = Counted(time_ms + DAY_MS)
    latest: dict[str, Counted] = {}
    for shard in range(shards):
        latest |= _counted_by(cluster, shard)
    return lambda sensor: latest.get(sensor, unknown)


def _counted_by(cluster: Cluster, shard: int) -> dict[str, Counted]:
    """The reports that one shard of intake has counted; empty if the end of its changelog is lost."""
    topic = topics.changelog(Intake.name)
    changelog = Changelog(cluster, topic, shard, Intake.name)
    latest: dict[str, Counted] = {}
    last = 0
    for rows, batch, _ in changelog.read(begin_offset(cluster, topic, shard)):
        last = max(last, batch)
        for row in rows:
            order = latest_in(row.value) if row.key.startswith(SENSOR) and row.value is not None else None
            if order is not None:
                latest[row.key[len(SENSOR) :].decode()] = order
    progress = last_progress(cluster, Intake.name, shard, cluster.codec())
    return latest if progress is not None and last >= progress["batch"] else {}


def latest_in(row: bytes) -> Counted | None:
    """What a row of intake has counted of its sensor; None if all of its reports were redriven.

    Its first epoch is known if there is only one. Of a sensor with several the latest is any report of the newest:
    in an epoch that may not be its source's first, only an authenticated report loosens a marking (``Assertion``).
    """
    known = msgspec.msgpack.decode(row, type=Sequences)
    if not known.epochs:
        return None
    newest = known.epochs[-1]
    if len(known.epochs) > 1 or known.lacks_epochs:
        return Counted(newest.epoch)
    return Counted(newest.epoch, newest.intervals[-1][1], newest.epoch)
