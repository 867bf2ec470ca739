"""Settle: matches releases and receipts between us and one partner, in both directions.

In: our releases to it, its receipts that returned, and the records that we accepted from it. Kept: a row for each
indicator and direction, and a digest of each window of both, which reconciliation compares. Out: the digests; the
receipt *purged*, when no topic of ours holds a copy of recalled content; receipts for something never released, to
quarantine; and counts of releases and recalls that wait for too long, for metrics and alerts.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec

from exchange.metrics import spec
from exchange.metrics.labels import QuarantineStage, ReceiptCode
from exchange.protocol.effects import Effects, EffectsBuilder
from exchange.protocol.record import Output, Record, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.canary import CANARY_KEY
from schemas.codec import RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec, Undecodable
from schemas.quarantine import Location, Refused
from schemas.records import Receipt, ReleasedIndicator
from schemas.vocabulary import RejectReason
from schemas.window import fingerprint
from streams.receive.inbound import key_of
from streams.refusal import Quarantine
from streams.settle import digests, holding, settlement
from streams.settle.digests import Direction, Moves
from streams.settle.holding import Copies, Held
from streams.settle.settlement import EarlyReceipt, Late, Limits, ReleaseRow

STATE_FORMAT: Final = settlement.FORMAT
COUNTS_KEY: Final = b"\0counts"  # no indicator's: those are an id's text, of either direction
ARRIVED_KEY: Final = b"\0canary"  # when the partner last accepted the canary, in milliseconds
HELD_PREFIX: Final = b"\1"
AGAIN_MS: Final = 60_000  # how often the counts are shown again: a worker that was just started has none
ROLL_KEY: Final = b"kakehashi.roll"  # deletes nothing: written so that an idle partition begins a new segment

_Read = tuple[Record, Receipt | ReleasedIndicator | None]
"""A record, and its content; None for a deletion, and for an unreadable record."""


DAY_MS: Final = 24 * 60 * 60 * 1000  # by which a version may be ahead at either guard


class Settle(Step[Copies]):
    """Settles with one partner. One instance serves one shard.

    Its questions are ids whose content the partner has recalled, and up to which version. The feed searches our topics
    for copies of it, and the answers are the facts of a later batch.
    """

    def __init__(self, nation: str, partner: str, shard: int, codec: Codec, limits: Limits) -> None:
        self.name = topics.settle_step(partner)
        self._nation, self._partner, self._shard = nation, partner, shard
        self._codec, self._limits = codec, limits
        self._quarantine = Quarantine(QuarantineStage.SETTLE, shard, codec)
        self._released, self._held = topics.released(partner), topics.accepted(partner)
        self._receipts = topics.partner_receipts(partner)
        self._shown = False

    def wakes(self, rows: Rows, now_ms: int) -> Sequence[bytes]:  # noqa: ARG002
        """At the start, the counts: metrics show what the rows have before any record arrives."""
        return () if self._shown or rows.get_many([COUNTS_KEY]) == [None] else (COUNTS_KEY,)

    def compute(self, batch: Batch[Copies], rows: Rows, now_ms: int) -> Effects:
        """The rows after this batch and at this time, and the effects that follow from them."""
        work = _Work(now_ms, releases_come=any(record.topic == self._released for record in batch.records))
        answered = (HELD_PREFIX + name for name in batch.facts)
        read: dict[bytes, list[_Read]] = {key: [] for key in (*batch.due, *answered) if key != COUNTS_KEY}
        for record in batch.records:
            key = self._key(record)
            if key is not None:
                read.setdefault(key, []).append((record, self._read(record)))
        counted, arrived, *stored = rows.get_many([COUNTS_KEY, ARRIVED_KEY, *read])
        work.counts = Late() if counted is None else msgspec.msgpack.decode(counted, type=Late)
        held: dict[bytes, tuple[Held, Held]] = {}
        for (key, each), data in zip(read.items(), stored, strict=True):
            if key.startswith(HELD_PREFIX):
                before = Held() if data is None else holding.decode(data)
                held[key] = before, self._holding(before, each, now_ms)
            else:
                self._settle(key, None if data is None else settlement.decode(data), each, work)
        self._hold(held, batch.facts, work)
        for direction, window, key, digest in work.moves.applied(rows.get_many(work.moves.keys)):
            self._write_digest(direction, window, key, digest, work)
        work.rows.append(RowChange(COUNTS_KEY, msgspec.msgpack.encode(work.counts), now_ms + AGAIN_MS))
        work.gauges = {
            spec.UNSETTLED_RELEASES.at(self.name, self._shard): float(work.counts.releases),
            spec.UNSETTLED_RECALLS.at(self.name, self._shard): float(work.counts.recalls),
            spec.UNPURGED_RECALLS.at(self.name, self._shard): float(work.counts.purges),
        }
        before_ms = 0 if arrived is None else msgspec.msgpack.decode(arrived, type=int)
        arrived_ms = max(before_ms, work.arrived_ms)
        if arrived_ms > before_ms:
            work.rows.append(RowChange(ARRIVED_KEY, msgspec.msgpack.encode(arrived_ms)))
        if arrived_ms:  # before the first arrival there is no series
            work.gauges[spec.CANARY_ARRIVED.at(self._partner)] = arrived_ms / 1000
        self._shown = True
        return work.effects()

    def _key(self, record: Record) -> bytes | None:
        """The key of its row; None if its key is not an indicator's."""
        name = record.key or b""
        if record.topic == self._receipts:
            name = name.partition(b"/")[0]
        if key_of(name.decode("utf-8", "replace")) is None:
            return None
        return HELD_PREFIX + name if record.topic == self._held else name

    def _read(self, record: Record) -> Receipt | ReleasedIndicator | None:
        """Its content; None for a deletion, and for an unreadable record."""
        schema = RECEIPT if record.topic == self._receipts else RELEASED_INDICATOR
        found = self._codec.decode(schema, record.value)
        return None if isinstance(found, Undecodable) else cast("Receipt | ReleasedIndicator", found)

    # -- our releases --------------------------------------------------------------------------------------------

    def _settle(
        self,
        key: bytes,
        before: ReleaseRow | None,
        records: Sequence[_Read],
        work: "_Work",
    ) -> None:
        """Bring one indicator's row of our releases up to date."""
        old = before or ReleaseRow()
        row = old
        for record, content in records:
            taken, row = row.taken, self._after(row, record, content, work.now_ms)
            if key == CANARY_KEY and row.taken > taken:
                work.arrived_ms = max(work.arrived_ms, record.timestamp_ms)
        unmatched = row.unmatched(work.now_ms, releases_come=work.releases_come)
        for early in unmatched:
            self._refuse(early, row.version, work)
        row = row.without(unmatched)
        row, due_ms = row.judged(work.now_ms, self._limits)
        work.counts = work.counts.changed(old.late, row.late)
        work.moves.move(Direction.RELEASED, (old.version, old.fingerprint), (row.version, row.fingerprint))
        if row != ReleaseRow():
            work.rows.append(RowChange(key, settlement.encode(row), due_ms))
        elif before is not None:  # nothing was ever released under this key, or it was deleted
            work.rows.append(RowChange(key, None))

    def _after(
        self, row: ReleaseRow, record: Record, content: Receipt | ReleasedIndicator | None, now_ms: int
    ) -> ReleaseRow:
        value = record.value or b""
        if record.topic == self._receipts:  # a receipt counts even if it was deleted since
            return row if content is None else row.receipted(cast("Receipt", content), value, record.offset, now_ms)
        if content is None:
            return ReleaseRow(late=row.late) if record.value is None else row
        mark = fingerprint(record.key or b"", value)
        release = cast("ReleasedIndicator", content)
        if release["version"] > now_ms + DAY_MS:  # of a wrong clock: no guard lets it pass, so no receipt will come
            return row
        return row.released(release, mark, record.timestamp_ms)

    def _refuse(self, early: EarlyReceipt, version: int, work: "_Work") -> None:
        """Quarantine a receipt for something never released, for people to see, and count it."""
        detail = f"{early.code} for version {early.version}, which was never released; {version} is the last"
        refused = Refused(RejectReason.UNKNOWN_RELEASE, detail)
        self._quarantine.put(Location(self._receipts, self._shard, early.offset), refused, early.value, work)

    # -- held records --------------------------------------------------------------------------------------------

    def _holding(self, row: Held, records: Sequence[_Read], now_ms: int) -> Held:
        for record, content in records:
            if content is not None:
                mark = fingerprint(record.key or b"", record.value or b"")
                row = row.accepted(cast("ReleasedIndicator", content), mark, now_ms)
            elif record.value is None:
                row = row.deleted()
        return row

    def _hold(self, held: Mapping[bytes, tuple[Held, Held]], copies: Copies, work: "_Work") -> None:
        """Write the rows of the indicators that we hold; report purged recalls, and ask about copies of the others."""
        now_ms, is_left = work.now_ms, False
        for key, (before, after) in held.items():
            name, row = key.removeprefix(HELD_PREFIX), after
            found = copies.get(name)
            if row.recall and found is not None and found.through == row.recalled_through:
                if found.left:
                    is_left = True
                else:
                    self._purged(name, row.recall, work)
                    row = row.purged()
            elif row.recall and row.due_ms <= now_ms:
                work.questions[name] = row.recalled_through
                row = row.asked(now_ms)
            work.moves.move(Direction.HELD, (before.version, before.fingerprint), (row.version, row.fingerprint))
            if row != before:
                work.rows.append(RowChange(key, holding.encode(row) if row != Held() else None, row.due_ms))
        if is_left:
            work.outputs.append(Output(self._held, self._shard, ROLL_KEY, None))

    def _purged(self, name: bytes, version: int, work: "_Work") -> None:
        receipt: Receipt = {
            "indicator_id": name.decode(),
            "version": version,
            "code": "purged",
            "reason": "",
            "nation": self._nation,
            "at_ms": work.now_ms,
        }
        value = self._codec.encode(RECEIPT, receipt)
        work.outputs.append(Output(topics.receipts(self._partner), self._shard, name, value))
        work.tally[spec.RECEIPTS.tally(self._partner, ReceiptCode.PURGED)] += 1

    # -- both ---------------------------------------------------------------------------------------------------

    def _write_digest(
        self, direction: Direction, window: int, key: bytes, digest: digests.Digest, work: "_Work"
    ) -> None:
        of_released = direction is Direction.RELEASED
        topic = topics.released_digests(self._partner) if of_released else topics.held_digests(self._partner)
        row = msgspec.msgpack.encode(digest) if digest.count else None
        record = self._codec.encode(WINDOW_DIGEST, digests.as_record(window, digest, work.now_ms)) if row else None
        work.rows.append(RowChange(key, row))
        work.outputs.append(Output(topic, self._shard, b"%d" % window, record))


class _Work(EffectsBuilder):
    """The effects so far, the counts and the moves between windows. ``releases_come`` if the batch has releases."""

    def __init__(self, now_ms: int, *, releases_come: bool) -> None:
        super().__init__(now_ms)
        self.releases_come = releases_come
        self.counts = Late()
        self.moves = Moves()
        self.arrived_ms = 0  # when the partner's receipt for the canary was written, if one is in this batch
