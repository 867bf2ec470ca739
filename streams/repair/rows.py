"""Rebuilds the rows of intake, receive and settle from their topics.

Receive loses nothing: the version floors are in the records that it accepted. Settle begins again: all its rows come
from topics that keep the latest record of each key. Intake counts again the reports that its topic still holds. If some
are missing, every number below a sensor's highest is closed: late reports are then refused and quarantined, and never
counted twice.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, cast

import msgspec

from exchange.authority.roster import load_roster
from exchange.kafka.clients import Cluster
from exchange.protocol.rebuild import BrokenShard, Damage, Loss
from exchange.protocol.record import Record, RowChange
from exchange.settings import Settings
from schemas import topics
from schemas.codec import RELEASED_INDICATOR, Undecodable
from schemas.quarantine import REDRIVEN_ROW
from schemas.records import ReleasedIndicator
from streams.intake.ledger import Ledger, RefusedReport, readable
from streams.intake.sequences import Epoch, Sequences
from streams.receive.step import Floor
from streams.repair.scratch import Scratch

_MANY: Final = 500


@dataclass
class Tally:
    """The losses of the rows, counted while they are made; a loss of None has no known number."""

    kept: int = 0
    rebuilt: int = 0
    lost: dict[str, int | None] = field(default_factory=dict)

    def lose(self, what: str, count: int | None = None) -> None:
        """Note a loss, with its number if that is known."""
        known = self.lost.get(what, 0)
        self.lost[what] = None if count is None or known is None else known + count

    def losses(self) -> tuple[Loss, ...]:
        """All losses."""
        return tuple(Loss(what, count) for what, count in self.lost.items() if count != 0)


class Rows(Protocol):
    """How the rows of a step are rebuilt. ``sources`` are the topics that they are made from; empty if the step makes
    them itself, by reading its inputs from the beginning."""

    sources: tuple[str, ...]

    def rows(self, shard: BrokenShard, damage: Damage, tally: Tally) -> Iterator[RowChange]:
        """The rows that the changelog lacks, each once."""
        ...


class ReceiveRows:
    """The floors of one partner's keys."""

    def __init__(self, cluster: Cluster, origin: str, folder: Path) -> None:
        self.sources: tuple[str, ...] = (topics.accepted(origin),)
        self._folder, self._codec = folder, cluster.codec()

    def rows(self, shard: BrokenShard, damage: Damage, tally: Tally) -> Iterator[RowChange]:  # noqa: ARG002  # the rest of the changelog gives the same rows
        """A floor for each key of the partner's accepted records."""
        with Scratch(self._folder) as scratch:
            scratch.put(self._floors(shard.records(self.sources[0]), tally))
            for key, floor in scratch.items(b""):
                tally.rebuilt += 1
                yield RowChange(key, floor)

    def _floors(self, records: Iterator[Record], tally: Tally) -> Iterator[tuple[bytes, bytes]]:
        for record in records:
            if record.value is None or record.key is None:
                continue  # purged: the floor before it is kept while the topic has it
            found = self._codec.decode(RELEASED_INDICATOR, record.value)
            if isinstance(found, Undecodable):
                tally.lose(f"records of {record.topic} that cannot be read", 1)
                continue
            accepted = cast("ReleasedIndicator", found)
            yield record.key, msgspec.msgpack.encode(Floor(accepted["version"], accepted["recalled_through"]))


class SettleRows:
    """No rows: settle reads its topics again."""

    sources: tuple[str, ...] = ()

    def rows(self, shard: BrokenShard, damage: Damage, tally: Tally) -> Iterator[RowChange]:  # noqa: ARG002
        """No row; the loss is all that cannot be read again."""
        tally.lose("receipts that are older than their topic keeps: the releases that they settled wait for the next")
        return iter(())


@dataclass
class _Counted:
    """Rows of reports that were counted again, as a ledger reads them."""

    rows: dict[bytes, bytes] = field(default_factory=dict)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    def apply(self, changes: Sequence[RowChange]) -> None:
        self.rows |= {change.key: change.value for change in changes if change.value is not None}


class IntakeRows:
    """The numbers counted of each sensor, and the entries that were redriven."""

    sources: tuple[str, ...] = (topics.SENSOR_REPORTS,)

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        """Raises ConfigurationError if the roster is not valid."""
        self._nation, self._settings, self._codec = cluster.nation, settings, cluster.codec()
        self._roster = load_roster(cluster.nation, settings.officers)

    def rows(self, shard: BrokenShard, damage: Damage, tally: Tally) -> Iterator[RowChange]:
        """A row for each sensor and each redriven entry that the topic or the changelog still knows."""
        surviving: dict[bytes, bytes] = {}
        for rows, _, _ in shard.surviving(damage):
            surviving |= {row.key: row.value for row in rows if row.value is not None}
        counted, first = _Counted(), None
        records = shard.records(topics.SENSOR_REPORTS, end=damage.next_offsets[topics.SENSOR_REPORTS])
        while batch := list(islice(records, _MANY)):
            first = first or batch[0]
            self._count(batch, counted)
        is_all = damage.is_same_source and shard.begin(topics.SENSOR_REPORTS) == 0
        if not is_all:
            since = "the topic holds no report" if first is None else f"only those since {_date(first)} are there"
            tally.lose(
                f"older reports: {since}. A sensor that has been silent since is new: its repeated reports count again"
            )
            tally.lose("older redrives: an entry that is redriven once more counts once more")
        for key in sorted({*counted.rows, *surviving}):
            row = self._row(key, counted.rows, surviving, tally, is_all=is_all, is_last=damage.rows_are_last)
            if row == surviving.get(key):
                tally.kept += 1
            else:
                tally.rebuilt += 1
                yield RowChange(key, row)

    def _count(self, batch: Sequence[Record], counted: _Counted) -> None:
        """Count reports as intake did, with the present quota and roster."""
        settings = self._settings
        found = [
            (record, readable(record, self._codec, self._nation, settings.shards, self._roster)) for record in batch
        ]
        reports = [(record, each.report) for record, each in found if not isinstance(each, RefusedReport)]
        ledger = Ledger(reports, counted, settings.sensor_quota)
        for record, report in reports:
            ledger.count(record, report)
        counted.apply(ledger.changes())

    def _row(
        self,
        key: bytes,
        counted: Mapping[bytes, bytes],
        surviving: Mapping[bytes, bytes],
        tally: Tally,
        *,
        is_all: bool,
        is_last: bool,
    ) -> bytes:
        """The row of a key that is in at least one of the two."""
        if key.startswith(REDRIVEN_ROW) or (is_last and key in surviving):
            return surviving.get(key, b"")
        if is_all and key in counted:
            return counted[key]
        known = [msgspec.msgpack.decode(rows[key], type=Sequences) for rows in (counted, surviving) if key in rows]
        tally.lose(
            "report numbers below the highest of their sensor that were missing: they are refused if they arrive",
            sum(_gaps(sequences) for sequences in known[:1]),
        )
        return msgspec.msgpack.encode(closed(known))


def closed(known: Sequence[Sequences]) -> Sequences:
    """These numberings of one sensor as one, each closed below its highest number."""
    highest: Counter[int] = Counter()
    for epoch in (epoch for sequences in known for epoch in sequences.epochs if epoch.intervals):
        highest[epoch.epoch] = max(highest.get(epoch.epoch, 0), epoch.intervals[-1][1])
    epochs = tuple(Epoch(epoch, ((high, high),), high) for epoch, high in sorted(highest.items()))
    latest = max(known, key=lambda sequences: sequences.minute)
    beat_ms, reported_ms = max(each.beat_ms for each in known), max(each.reported_ms for each in known)
    return Sequences(epochs, latest.minute, latest.used, beat_ms, reported_ms, lacks_epochs=True)


def _gaps(sequences: Sequences) -> int:
    """How many numbers between the lowest and the highest counted are missing."""
    counted = sum(high - low + 1 for epoch in sequences.epochs for low, high in epoch.intervals)
    spans = sum(epoch.intervals[-1][1] - epoch.intervals[0][0] + 1 for epoch in sequences.epochs if epoch.intervals)
    return spans - counted


def _date(record: Record) -> str:
    return f"{datetime.fromtimestamp(record.timestamp_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
