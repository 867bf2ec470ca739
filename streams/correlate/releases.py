"""One indicator's releases: for each partner decide, apply officers' decisions, redact, compare with the last release.

Every decision that differs from the last one is appended to the shard's audit chain. A record goes out only if the
partner would learn something from it (``streams.correlate.next_release``).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final

import msgspec

from exchange.authority.policy_record import Border
from exchange.metrics import spec
from exchange.metrics.labels import ReviewEnd
from exchange.protocol.record import Output
from schemas import topics
from schemas.codec import REVIEW_PENDING, Codec
from schemas.identity import indicator_id
from schemas.records import Content, ReviewPending
from schemas.vocabulary import EndReason, Outcome, RecordKind
from streams.audit import entry as audit
from streams.correlate import officers
from streams.correlate.content import content_for, terms_of
from streams.correlate.included import Included
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.merge import Merged
from streams.correlate.national import TAKEN_BACK
from streams.correlate.next_release import TIGHTENED, Stop, next_release, over_closed_border
from streams.correlate.officers import NO_DECISIONS, OfficerDecisions, Review
from streams.correlate.released import is_urgent, released
from streams.correlate.review import Ruling, ruled, stop_of, units_marked
from streams.correlate.row import Row, Sent
from streams.correlate.units import Unit, counted, facets_in, units, units_before_withdrawal
from streams.correlate.withdrawn import loses
from streams.correlate.work import Work
from streams.rules.classifier import Classifier, Judgement

DECISION_HEADER: Final = "decision"
MAX_SENSORS: Final = 32
DIGEST_BYTES: Final = 16
_KINDS: Final = {kind.value: kind for kind in RecordKind}


class Releaser:
    """Decides and releases for the partners of one nation, under the rules of one batch, for one shard."""

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
        """``borders`` has the borders that are not open. ``rules`` is a digest that names all it decides by."""
        self._nation, self._partners, self._roll_up_ms, self._lifetimes = nation, partners, roll_up_ms, lifetimes
        self._shard, self._codec, self._classifier, self._versions = shard, codec, classifier, versions
        self._borders = borders
        self._decides_by = versions.digest
        self.rules = versions.digest + (_digest(sorted(borders.items())) if borders else b"")

    def release(
        self,
        key: bytes,
        before: Row | None,
        row: Row,
        earlier: OfficerDecisions | None,
        work: Work,
        *,
        again: Collection[str] = (),
        merged: Merged | None = None,
    ) -> Row:
        """Release to each partner the data that the rules allow; the row after that.

        ``before`` is the row before this batch, None if it has not changed, and ``merged`` its changes;
        ``earlier`` are the officers' decisions before this batch. The partners in ``again`` get their last record again
        if there is no new one.
        """
        ever = units_before_withdrawal(row)
        pieces = units(row) if row.has_withdrawals else ever
        marked_anew = before is not None and merged is not None and merged.is_marked_anew
        other_rules = row.rules[: len(self._decides_by)] not in (b"", self._decides_by)  # borders aside
        for partner in self._partners:
            ruling = self._ruled(row, pieces, partner, work.now_ms)
            included = self._included(row, pieces, ruling)
            content = None if included is None else self._content(included, partner, ruling, work.now_ms)
            sent = row.sent_to(partner)
            withdrawn = False
            if content is not None and before is not None and merged is not None and marked_anew:
                allowed = ruling if ever is pieces else self._ruled(row, ever, partner, work.now_ms)
                was = self._ruled(before, units(before), partner, work.now_ms)
                changes, ratings = merged.changes, self._classifier.ratings
                withdrawn = loses(before, was.decision, row, ever, allowed.decision, changes, ratings)
            owed = ruling.decision.obligations
            if included is not None and other_rules:  # other sources or other obligations than in the last release
                withdrawn |= sent.terms not in (b"", terms_of(key, included, owed))
            changed = other_rules and content is None
            changed = changed and (before is None or not self._allows(before, partner, work.now_ms))
            stop = self._stop(row, pieces, sent, ruling, earlier, rules_changed=changed) if sent.kind else TIGHTENED
            if content is None and ever is not pieces and ruling.veto is None:
                stop = self._taken_back(row, ever, partner, work.now_ms) or stop
            following, reason = next_release(
                sent,
                content,
                work.now_ms,
                roll_up_ms=self._roll_up_ms,
                withdrawn=withdrawn,
                stop=stop,
                again=partner in again,
            )
            if partner in self._borders:
                following, reason = over_closed_border(sent, following, reason, work.now_ms, stop)
            if following.version != sent.version and included is not None:
                following = msgspec.structs.replace(following, terms=terms_of(key, included, owed))
            if following.version != sent.version and included is not None and content is not None:
                at_home = len(included.stated.all_labels.difference(content["labels"]))
                work.tally[spec.LABELS_AT_HOME.tally(partner)] += at_home
            following = self._audited_and_sent(key, sent, following, reason, ruling, content, work)
            row = self._with_review(key, row.with_sent(following), following, ruling, earlier, work)
        return row if row.rules == self.rules else msgspec.structs.replace(row, rules=self.rules)

    def _ruled(self, row: Row, pieces: Sequence[Unit], partner: str, now_ms: int) -> Ruling:
        """The rules' decision, changed by vetoes and reviews if there are any."""
        facets = facets_in(row, pieces, self._classifier.ratings)
        judgement = self._classifier.decide(facets, partner)
        if row.further is not None:
            judgement = Judgement(counted(judgement.decision, facets, pieces), judgement.digest)
        if row.officers is None and judgement.decision.outcome is not Outcome.HOLD:
            return Ruling(judgement.decision, judgement.digest, by_rules=judgement.decision.outcome is Outcome.RELEASE)
        return ruled(self._classifier, row, pieces, partner, judgement, row.officers or NO_DECISIONS, now_ms)

    def _allows(self, row: Row, partner: str, now_ms: int) -> bool:
        """Whether a row as it was may be released under the rules of today: then they have not ended its release."""
        return self._ruled(row, units(row), partner, now_ms).decision.outcome is Outcome.RELEASE

    def _stop(
        self,
        row: Row,
        pieces: Sequence[Unit],
        sent: Sent,
        ruling: Ruling,
        earlier: OfficerDecisions | None,
        *,
        rules_changed: bool,
    ) -> Stop:
        """How a release ends that is not allowed any more. If only a warninglist forbids it, it was false."""
        if row.enrichment.benign and sent.kind and ruling.veto is None and not ruling.by_rules:
            unlisted = msgspec.structs.replace(row.enrichment, benign=False)
            bare = msgspec.structs.replace(row, enrichment=unlisted)
            judgement = self._classifier.decide(facets_in(bare, pieces, self._classifier.ratings), sent.partner)
            if judgement.decision.outcome is Outcome.RELEASE:
                return Stop(RecordKind.REVOKED, EndReason.FALSE_POSITIVE)
        review = None if earlier is None else earlier.review_for(sent.partner)
        was_approved = review is not None and review.state == officers.APPROVED
        return stop_of(ruling, rules_changed=rules_changed, was_approved=was_approved)

    def _taken_back(self, row: Row, ever: Sequence[Unit], partner: str, now_ms: int) -> Stop | None:
        """How a release ends because sources withdrew data in it; None if it would not be allowed anyhow."""
        included = self._included(row, ever, self._ruled(row, ever, partner, now_ms))
        if included is None:
            return None
        if included.withdrawals & TAKEN_BACK:
            return Stop(RecordKind.REVOKED, EndReason.WITHDRAWN)
        return Stop(RecordKind.EXPIRED, EndReason.VALIDITY_ENDED)

    def _included(self, row: Row, pieces: Sequence[Unit], ruling: Ruling) -> Included | None:
        """The data that may be shared; None if there is none."""
        if ruling.decision.outcome is not Outcome.RELEASE:
            return None
        marked = pieces if ruling.review is None else units_marked(pieces, ruling.review.assigned)
        return Included.of(row, marked, ruling.decision)

    def _content(self, included: Included, partner: str, ruling: Ruling, now_ms: int) -> Content:
        """The shared content, redacted."""
        approved = None if ruling.review is None else ruling.review.labels
        return content_for(included, ruling.decision.obligations, partner, self._lifetimes, now_ms, approved=approved)

    def _audited_and_sent(
        self, key: bytes, sent: Sent, following: Sent, reason: str, ruling: Ruling, content: Content | None, work: Work
    ) -> Sent:
        """Audit the decision if it differs from the last one, and send the record if it has a new version."""
        border = self._borders.get(sent.partner, Border.OPEN)
        digest = ruling.digest if border is Border.OPEN else _digest(ruling.digest, border)
        if digest != sent.decision:
            version = following.version if following.version != sent.version else 0
            decision_id = self._audit(key, sent.partner, ruling, version, border, work)
            following = msgspec.structs.replace(following, decision=digest, decision_id=decision_id)
        if following.version != sent.version:
            self._send(key, following, reason, content, work)
        return following

    def _with_review(
        self, key: bytes, row: Row, sent: Sent, ruling: Ruling, earlier: OfficerDecisions | None, work: Work
    ) -> Row:
        """The row with the ruling's review. An open one is shown on ``review.pending``, any other is removed there."""
        if row.officers is None and earlier is None and ruling.review is None:
            return row
        decisions, partner, review = row.officers or NO_DECISIONS, sent.partner, ruling.review
        shown = None if earlier is None else earlier.review_for(partner)
        if review is not None and review.state == officers.OPEN:
            if review != shown:
                self._show(key, row, sent, ruling, review, work)
        elif shown is not None and shown.state == officers.OPEN:
            self._put_pending(key, partner, None, work)
            work.tally[spec.REVIEWS.tally(partner, ReviewEnd.MOOT if review is None else ReviewEnd(review.state))] += 1
        if decisions.review_for(partner) == review:
            return row
        decisions = decisions.with_review(partner, review)
        return msgspec.structs.replace(row, officers=None if decisions == NO_DECISIONS else decisions)

    def _show(self, key: bytes, row: Row, sent: Sent, ruling: Ruling, review: Review, work: Work) -> None:
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
            "verdicts": [act.to_record() for act in review.acts],
            "opened_ms": review.opened_ms,
            "deadline_ms": review.deadline_ms,
            "policy_version": self._versions.policy,
            "labels": list(review.labels),
        }
        self._put_pending(key, sent.partner, self._codec.encode(REVIEW_PENDING, pending), work)

    def _put_pending(self, key: bytes, partner: str, value: bytes | None, work: Work) -> None:
        name = f"{indicator_id(key)}/{partner}".encode()
        work.outputs.append(Output(topics.REVIEW_PENDING, self._shard, name, value))

    def _audit(
        self, key: bytes, partner: str, ruling: Ruling, released_version: int, border: Border, work: Work
    ) -> str:
        decision_id, value = audit.entry(
            self._codec,
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
        work.head = audit.after(work.head, value)
        work.outputs.append(Output(topics.AUDIT, self._shard, indicator_id(key).encode(), value))
        for counter in _counters(partner, ruling.decision.outcome, ruling.decision.rules):
            work.tally[counter] += 1
        return decision_id

    def _send(self, key: bytes, sent: Sent, reason: str, content: Content | None, work: Work) -> None:
        name, kind = indicator_id(key), _KINDS[sent.kind]
        leaves = content if kind is RecordKind.CONTENT else None
        value = released(self._codec, name, self._nation, sent, reason, leaves)
        headers = ((DECISION_HEADER, sent.decision_id.encode()),)
        work.outputs.append(Output(topics.released(sent.partner), self._shard, name.encode(), value, headers))
        if is_urgent(leaves):
            work.outputs.append(Output(topics.urgent(sent.partner), self._shard, name.encode(), value, headers))
        work.tally[spec.RELEASED_RECORDS.tally(sent.partner, kind)] += 1


@lru_cache(maxsize=4096)
def _counters(partner: str, outcome: Outcome, rules: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    """The counters of a decision."""
    hits = [spec.RULE_HITS.tally(rule) for rule in rules]
    return (spec.DECISIONS.tally(partner, outcome), spec.AUDIT_ENTRIES.tally(), *hits)


def _digest(*parts: object) -> bytes:
    return sha256(msgspec.msgpack.encode(parts)).digest()[:DIGEST_BYTES]
