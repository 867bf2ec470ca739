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
from schemas.codec import Codec
from streams.correlate.lifecycle import DAY_MS
from streams.intake.ledger import SENSOR
from streams.intake.sequences import Sequences
from streams.intake.step import Intake
from streams.repair.rebuilt_row import AFTER_ALL, ReportNumber


def latest_report_of(cluster: Cluster, shards: int, time_ms: int) -> Callable[[str], ReportNumber]:
    """For each sensor the latest report that intake has counted; for an unknown sensor, any until ``time_ms``.

    No report has an epoch that is later than its append; the day is a margin for brokers whose clocks are ahead.
    """
    unknown = (time_ms + DAY_MS, AFTER_ALL)
    latest: dict[str, ReportNumber] = {}
    for shard in range(shards):
        latest |= _counted_by(cluster, shard)
    return lambda sensor: latest.get(sensor, unknown)


def _counted_by(cluster: Cluster, shard: int) -> dict[str, ReportNumber]:
    """The reports that one shard of intake has counted; empty if the end of its changelog is lost."""
    topic = topics.changelog(Intake.name)
    changelog = Changelog(cluster, topic, shard, Intake.name)
    latest: dict[str, ReportNumber] = {}
    last = 0
    for rows, batch, _ in changelog.read(begin_offset(cluster, topic, shard)):
        last = max(last, batch)
        for row in rows:
            order = latest_in(row.value) if row.key.startswith(SENSOR) and row.value is not None else None
            if order is not None:
                latest[row.key[len(SENSOR) :].decode()] = order
    progress = last_progress(cluster, Intake.name, shard, Codec())
    return latest if progress is not None and last >= progress["batch"] else {}


def latest_in(row: bytes) -> ReportNumber | None:
    """The latest report that a row of intake has counted of its sensor; None if all of them were redriven.

    Of a sensor with several epochs it is any report of the newest one: in an epoch that is not its source's first, no
    report loosens a marking unless it is authenticated, and a rebuilt row does not know the first (``_vouched``).
    """
    epochs = msgspec.msgpack.decode(row, type=Sequences).epochs
    if not epochs:
        return None
    return epochs[-1].epoch, AFTER_ALL if len(epochs) > 1 else epochs[-1].intervals[-1][1]
