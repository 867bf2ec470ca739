"""Settle: matches releases and receipts between us and one partner, in both directions.

In: what we released to it, its receipts that returned, and what we accepted of it. Kept: a row for each indicator and
direction, and a digest of each window of both, which reconciliation compares. Out: the digests; *purged*, when no topic
of ours holds a copy of what the partner recalled; a receipt for something never released, to quarantine; and counts of
what waits for too long, for metrics and alerts.
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
from schemas.codec import RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec, Undecodable
from schemas.quarantine import Location, Refused
from schemas.records import Receipt, ReleasedIndicator
from schemas.vocabulary import RejectReason
from schemas.window import fingerprint
from streams.receive.inbound import key_of
from streams.refusal import Quarantine
from streams.settle import digests, holding, settlement
from streams.settle.digests import Moves, Side
from streams.settle.holding import Copies, Held
from streams.settle.settlement import EarlyReceipt, Late, Limits, ReleaseRow

STATE_FORMAT: Final = settlement.FORMAT
COUNTS_KEY: Final = b"\0counts"  # no indicator's: those are an id's text, of either direction
HELD_PREFIX: Final = b"\1"
AGAIN_MS: Final = 60_000  # interval of showing the counts again: a worker that was just started has none
ROLL_KEY: Final = b"kakehashi.roll"  # of a deletion that deletes nothing: it lets an idle partition begin a new segment

_Saying = tuple[Record, Receipt | ReleasedIndicator | None]
"""A record, and its content; None for a deletion, and for an unreadable record."""


class Settle(Step[Copies]):
    """Settles with one partner. One instance serves one shard.

    Its questions are ids of which the partner has recalled content, and up to which version: the feed looks whether our
    topics still hold copies of it, and the answers are the facts of a later batch.
    """

    def __init__(self, nation: str, partner: str, shard: int, codec: Codec, limits: Limits) -> None:
        self.name = topics.settle_step(partner)
        self._nation, self._partner, self._shard = nation, partner, shard
        self._codec, self._limits = codec, limits
        self._quarantine = Quarantine(QuarantineStage.SETTLE, shard, codec)
        self._released, self._held = topics.released(partner), topics.accepted(partner)
        self._receipts = topics.partner_receipts(partner)

    def compute(self, batch: Batch[Copies], rows: Rows, now_ms: int) -> Effects:
        """The rows after this batch and after this time, and what follows from them."""
        work = _Work(now_ms, releases_come=any(record.topic == self._released for record in batch.records))
        answered = (HELD_PREFIX + name for name in batch.facts)
        said: dict[bytes, list[_Saying]] = {key: [] for key in (*batch.due, *answered) if key != COUNTS_KEY}
        for record in batch.records:
            key = self._key(record)
            if key is not None:
                said.setdefault(key, []).append((record, self._read(record)))
        counted, *stored = rows.get_many([COUNTS_KEY, *said])
        work.counts = Late() if counted is None else msgspec.msgpack.decode(counted, type=Late)
        held: dict[bytes, tuple[Held, Held]] = {}
        for (key, each), data in zip(said.items(), stored, strict=True):
            if key.startswith(HELD_PREFIX):
                before = Held() if data is None else holding.decode(data)
                held[key] = before, self._holding(before, each, now_ms)
            else:
                self._settle(key, None if data is None else settlement.decode(data), each, work)
        self._hold(held, batch.facts, work)
        for side, window, key, digest in work.moves.settled(rows.get_many(work.moves.keys)):
            self._tell_digest(side, window, key, digest, work)
        work.rows.append(RowChange(COUNTS_KEY, msgspec.msgpack.encode(work.counts), now_ms + AGAIN_MS))
        work.gauges = {
            spec.UNSETTLED_RELEASES.at(self.name, self._shard): float(work.counts.releases),
            spec.UNSETTLED_RECALLS.at(self.name, self._shard): float(work.counts.recalls),
            spec.UNPURGED_RECALLS.at(self.name, self._shard): float(work.counts.purges),
        }
        return work.effects()

    def _key(self, record: Record) -> bytes | None:
        """The key of its row; None if it is not a record of its topic."""
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
        said: Sequence[_Saying],
        work: "_Work",
    ) -> None:
        """Bring one indicator's row of our releases up to date."""
        was = before or ReleaseRow()
        row = was
        for record, what in said:
            row = self._after(row, record, what, work.now_ms)
        unfounded = row.unfounded(work.now_ms, releases_come=work.releases_come)
        for early in unfounded:
            self._refuse(early, row.version, work)
        row = row.without(unfounded)
        row, due_ms = row.judged(work.now_ms, self._limits)
        work.counts = work.counts.changed(was.late, row.late)
        work.moves.move(Side.RELEASED, (was.version, was.fingerprint), (row.version, row.fingerprint))
        if row != ReleaseRow():
            work.rows.append(RowChange(key, settlement.encode(row), due_ms))
        elif before is not None:  # nothing was ever released under this key, or it was deleted
            work.rows.append(RowChange(key, None))

    def _after(
        self, row: ReleaseRow, record: Record, what: Receipt | ReleasedIndicator | None, now_ms: int
    ) -> ReleaseRow:
        value = record.value or b""
        if record.topic == self._receipts:  # a receipt that was deleted since was received all the same
            return row if what is None else row.receipted(cast("Receipt", what), value, record.offset, now_ms)
        if what is None:
            return ReleaseRow(late=row.late) if record.value is None else row
        mark = fingerprint(record.key or b"", value)
        return row.released(cast("ReleasedIndicator", what), mark, record.timestamp_ms)

    def _refuse(self, early: EarlyReceipt, version: int, work: "_Work") -> None:
        """A receipt for something never released: kept for a human, and counted."""
        detail = f"{early.code} for version {early.version}, which was never released; {version} is the last"
        refused = Refused(RejectReason.UNKNOWN_RELEASE, detail)
        self._quarantine.put(Location(self._receipts, self._shard, early.offset), refused, early.value, work)

    # -- what we hold -------------------------------------------------------------------------------------------

    def _holding(self, row: Held, said: Sequence[_Saying], now_ms: int) -> Held:
        for record, what in said:
            if what is not None:
                mark = fingerprint(record.key or b"", record.value or b"")
                row = row.accepted(cast("ReleasedIndicator", what), mark, now_ms)
            elif record.value is None:
                row = row.deleted()
        return row

    def _hold(self, held: Mapping[bytes, tuple[Held, Held]], copies: Copies, work: "_Work") -> None:
        """Write the rows of the indicators that we hold; report purged recalls, and ask for copies of the others."""
        now_ms, is_left = work.now_ms, False
        for key, (before, after) in held.items():
            name, row = key.removeprefix(HELD_PREFIX), after
            found = copies.get(name)
            if row.recall and found is not None and found.through == row.recalled_through:
                if found.left:
                    row, is_left = row.left(now_ms), True
                else:
                    self._purged(name, row.recall, work)
                    row = row.purged()
            elif row.recall and row.due_ms <= now_ms:
                work.questions[name] = row.recalled_through
                row = row.asked(now_ms)
            work.moves.move(Side.HELD, (before.version, before.fingerprint), (row.version, row.fingerprint))
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

    def _tell_digest(self, side: Side, window: int, key: bytes, digest: digests.Digest, work: "_Work") -> None:
        of_released = side is Side.RELEASED
        topic = topics.released_digests(self._partner) if of_released else topics.held_digests(self._partner)
        row = msgspec.msgpack.encode(digest) if digest.count else None
        said = self._codec.encode(WINDOW_DIGEST, digests.as_record(window, digest, work.now_ms)) if row else None
        work.rows.append(RowChange(key, row))
        work.outputs.append(Output(topic, self._shard, b"%d" % window, said))


class _Work(EffectsBuilder):
    """The effects so far, the counts and the moves between windows. ``releases_come`` if the batch has releases."""

    def __init__(self, now_ms: int, *, releases_come: bool) -> None:
        super().__init__(now_ms)
        self.releases_come = releases_come
        self.counts = Late()
        self.moves = Moves()
