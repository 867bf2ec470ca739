"""What becomes of a decision of the rules once people have spoken: vetoes, approvals, refusals, deadlines. Pure.

The rules decide first. A veto forbids, whatever they say. What they hold is a question to officers, and the answer
holds for that question only: other facets, or another rule, is another question. An approval lifts holds and nothing
else: the rules that withhold stand, and so do the guards.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from schemas.markings import Marking, Tlp
from schemas.vocabulary import CommandKind, EndReason, Outcome, RecordKind
from streams.correlate import officers
from streams.correlate.next_release import Stop
from streams.correlate.officers import OfficerDecisions, Review, Veto
from streams.correlate.row import Row
from streams.correlate.units import Unit, facets_in
from streams.rules.classifier import Classifier, Judgement
from streams.rules.decide import ReleaseDecision, decide_approved
from streams.rules.engine import REVIEW_LAPSED, REVIEW_REFUSED, STANDING_VETO, Engine
from streams.rules.facets import Facets, merged_facets

HOUR_MS: Final = 60 * 60 * 1000


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """The decision that stands, with what people have to do with it.

    ``by_rules`` says whether the rules, and officers' approvals under them, would let it go: a veto aside.
    """

    decision: ReleaseDecision
    digest: bytes
    review: Review | None = None
    veto: Veto | None = None
    by_rules: bool = False


def ruled(
    classifier: Classifier,
    row: Row,
    pieces: Sequence[Unit],
    partner: str,
    judgement: Judgement,
    said: OfficerDecisions,
    now_ms: int,
) -> Ruling:
    """The ruling on one indicator for one partner. Its ``review`` is the one to keep: None if nothing is asked."""
    decision = judgement.decision
    review = None
    if decision.outcome is Outcome.HOLD:
        review = _asked(judgement, said, partner, classifier.engine, now_ms)
        decision = _answered(classifier, row, pieces, decision, review)
    by_rules = decision.outcome is Outcome.RELEASE
    veto = said.veto_for(partner)
    if veto is not None:
        decision = msgspec.structs.replace(
            decision, outcome=Outcome.WITHHOLD, rules=(STANDING_VETO,), obligations=(), included=()
        )
    return Ruling(decision, _digest(judgement, review, veto), review, veto, by_rules)


def stop_of(ruling: Ruling, *, rules_changed: bool) -> Stop:
    """How a release ends that may not be shared, or not any more.

    What an officer has called false is revoked, unless it may not be shared anyhow: then it has to be purged.
    """
    veto = ruling.veto
    if veto is not None and veto.kind == CommandKind.RECALL:
        return Stop(RecordKind.RECALLED, EndReason(veto.reason_code))
    if veto is not None and ruling.by_rules:
        return Stop(RecordKind.REVOKED, EndReason(veto.reason_code))
    if ruling.review is not None and ruling.review.state == officers.REFUSED:
        return Stop(RecordKind.RECALLED, EndReason.RECALLED_BY_HAND)
    return Stop(RecordKind.RECALLED, EndReason.POLICY_CHANGED if rules_changed else EndReason.MARKING_TIGHTENED)


def content_of(judgement: Judgement, engine: Engine) -> bytes:
    """The digest of what a review asks: the facets, and the text of the holding rules.

    Another policy version alone is no other question, so that what people have approved outlives it.
    """
    decision = judgement.decision
    groups = [(group.facets, group.verdict.outcome, group.verdict.rules) for group in decision.groups]
    return _digest_of((groups, _texts(decision.rules, engine)))


def _texts(rules: Sequence[str], engine: Engine) -> list[str]:
    return [engine.policy_set.rules[name].body for name in rules if name in engine.policy_set.rules]


def _digest_of(parts: object) -> bytes:
    return sha256(msgspec.msgpack.encode(parts)).digest()[: officers.CONTENT_BYTES]


def approved(
    classifier: Classifier,
    row: Row,
    pieces: Sequence[Unit],
    held: ReleaseDecision,
    partner: str,
    assigned: Marking | None,
) -> ReleaseDecision:
    """The content that an approval would release, with ``assigned`` as the marking of unmarked data."""
    facets = facets_in(row, pieces)

    def assign(each: Facets) -> Facets:
        return with_marking(each, assigned)

    def merge(included: Sequence[int]) -> Facets:
        return merged_facets([assign(facets[index]) for index in included])

    return decide_approved(held, facets, assign, merge, partner, classifier.engine)


def with_marking(facets: Facets, assigned: Marking | None) -> Facets:
    """The facets with the officers' marking, if they are unmarked."""
    return msgspec.structs.replace(facets, marking=marked(facets.marking, assigned))


def marked(marking: Marking, assigned: Marking | None) -> Marking:
    """The officers' marking if there is none. The source's recipients, caveats and PAP remain."""
    if assigned is None or marking.tlp is not Tlp.UNMARKED:
        return marking
    return Marking(
        tlp=assigned.tlp,
        pap=max(marking.pap, assigned.pap),
        releasable_to=marking.releasable_to or assigned.releasable_to,
        caveats=tuple(sorted({*marking.caveats, *assigned.caveats})),
    )


def units_marked(pieces: Sequence[Unit], assigned: Marking | None) -> Sequence[Unit]:
    """The pieces as they are released under the officers' marking."""
    if assigned is None:
        return pieces
    return [msgspec.structs.replace(piece, marking=marked(piece.marking, assigned)) for piece in pieces]


def _asked(judgement: Judgement, said: OfficerDecisions, partner: str, engine: Engine, now_ms: int) -> Review:
    """The review of a decision to hold: the known one if it asks the same, lapsed at its deadline.

    A question that returns is as it was left, refused or lapsed. If it was open, its deadline remains, and officers
    answer it anew: earlier verdicts were on an earlier opening.
    """
    content, review = content_of(judgement, engine), said.review_for(partner)
    if review is None or review.content != content:
        rules = [engine.policy_set.rules[name] for name in judgement.decision.rules if name in engine.policy_set.rules]
        needed = max((rule.reviewers for rule in rules), default=1)
        hours = min((rule.deadline_hours for rule in rules), default=1)
        question = officers.question_of(content, max(said.opening + 1, now_ms))
        groups = _groups_of(judgement, content, engine)
        review = Review(partner, question, needed, now_ms, now_ms + hours * HOUR_MS, groups=groups)
        review = said.with_review(partner, None).as_left(review)
    if review.state == officers.OPEN and review.deadline_ms <= now_ms:
        return msgspec.structs.replace(review, state=officers.LAPSED)
    return review


def _groups_of(judgement: Judgement, content: bytes, engine: Engine) -> tuple[bytes, ...]:
    """The digests of the groups that are held. If only the merge is held, or there are too many: all of it as one."""
    held = [group for group in judgement.decision.groups if group.verdict.outcome is Outcome.HOLD]
    found = sorted({_digest_of((group.facets, _texts(group.verdict.rules, engine))) for group in held})
    return tuple(found) if 0 < len(found) <= officers.MAX_GROUPS else (content,)


def _answered(
    classifier: Classifier, row: Row, pieces: Sequence[Unit], held: ReleaseDecision, review: Review
) -> ReleaseDecision:
    match review.state:
        case officers.APPROVED:
            return approved(classifier, row, pieces, held, review.partner, review.assigned)
        case officers.REFUSED:
            return _withheld(held, REVIEW_REFUSED)
        case officers.LAPSED:
            return _withheld(held, REVIEW_LAPSED)
    return held


def _withheld(held: ReleaseDecision, why: str) -> ReleaseDecision:
    return msgspec.structs.replace(
        held, outcome=Outcome.WITHHOLD, rules=tuple(sorted({*held.rules, why})), obligations=()
    )


def _digest(judgement: Judgement, review: Review | None, veto: Veto | None) -> bytes:
    """Changes with whatever the audit has of the ruling."""
    if review is None and veto is None:
        return judgement.digest
    return _digest_of((judgement.digest, review, veto))
