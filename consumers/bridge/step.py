"""The bridge: writes a nation's releases to a partner into the partner's inbox, past a guard, exactly once.

It also carries the nation's receipts for the partner's records. There is one shard for each partition. Its position is
kept on the partner's cluster, in the transaction that writes the inbox (KIP-618's form), so that no crash, cut or
zombie can lose a record or write it twice. Partition, key and order are kept; a refused record stops no other.

Each partition also has a fast lane: ends of releases, and records of declared incidents, are copied ahead of all else
into an inbox of their own (docs/adr/0025).
"""

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
from schemas.codec import LATER_RELEASES, PROGRESS, QUARANTINED, RECEIPT, RELEASED_INDICATOR, Codec, release_version
from schemas.vocabulary import RecordKind, RejectReason

Ahead = Mapping[bytes, int]
"""The highest version of a key that the fast lane may have carried ahead of the bulk."""
ABROAD: Final = (RELEASED_INDICATOR, RECEIPT, PROGRESS)  # schemas that a bridge writes on the partner's cluster
_NO_ID: Final = Refused(
    RejectReason.UNKNOWN_SCHEMA,
    "the partner's schema registry does not know this version of a release: once it has registered it, restart the "
    "bridge; `kakehashi reconcile --nation NATION --partner PARTNER --repair --key KEY` reissues what is missing",
    keep_bytes=True,
)


@dataclass(frozen=True, slots=True)
class Link:
    """One direction between two nations: the agreement, and the schema ids of either cluster."""

    agreed: Agreement
    home_codec: Codec
    partner_codec: Codec
    shards: int

    @property
    def home(self) -> str:
        """The nation whose releases it carries."""
        return self.agreed.nation

    @property
    def partner(self) -> str:
        """The nation that receives them."""
        return self.agreed.partner


@dataclass(frozen=True, slots=True)
class Lane:
    """One of the two lanes of a link: the step's name, the topic that it reads, and the inbox that it writes."""

    step: str
    source: str
    inbox: str
    carried: Counter[str, str, RecordKind]


def bulk_of(link: Link) -> Lane:
    """The bulk: all releases, exactly once."""
    inbox = topics.inbox(link.home)
    return Lane(topics.bridge_step(link.home), topics.released(link.partner), inbox, spec.REPLICATED_RECORDS)


def fast_lane_of(link: Link) -> Lane:
    """The fast lane: copies of urgent records."""
    inbox = topics.urgent_inbox(link.home)
    return Lane(topics.urgent_step(link.home), topics.urgent(link.partner), inbox, spec.URGENT_RECORDS)


class Bridge(Step[Ahead]):
    """One lane of a link. It has no rows: it decides by the record alone, and by the versions that the fast lane may
    have carried ahead of it."""

    def __init__(self, link: Link, lane: Lane | None = None) -> None:
        lane = lane or bulk_of(link)
        self.name, self._source, self._inbox, self._carried_records = lane.step, lane.source, lane.inbox, lane.carried
        self._link = link
        self._receipts = topics.receipts(link.partner)
        # Nothing of the record's own headers leaves: a decision's id counts decisions that were withheld, and a
        # position counts batches.
        self._provenance: Headers = (("origin", link.home.encode()), ("hops", link.home.encode()))
        self._known = KnownGood(link.home_codec, link.agreed, link.shards)
        self._same_ids = {
            name: link.home_codec.reframe(name, b"") == link.partner_codec.reframe(name, b"")
            for name in (RELEASED_INDICATOR, *LATER_RELEASES, RECEIPT)
            if link.partner_codec.knows(name)
        }

    def compute(self, batch: Batch[Ahead], rows: Rows, now_ms: int) -> Effects:  # noqa: ARG002  # a bridge has no rows
        """Each record that the guard passes, re-encoded for the partner; refusals for quarantine at home.

        Content that is older than the version of its key in ``batch.facts`` is not carried.
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
                    work.outputs.append(self._carried(record, release_version(released["content"])))
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
        """Whether it is content that the guard would surely pass. False means that the guard must decide."""
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
        if isinstance(verdict, Passed) and not link.partner_codec.knows(release_version(verdict.record["content"])):
            return _NO_ID
        return verdict

    def _carried(self, record: Record, schema: str) -> Output:
        """The record for the inbox: the same body, the partner's schema id, and the headers of its provenance."""
        value = record.value or b""
        if not self._same_ids[schema]:
            value = self._link.partner_codec.reframe(schema, value)
        return Output(self._inbox, record.partition, record.key or b"", value, self._provenance)

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
