"""What each partner is told about one indicator: decide, hear officers, redact, compare with what was told; audit."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import msgspec

from exchange.authority.policy_record import Border
from exchange.metrics import spec
from exchange.metrics.labels import ReviewEnd
from exchange.protocol.record import Output
from schemas import topics
from schemas.codec import DECISION, RELEASED_INDICATOR, REVIEW_PENDING, Codec
from schemas.identity import indicator_id
from schemas.markings import Caveat, Marking
from schemas.records import Content, ReleasedIndicator, ReviewPending
from schemas.vocabulary import EndReason, Outcome, RecordKind
from streams.audit import entry as audit
from streams.correlate import standing
from streams.correlate.disclosure import Stop, told_next, told_over_closed_border
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.release import Classifier, Unit, content_for, included, terms_of, units
from streams.correlate.review import Ruling, ruled, stop_of, units_marked
from streams.correlate.row import Row, Sent
from streams.correlate.work import Work

DECISION_HEADER: Final = "decision"
MAX_SENSORS: Final = 32
DIGEST_BYTES: Final = 16


class Discloser:
    """Tells the partners of one nation, for one shard."""

    def __init__(
        self,
        nation: str,
        partners: Sequence[str],
        roll_up_ms: int,
        lifetimes: Lifetimes,
        shard: int,
        codec: Codec,
        classifier: Classifier,
        versions: audit.Versions,
        borders: Mapping[str, Border] = MappingProxyType({}),
    ) -> None:
        """``borders`` are those that are not open."""
        self._nation, self._partners, self._roll_up_ms, self._lifetimes = nation, partners, roll_up_ms, lifetimes
        self._shard, self._codec, self._classifier, self._versions = shard, codec, classifier, versions
        self._borders = borders
        self._decides_by = versions.digest
        self.rules = versions.digest + (_digest(sorted(borders.items())) if borders else b"")

    def tell(
        self,
        key: bytes,
        before: Row | None,
        row: Row,
        earlier: standing.Standing | None,
        work: Work,
        *,
        again: Collection[str] = (),
    ) -> Row:
        """Tell each partner what it may know; the row as it is after that.

        ``before`` is the row that has changed, None where it has not; ``earlier`` what officers had said before this
        batch. The partners in ``again`` are told also what they know.
        """
        pieces = units(row)
        marked_anew = before is not None and row.is_marked_anew(before)
        other_rules = row.rules[: len(self._decides_by)] not in (b"", self._decides_by)  # borders aside
        for partner in self._partners:
            ruling = self._ruled(row, pieces, partner, work.now_ms)
            content = self._content(row, pieces, partner, ruling, work.now_ms)
            sent = row.sent_to(partner)
            withdrawn = False
            if content is not None and before is not None and marked_anew:
                withdrawn = not self._had(before, partner, work.now_ms) <= included(pieces, ruling.decision)
            if content is not None and other_rules:  # other sources or other obligations than it was told under
                withdrawn |= sent.terms not in (b"", terms_of(pieces, ruling.decision))
            stop = self._stop(row, pieces, sent, ruling, rules_changed=other_rules and not marked_anew)
            told, reason = told_next(
                sent,
                content,
                work.now_ms,
                roll_up_ms=self._roll_up_ms,
                withdrawn=withdrawn,
                stop=stop,
                again=partner in again,
            )
            if partner in self._borders:
                told, reason = told_over_closed_border(sent, told, reason, work.now_ms, stop)
            if told.version != sent.version and content is not None:
                told = msgspec.structs.replace(told, terms=terms_of(pieces, ruling.decision))
            told = self._told(key, sent, told, reason, ruling, content, work)
            row = self._asked(key, row.with_sent(told), told, ruling, earlier, work)
        return row if row.rules == self.rules else msgspec.structs.replace(row, rules=self.rules)

    def _ruled(self, row: Row, pieces: Sequence[Unit], partner: str, now_ms: int) -> Ruling:
        """What the rules say, and where they hold or officers have spoken, what follows from that."""
        judgement = self._classifier.decide(row, pieces, partner)
        if row.standing is None and judgement.decision.outcome is not Outcome.HOLD:
            return Ruling(judgement.decision, judgement.digest, by_rules=judgement.decision.outcome is Outcome.RELEASE)
        said = row.standing or standing.NOTHING
        return ruled(self._classifier, row, pieces, partner, judgement, said, now_ms)

    def _stop(self, row: Row, pieces: Sequence[Unit], sent: Sent, ruling: Ruling, *, rules_changed: bool) -> Stop:
        """What the partner is told where nothing may be shared. What only a warninglist forbids was false."""
        if row.enrichment.benign and sent.kind and ruling.veto is None and not ruling.by_rules:
            unlisted = msgspec.structs.replace(row.enrichment, benign=False)
            bare = msgspec.structs.replace(row, enrichment=unlisted)
            if self._classifier.decide(bare, pieces, sent.partner).decision.outcome is Outcome.RELEASE:
                return Stop(RecordKind.REVOKED, EndReason.FALSE_POSITIVE)
        return stop_of(ruling, rules_changed=rules_changed)

    def _had(self, before: Row, partner: str, now_ms: int) -> frozenset[tuple[str, Marking]]:
        """Whose data was in the release of the row as it was."""
        pieces = units(before)
        return included(pieces, self._ruled(before, pieces, partner, now_ms).decision)

    def _content(self, row: Row, pieces: Sequence[Unit], partner: str, ruling: Ruling, now_ms: int) -> Content | None:
        """What may be shared, redacted; None where nothing may."""
        if ruling.decision.outcome is not Outcome.RELEASE:
            return None
        marked = pieces if ruling.review is None else units_marked(pieces, ruling.review.assigned)
        approved = ruling.review is not None
        return content_for(row, marked, ruling.decision, partner, self._lifetimes, now_ms, approved=approved)

    def _told(
        self, key: bytes, sent: Sent, told: Sent, reason: str, ruling: Ruling, content: Content | None, work: Work
    ) -> Sent:
        """Audit the decision where it is not the one made last time, and send what is to be told."""
        border = self._borders.get(sent.partner, Border.OPEN)
        digest = ruling.digest if border is Border.OPEN else _digest(ruling.digest, border)
        if digest != sent.decision:
            version = told.version if told.version != sent.version else 0
            decision_id = self._audit(key, sent.partner, ruling, version, border, work)
            told = msgspec.structs.replace(told, decision=digest, decision_id=decision_id)
        if told.version != sent.version:
            self._send(key, told, reason, content, work)
        return told

    def _asked(
        self, key: bytes, row: Row, sent: Sent, ruling: Ruling, earlier: standing.Standing | None, work: Work
    ) -> Row:
        """Show what waits for officers, take away what does not any more, and keep what they have said."""
        said, partner, review = row.standing or standing.NOTHING, sent.partner, ruling.review
        shown = None if earlier is None else earlier.review_for(partner)
        if review is not None and review.state == standing.OPEN:
            if review != shown:
                self._show(key, row, sent, ruling, review, work)
        elif shown is not None and shown.state == standing.OPEN:
            self._put_pending(key, partner, None, work)
            work.tally[spec.REVIEWS.tally(partner, ReviewEnd.MOOT if review is None else ReviewEnd(review.state))] += 1
        if said.review_for(partner) == review:
            return row
        said = said.with_review(partner, review)
        return msgspec.structs.replace(row, standing=None if said == standing.NOTHING else said)

    def _show(self, key: bytes, row: Row, sent: Sent, ruling: Ruling, review: standing.Review, work: Work) -> None:
        pending: ReviewPending = {
            "indicator_id": indicator_id(key),
            "partner": sent.partner,
            "question": review.question,
            "decision_id": sent.decision_id,
            "type": row.kind.label,
            "value": row.value,
            "rules": list(ruling.decision.rules),
            "assertions": [group.to_record() for group in ruling.decision.groups],
            "sensors": [assertion.sensor for assertion in row.assertions[:MAX_SENSORS]],
            "needed": review.needed,
            "verdicts": [saying.to_record() for saying in review.sayings],
            "opened_ms": review.opened_ms,
            "deadline_ms": review.deadline_ms,
            "policy_version": self._versions.policy,
        }
        self._put_pending(key, sent.partner, self._codec.encode(REVIEW_PENDING, pending), work)

    def _put_pending(self, key: bytes, partner: str, value: bytes | None, work: Work) -> None:
        name = f"{indicator_id(key)}/{partner}".encode()
        work.outputs.append(Output(topics.REVIEW_PENDING, self._shard, name, value))

    def _audit(
        self, key: bytes, partner: str, ruling: Ruling, released_version: int, border: Border, work: Work
    ) -> str:
        entry = audit.entry(
            work.head,
            ruling.decision,
            key,
            nation=self._nation,
            shard=self._shard,
            partner=partner,
            at_ms=work.now_ms,
            versions=self._versions,
            released_version=released_version,
            review=ruling.review,
            veto=ruling.veto,
            border=border,
        )
        value = self._codec.encode(DECISION, entry)
        work.head = audit.after(work.head, value)
        work.outputs.append(Output(topics.AUDIT, self._shard, entry["indicator_id"].encode(), value))
        work.tally[spec.DECISIONS.tally(partner, ruling.decision.outcome)] += 1
        work.tally[spec.AUDIT_ENTRIES.tally()] += 1
        for rule in ruling.decision.rules:
            work.tally[spec.RULE_HITS.tally(rule)] += 1
        return entry["decision_id"]

    def _send(self, key: bytes, told: Sent, reason: str, content: Content | None, work: Work) -> None:
        name = indicator_id(key)
        kind = RecordKind(told.kind)
        record: ReleasedIndicator = {
            "id": name,
            "kind": kind.value,
            "version": told.version,
            "recalled_through": told.recalled_through,
            "origin": self._nation,
            "hops": [self._nation],
            "reason": reason,
            "content": content if kind is RecordKind.CONTENT else None,
        }
        value = self._codec.encode(RELEASED_INDICATOR, record)
        headers = ((DECISION_HEADER, told.decision_id.encode()),)
        work.outputs.append(Output(topics.released(told.partner), self._shard, name.encode(), value, headers))
        if is_urgent(record):
            work.outputs.append(Output(topics.urgent(told.partner), self._shard, name.encode(), value, headers))
        work.tally[spec.RELEASED_RECORDS.tally(told.partner, kind)] += 1


def is_urgent(record: ReleasedIndicator) -> bool:
    """Whether a copy goes by the fast lane: what ends an indicator, and what belongs to a declared incident."""
    return record["content"] is None or str(Caveat.INCIDENT) in record["content"]["caveats"]


def _digest(*parts: object) -> bytes:
    return sha256(msgspec.msgpack.encode(parts)).digest()[:DIGEST_BYTES]
