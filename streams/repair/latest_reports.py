"""The latest report of each sensor that anything may have heard of, from intake's state: where floors begin.

A floor may be too high, which is strict, and never too low: where intake's rows may not be the last, every number that
could have been given until now counts as heard.
"""

from collections.abc import Callable

import msgspec

from exchange.kafka.clients import Cluster, begin_offset
from exchange.kafka.progress import last_progress
from exchange.protocol.changelog import Changelog
from schemas import topics
from schemas.codec import Codec
from streams.correlate.lifecycle import DAY_MS
from streams.intake.ledger import SENSOR
from streams.intake.sequences import Sequences
from streams.intake.step import Intake
from streams.repair.rebuilt_row import AFTER_ALL, ReportNumber


def heard(cluster: Cluster, shards: int, time_ms: int) -> Callable[[str], ReportNumber]:
    """For each sensor the latest report that intake has counted; of one that it does not know, any until ``time_ms``.

    No report has an epoch that is later than its append; the day is for brokers whose clocks run ahead.
    """
    unknown = (time_ms + DAY_MS, AFTER_ALL)
    latest: dict[str, ReportNumber] = {}
    for shard in range(shards):
        latest |= _heard_by(cluster, shard)
    return lambda sensor: latest.get(sensor, unknown)


def _heard_by(cluster: Cluster, shard: int) -> dict[str, ReportNumber]:
    """What one shard of intake has counted; nothing if its changelog has lost its end."""
    topic = topics.changelog(Intake.name)
    changelog = Changelog(cluster, topic, shard, Intake.name)
    latest: dict[str, ReportNumber] = {}
    last = 0
    for rows, batch, _ in changelog.read(begin_offset(cluster, topic, shard)):
        last = max(last, batch)
        for row in rows:
            order = _latest(row.value) if row.key.startswith(SENSOR) and row.value is not None else None
            if order is not None:
                latest[row.key[len(SENSOR) :].decode()] = order
    progress = last_progress(cluster, Intake.name, shard, Codec())
    return latest if progress is not None and last >= progress["batch"] else {}


def _latest(row: bytes) -> ReportNumber | None:
    """The latest report that intake has counted of a sensor; None of one that has only been redriven."""
    epochs = msgspec.msgpack.decode(row, type=Sequences).epochs
    return (epochs[-1].epoch, epochs[-1].intervals[-1][1]) if epochs else None
