"""The audit on a nation's cluster: its chains, the ends of the chains in the shards' state, and its anchors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from exchange.authority.roster import Role, Roster
from exchange.errors import DeliveryTimeout, Refused
from exchange.kafka.clients import (
    CALL_TIMEOUT_S,
    Cluster,
    answer,
    begin_offset,
    end_offset,
    idempotent_producer,
    offset_at,
)
from exchange.kafka.committed import committed
from exchange.kafka.log import KafkaLog
from exchange.kafka.produce import produce
from schemas import topics
from schemas.codec import AUDIT_ANCHOR, DECISION, Undecodable
from schemas.records import AuditAnchor, Decision
from schemas.signing import ANCHOR_PURPOSE, anchor_body, is_signed
from streams.audit import entry as audit
from streams.audit.chain import ChainReport, Entry, verify
from streams.rules.engine import Engine

_DELIVERY_S: Final = 30.0


class AuditLog:
    """One nation's audit. It reads committed records, and commits no offset."""

    def __init__(self, cluster: Cluster, shards: int) -> None:
        self._cluster, self._shards, self._codec = cluster, shards, cluster.codec()

    def entries(self, shard: int, since_ms: int | None = None) -> Iterator[Entry]:
        """The records of one chain, from the first that is left, or from a time."""
        start = begin_offset(self._cluster, topics.AUDIT, shard)
        end = end_offset(self._cluster, topics.AUDIT, shard)
        if since_ms is not None:
            found_at = offset_at(self._cluster, topics.AUDIT, shard, since_ms)
            start = end if found_at is None else found_at
        yield from self._between(shard, start, end)

    def _between(self, shard: int, start: int, end: int) -> Iterator[Entry]:
        for message in committed(self._cluster, topics.AUDIT, shard, start, end):
            value = message.value() or b""
            found = self._codec.decode(DECISION, value)
            decision = None if isinstance(found, Undecodable) else cast("Decision", found)
            yield Entry(message.offset() or 0, value, decision)

    def _written(self, shard: int, heads: list[audit.Head]) -> Iterator[Entry]:
        """The records of one chain up to its shard's head, which is read after them and put into ``heads``.

        The head is read late, because an entry and the head behind it are committed together: an entry that was read
        before and is behind the head was not written by the shard.
        """
        end = end_offset(self._cluster, topics.AUDIT, shard)
        yield from self._between(shard, begin_offset(self._cluster, topics.AUDIT, shard), end)
        head = self.head(shard) or audit.Head()
        heads.append(head)
        for entry in self._between(shard, end, end_offset(self._cluster, topics.AUDIT, shard)):
            if entry.decision is None or entry.decision["sequence"] >= head.sequence:
                return
            yield entry

    def head(self, shard: int) -> audit.Head | None:
        """The end of the chain in the shard's own state; None if there is none."""
        log = KafkaLog(self._cluster, topics.StepKind.CORRELATE, shard, input_ids={}, state_format=None)
        found: audit.Head | None = None
        for rows, _, _ in log.changelog(
            begin_offset(self._cluster, topics.changelog(topics.StepKind.CORRELATE), shard)
        ):
            for row in rows:
                if row.key == audit.HEAD_KEY and row.value is not None:
                    found = msgspec.msgpack.decode(row.value, type=audit.Head)
        return found

    def anchors(self, roster: Roster) -> tuple[Mapping[int, Sequence[AuditAnchor]], list[str]]:
        """The validly signed anchors of each chain, and a finding for each other one."""
        valid: dict[int, list[AuditAnchor]] = {}
        wrong: list[str] = []
        for message in committed(self._cluster, topics.ANCHORS, 0):
            found = self._codec.decode(AUDIT_ANCHOR, message.value())
            refusal = (
                found.detail if isinstance(found, Undecodable) else self._refusal(cast("AuditAnchor", found), roster)
            )
            if refusal:
                wrong.append(f"the anchor at offset {message.offset()} counts for nothing: {refusal}")
            else:
                anchor = cast("AuditAnchor", found)
                valid.setdefault(anchor["shard"], []).append(anchor)
        return valid, wrong

    def _refusal(self, anchor: AuditAnchor, roster: Roster) -> str:
        if anchor["nation"] != roster.nation:
            return "it is of another nation"
        officer = roster.find(anchor["officer"])
        if officer is None or not officer.may(Role.AUDIT, anchor["at_ms"]):
            return f"its key is not on the roster in the role {Role.AUDIT}, or had ended"
        if not is_signed(officer.key, ANCHOR_PURPOSE, anchor_body(self._codec, anchor), anchor["signature"]):
            return f"its signature is not {officer.person}'s"
        return ""

    def verify(self, roster: Roster, engines: Mapping[str, Engine]) -> tuple[list[ChainReport], list[str]]:
        """A report on each chain, and the findings about anchors."""
        anchors, wrong = self.anchors(roster)
        reports = []
        for shard in range(self._shards):
            heads: list[audit.Head] = []
            found = self._written(shard, heads)
            reports.append(verify(roster.nation, shard, found, anchors.get(shard, ()), engines, heads.pop))
        return reports, wrong

    def write(self, signed: Sequence[AuditAnchor]) -> None:
        """Put anchors on their topic. Raises DeliveryTimeout if the cluster has not acknowledged them."""
        producer = idempotent_producer(self._cluster)
        for anchor in signed:
            key = f"{anchor['shard']}/{anchor['sequence']}".encode()
            produce(producer, topics.ANCHORS, 0, key, self._codec.encode(AUDIT_ANCHOR, anchor))
        if producer.flush(_DELIVERY_S):
            raise DeliveryTimeout(f"{self._cluster.bootstrap} has not taken the anchors: run the same command again")

    def truncate(self, roster: Roster, before_ms: int) -> dict[int, int]:
        """Delete entries older than a time that a signed anchor covers. Returns the new start of each shard.

        Raises Refused if an anchor is forged: then nothing is deleted.
        """
        anchors, wrong = self.anchors(roster)
        if wrong:
            raise Refused("; ".join(wrong))
        cuts: dict[int, int] = {}
        for shard, signed in anchors.items():
            young = offset_at(self._cluster, topics.AUDIT, shard, before_ms)
            limit = end_offset(self._cluster, topics.AUDIT, shard) if young is None else young
            cut = max((anchor["offset"] for anchor in signed if anchor["offset"] <= limit), default=0)
            if cut > begin_offset(self._cluster, topics.AUDIT, shard):
                cuts[shard] = cut
        places = [TopicPartition(topics.AUDIT, shard, cut) for shard, cut in cuts.items()]
        if places:
            admin = AdminClient(self._cluster.client())
            for place, future in admin.delete_records(places, request_timeout=CALL_TIMEOUT_S).items():
                answer(future, self._cluster, f"truncate {place.topic}-{place.partition}")
        return cuts
