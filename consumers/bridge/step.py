"""The bridge: what a nation has released to a partner, guarded, onto the partner's inbox, exactly once.

With it go the nation's receipts for what it has had from that partner: they come home by the same way. One shard per
partition. Its position is kept on the partner's cluster, in the transaction that writes the inbox
(KIP-618's form), so that no crash, cut or zombie can lose a record or write it twice. Partition, key and order are
kept; a refused record stops only itself.

Beside it each partition has a fast lane: what ends an indicator, and what belongs to a declared incident, is copied
ahead of all else, into an inbox of its own (docs/adr/0025).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consumers.bridge.guard import Passed, Tombstone, check
from consumers.bridge.guard_content import Refused
from consumers.bridge.known_good import KnownGood
from consumers.bridge.overtaken import holds_back
from consumers.bridge.receipt_guard import PassedReceipt, check_receipt
from exchange.metrics import spec
from exchange.metrics.kinds import Counter
from exchange.metrics.labels import GuardStage, QuarantineStage, ReceiptCode
from exchange.protocol.effects import Effects, EffectsBuilder
from exchange.protocol.record import Headers, Output, Record
from exchange.protocol.rows import Rows
from exchange.protocol.step import Batch, Step
from schemas import quarantine, topics
from schemas.agreement import Agreement
from schemas.codec import PROGRESS, QUARANTINED, RECEIPT, RELEASED_INDICATOR, RELEASED_INDICATOR_V2, Codec
from schemas.records import ReleasedIndicator
from schemas.vocabulary import RecordKind, RejectReason

Ahead = Mapping[bytes, int]
"""The highest version of a key that the fast lane may have carried ahead of the bulk."""
ABROAD: Final = (RELEASED_INDICATOR, RECEIPT, PROGRESS)  # what a bridge writes on the partner's cluster
_NO_ID: Final = Refused(
    RejectReason.UNKNOWN_SCHEMA,
    f"the partner's schema registry does not know {RELEASED_INDICATOR_V2}: once it has registered it, restart the "
    "bridge, and `kakehashi reconcile --repair` has what is missing told again",
    keep_bytes=True,
)
_DECISION: Final = "decision"
_DECISION_ID: Final = re.compile(rb"[A-Z]{3}-[0-9]{1,9}-[0-9]{1,18}")  # nothing else travels in that header


@dataclass(frozen=True, slots=True)
class Link:
    """One direction between two nations: what was agreed, and the schema ids of either cluster."""

    agreed: Agreement
    home_codec: Codec
    partner_codec: Codec
    shards: int

    @property
    def home(self) -> str:
        """Whose releases it carries."""
        return self.agreed.nation

    @property
    def partner(self) -> str:
        """To whom."""
        return self.agreed.partner


@dataclass(frozen=True, slots=True)
class Lane:
    """One of the two ways over a link: the step's name, what it reads and where that arrives."""

    step: str
    source: str
    inbox: str
    carried: Counter[str, str, RecordKind]


def bulk_of(link: Link) -> Lane:
    """All that is released, exactly once."""
    inbox = topics.inbox(link.home)
    return Lane(topics.bridge_step(link.home), topics.released(link.partner), inbox, spec.REPLICATED_RECORDS)


def fast_lane_of(link: Link) -> Lane:
    """Copies of what must not wait."""
    inbox = topics.urgent_inbox(link.home)
    return Lane(topics.urgent_step(link.home), topics.urgent(link.partner), inbox, spec.URGENT_RECORDS)


class Bridge(Step[Ahead]):
    """One lane of one direction. It has no rows: it decides on the record alone, and on what the fast lane may have
    carried ahead of it."""

    def __init__(self, link: Link, lane: Lane | None = None) -> None:
        lane = lane or bulk_of(link)
        self.name, self._source, self._inbox, self._carried_records = lane.step, lane.source, lane.inbox, lane.carried
        self._link = link
        self._receipts = topics.receipts(link.partner)
        self._origin, self._hops = ("origin", link.home.encode()), ("hops", link.home.encode())
        self._known = KnownGood(link.home_codec, link.agreed, link.shards)
        self._same_ids = {
            name: link.home_codec.reframe(name, b"") == link.partner_codec.reframe(name, b"")
            for name in (RELEASED_INDICATOR, RELEASED_INDICATOR_V2, RECEIPT)
            if link.partner_codec.knows(name)
        }

    def compute(self, batch: Batch[Ahead], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002  # a bridge has no rows
        """Each record that the guard passes, re-encoded for the partner; refusals for quarantine at home.

        Content older than the version of its key in ``batch.facts`` stays.
        """
        link, ahead = self._link, batch.facts
        work = EffectsBuilder(now_ms)
        content = 0
        for record in batch.records:
            if not (ahead and record.key in ahead) and self._plainly_goes(record, now_ms):
                work.outputs.append(self._carried(record, RELEASED_INDICATOR))
                content += 1
                continue
            verdict = self._check(record, now_ms)
            match verdict:
                case Passed(released) if holds_back(ahead.get(record.key or b"", 0), released):
                    work.tally[spec.OVERTAKEN_RECORDS.tally(link.home, link.partner)] += 1
                case Passed(released):
                    self._known.learn(released)
                    work.outputs.append(self._carried(record, _schema_of(released)))
                    kind = RecordKind(released["kind"])
                    work.tally[self._carried_records.tally(link.home, link.partner, kind)] += 1
                case PassedReceipt(receipt):
                    work.outputs.append(self._carried(record, RECEIPT))
                    code = ReceiptCode(receipt["code"])
                    work.tally[spec.REPLICATED_RECEIPTS.tally(link.home, link.partner, code)] += 1
                case Refused():
                    work.home.append(self._refusal(record, verdict, now_ms))
                    work.tally[spec.REFUSED_RECORDS.tally(GuardStage.BRIDGE, verdict.reason)] += 1
                    work.tally[spec.QUARANTINED_RECORDS.tally(QuarantineStage.BRIDGE, verdict.reason)] += 1
        if content:
            work.tally[self._carried_records.tally(link.home, link.partner, RecordKind.CONTENT)] += content
        return work.effects()

    def _plainly_goes(self, record: Record, now_ms: int) -> bool:
        """Content that the guard would surely pass. False says nothing."""
        if record.topic != self._source:
            return False
        return self._known.passes(record.value, record.key, record.partition, now_ms)

    def _check(self, record: Record, now_ms: int) -> Passed | PassedReceipt | Tombstone | Refused:
        link, partition, shards = self._link, record.partition, self._link.shards
        if record.topic == self._receipts:
            return check_receipt(
                record.value,
                record.key,
                link.home_codec,
                home=link.home,
                now_ms=now_ms,
                partition=partition,
                shards=shards,
            )
        verdict = check(
            record.value,
            record.key,
            link.home_codec,
            agreed=link.agreed,
            now_ms=now_ms,
            partition=partition,
            shards=shards,
        )
        if isinstance(verdict, Passed) and not link.partner_codec.knows(_schema_of(verdict.record)):
            return _NO_ID
        return verdict

    def _carried(self, record: Record, schema: str) -> Output:
        """The record as it arrives: the same body, the partner's schema id, and where it comes from."""
        value = record.value or b""
        if not self._same_ids[schema]:
            value = self._link.partner_codec.reframe(schema, value)
        return Output(self._inbox, record.partition, record.key or b"", value, self._provenance(record))

    def _provenance(self, record: Record) -> Headers:
        """Where a record comes from: origin, the decision that let it go, its place at home, and its hops.

        No header is passed on as it was found: what is not a decision's id could be anything.
        """
        decision = b""
        for name, value in record.headers:
            if name == _DECISION:
                decision = value
                break
        if not _DECISION_ID.fullmatch(decision or b""):  # a header may be null, whatever its type says
            decision = b""
        place = f"{record.topic}-{record.partition}-{record.offset}".encode()
        return (self._origin, (_DECISION, decision), ("source", place), self._hops)

    def _refusal(self, record: Record, verdict: Refused, now_ms: int) -> Output:
        """The quarantine record. Its key is the record's location, so a batch that is written again repeats it."""
        location = quarantine.Location(record.topic, record.partition, record.offset)
        kept = quarantine.quarantined(
            location.key,
            location,
            refused=quarantine.Refused(verdict.reason, verdict.detail),
            original=quarantine.original_of(record.value or b"", keep_bytes=verdict.keep_bytes),
            stage=str(QuarantineStage.BRIDGE),
            at_ms=now_ms,
        )
        encoded = self._link.home_codec.encode(QUARANTINED, kept)
        return Output(topics.QUARANTINE, record.partition, location.key.encode(), encoded)


def _schema_of(released: ReleasedIndicator) -> str:
    """The schema of a record that the guard has passed: it is as our writer writes it."""
    content = released["content"]
    return RELEASED_INDICATOR_V2 if content is not None and "tearline" in content else RELEASED_INDICATOR
