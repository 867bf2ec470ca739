"""Receive: a partner's inbox in; accepted records, and a receipt for each record, out.

The same inbox brings the partner's receipts for our own releases. They go to a topic of their own, where
``streams.settle.step`` matches them with the releases.
"""

from typing import Final, Literal

import msgspec

from exchange.metrics import spec
from exchange.metrics.labels import GuardStage, QuarantineStage, ReceiptCode
from exchange.protocol.effects import Effects, EffectsBuilder
from exchange.protocol.record import Headers, Output, Record, RowChange
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.agreement import Agreement
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec
from schemas.identity import shard_of_key
from schemas.quarantine import Refused
from schemas.records import Receipt
from schemas.vocabulary import RecordKind
from streams.receive.inbound import Accepted, Duplicate, RefusedRecord, Stale, admit, key_of
from streams.receive.inbound_content import DAY_MS
from streams.receive.inbound_receipt import admit_receipt
from streams.refusal import Quarantine, location_of

STATE_FORMAT: Final = 1
PROVENANCE: Final = frozenset({"origin", "hops"})
MAX_HEADER_BYTES: Final = 128


class Floor(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The row of one key: the highest version accepted, and the highest recalled."""

    version: int = 0
    recalled_through: int = 0


class Receive(Step[None]):
    """Receives from one partner. One instance serves one shard."""

    def __init__(self, agreed: Agreement, shard: int, shards: int, codec: Codec) -> None:
        """``agreed`` is what this nation agreed with the partner whose inbox it reads."""
        self.name = topics.StreamsStep(topics.StepKind.RECEIVE, agreed.partner).name
        self._nation, self._origin, self._shard, self._shards = agreed.nation, agreed.partner, shard, shards
        self._agreed, self._codec = agreed, codec
        self._quarantine = Quarantine(QuarantineStage.RECEIVE, shard, codec)

    def compute(self, batch: Batch[None], rows: Rows, now_ms: int) -> Effects:
        """The effects of these inbox records: accepted, refused, receipted and routed ones."""
        work = EffectsBuilder(now_ms)
        indicators: list[Record] = []
        for record in batch.records:
            if record.value is not None and self._codec.schema_of(record.value) == RECEIPT:
                self._route(record, record.value, work)
            else:
                indicators.append(record)
        keys = list({record.key: None for record in indicators if record.key is not None})
        floors = {
            key: Floor() if row is None else msgspec.msgpack.decode(row, type=Floor)
            for key, row in zip(keys, rows.get_many(keys), strict=True)
        }
        changed: dict[bytes, Floor] = {}
        for record in indicators:
            floor = self._admit(record, floors.get(record.key or b"", Floor()), work)
            if floor is not None and record.key is not None:
                floors[record.key] = changed[record.key] = floor
        rows_changed = [RowChange(key, msgspec.msgpack.encode(floor)) for key, floor in changed.items()]
        return Effects(work.outputs, rows=rows_changed, tallies=work.tally)

    def _route(self, record: Record, value: bytes, work: EffectsBuilder) -> None:
        """Route a receipt of the partner to its topic, which keeps the latest of each code for each indicator."""
        found = admit_receipt(
            value,
            record.key,
            self._codec,
            origin=self._origin,
            now_ms=work.now_ms,
            partition=record.partition,
            shards=self._shards,
        )
        if isinstance(found, Refused):
            self._quarantined(record, found, work, keep_bytes=False)
            return
        key = f"{found['indicator_id']}/{found['code']}".encode()
        encoded = self._codec.encode(RECEIPT, found)
        work.outputs.append(Output(topics.partner_receipts(self._origin), self._shard, key, encoded))
        work.tally[spec.PARTNER_RECEIPTS.tally(self._origin, ReceiptCode(found["code"]))] += 1

    def _admit(self, record: Record, floor: Floor, work: EffectsBuilder) -> Floor | None:
        """Decide on one record; the key's new floor if it was accepted."""
        verdict = admit(
            record.value,
            record.key,
            self._codec,
            agreed=self._agreed,
            now_ms=work.now_ms,
            partition=record.partition,
            shards=self._shards,
            floor=floor.version or None,
            recalled_through=floor.recalled_through,
        )
        match verdict:
            case Accepted():
                return self._accept(record, verdict, work)
            case Duplicate():
                work.tally[spec.DUPLICATE_RECORDS.tally(self._origin)] += 1
            case Stale():
                work.tally[spec.STALE_RECORDS.tally(self._origin)] += 1
            case RefusedRecord(recall=recall):
                self._refuse(record, verdict, work)
                return None if recall is None else self._accept(record, recall, work)
        return None

    def _accept(self, record: Record, verdict: Accepted, work: EffectsBuilder) -> Floor:
        accepted = verdict.record
        key = accepted["id"].encode()
        value = self._codec.encode(RELEASED_INDICATOR, accepted)
        work.outputs.append(Output(topics.accepted(self._origin), self._shard, key, value, provenance(record.headers)))
        work.tally[spec.ACCEPTED_RECORDS.tally(self._origin, RecordKind(accepted["kind"]))] += 1
        self._receipt(work, accepted["id"], accepted["version"], "recall_applied" if verdict.recalls else "applied", "")
        return Floor(accepted["version"], verdict.recalled_through)

    def _refuse(self, record: Record, verdict: RefusedRecord, work: EffectsBuilder) -> None:
        """Quarantine a record, and answer with a receipt if its key names an indicator of this shard."""
        self._quarantined(record, verdict.refused, work, keep_bytes=verdict.keep_bytes)
        name = (record.key or b"").decode("utf-8", "replace")
        raw = key_of(name)
        if raw is not None and shard_of_key(raw, self._shards) == self._shard:
            # Our own guard does not let a receipt for a version of the future out.
            version = verdict.version if verdict.version <= work.now_ms + DAY_MS // 2 else 0
            self._receipt(work, name, version, "refused", str(verdict.refused.reason))

    def _quarantined(self, record: Record, refused: Refused, work: EffectsBuilder, *, keep_bytes: bool) -> None:
        self._quarantine.put(
            location_of(record),
            refused,
            record.value or b"",
            work,
            keep_bytes=keep_bytes,
        )
        work.tally[spec.REFUSED_RECORDS.tally(GuardStage.RECEIVE, refused.reason)] += 1

    def _receipt(
        self,
        work: EffectsBuilder,
        name: str,
        version: int,
        code: Literal["applied", "recall_applied", "refused"],
        reason: str,
    ) -> None:
        receipt: Receipt = {
            "indicator_id": name,
            "version": version,
            "code": code,
            "reason": reason,
            "nation": self._nation,
            "at_ms": work.now_ms,
        }
        value = self._codec.encode(RECEIPT, receipt)
        work.outputs.append(Output(topics.receipts(self._origin), self._shard, name.encode(), value))
        work.tally[spec.RECEIPTS.tally(self._origin, ReceiptCode(code))] += 1


def provenance(headers: Headers) -> Headers:
    """The known headers of a partner's record, each once and short. The others could hold anything, and are dropped."""
    found: dict[str, bytes] = {}
    for name, value in headers:
        if name in PROVENANCE and len(value or b"") <= MAX_HEADER_BYTES:
            found.setdefault(name, value or b"")  # a header may be null, whatever its type states
    return tuple(found.items())
