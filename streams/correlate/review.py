"""The result of the rules' decision after officers' decisions: vetoes, approvals, refusals, deadlines. Pure.

The rules decide first. A veto forbids, whatever they decide. A hold is a question to officers, and the answer
holds for that question only: other facets, or another rule, is another question. An approval lifts holds and nothing
else: the rules that withhold still apply, and so do the guards.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from schemas.markings import Marking
from schemas.ratings import Ratings
from schemas.vocabulary import CommandKind, EndReason, Outcome, RecordKind
from streams.correlate import officers
from streams.correlate.included import labels_of
from streams.correlate.next_release import Stop
from streams.correlate.officers import OfficerDecisions, Review, Veto
from streams.correlate.row import Row
from streams.correlate.units import Unit, facets_in
from streams.rules.classifier import Classifier, Judgement
from streams.rules.decide import DecidedGroup, ReleaseDecision, decide_approved
from streams.rules.engine import REVIEW_LAPSED, REVIEW_REFUSED, STANDING_VETO, Engine, Verdict
from streams.rules.facets import Facets, merged_facets, with_marking

HOUR_MS: Final = 60 * 60 * 1000


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """The final decision, with the officers' part in it.

    ``by_rules`` states whether the rules, and officers' approvals under them, would let it go: a veto aside.
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
        review, holds = _asked(judgement, row, pieces, said, partner, classifier.engine, now_ms)
        decision = _answered(classifier, row, pieces, covered(decision, holds, review.groups), review)
    by_rules = decision.outcome is Outcome.RELEASE
    veto = said.veto_for(partner)
    if veto is not None:
        decision = msgspec.structs.replace(
            decision, outcome=Outcome.WITHHOLD, rules=(STANDING_VETO,), obligations=(), included=()
        )
    return Ruling(decision, _digest(judgement, review, veto), review, veto, by_rules)


def stop_of(ruling: Ruling, *, rules_changed: bool, was_approved: bool) -> Stop:
    """How a release ends that may not be shared, or not any more. ``was_approved`` if officers had let it go.

    An indicator that an officer calls false is revoked, or purged if it may not be shared anyhow. A refusal
    is the reason only if it takes an approval back: other refusals do not concern the partner.
    """
    veto = ruling.veto
    if veto is not None and veto.kind == CommandKind.RECALL:
        return Stop(RecordKind.RECALLED, EndReason(veto.reason_code))
    if veto is not None and ruling.by_rules:
        return Stop(RecordKind.REVOKED, EndReason(veto.reason_code))
    if was_approved and ruling.review is not None and ruling.review.state == officers.REFUSED:
        return Stop(RecordKind.RECALLED, EndReason.RECALLED_BY_HAND)
    return Stop(RecordKind.RECALLED, EndReason.POLICY_CHANGED if rules_changed else EndReason.MARKING_TIGHTENED)


def holds_of(judgement: Judgement, partner: str, engine: Engine) -> Mapping[Facets | None, bytes]:
    """The digest of each hold: by the facets of a group that is held, None for the merge of those that are allowed.

    A digest is of the facets and of the texts of the holding rules: another policy version alone is no other hold.
    Withheld data is not in it, so it changes no approval.
    """
    decision = judgement.decision
    found: dict[Facets | None, bytes] = {
        group.facets: _hold(group.facets, group.verdict, engine)
        for group in decision.groups
        if group.verdict.outcome is Outcome.HOLD
    }
    if decision.merged is not None:
        verdict = engine.decide(decision.merged, partner)
        if verdict.outcome is Outcome.HOLD:
            found[None] = _digest_of(("merge", _hold(decision.merged, verdict, engine)))
    return found


def _hold(facets: Facets, verdict: Verdict, engine: Engine) -> bytes:
    """Of the rating only if a holding rule looks at it: another rating of a source is no other hold."""
    rules = engine.policy_set.rules
    asked = msgspec.structs.asdict(facets)
    if engine.policy_set.rated_rules.isdisjoint(verdict.rules):
        del asked["rating"]
    return _digest_of((asked, [rules[name].body for name in verdict.rules if name in rules]))


def _digest_of(parts: object) -> bytes:
    return sha256(msgspec.msgpack.encode(parts)).digest()[: officers.CONTENT_BYTES]


def covered(held: ReleaseDecision, holds: Mapping[Facets | None, bytes], groups: Collection[bytes]) -> ReleaseDecision:
    """The decision, in which all that the review of these ``groups`` does not ask about is left out."""
    everything = _together(holds.values()) in groups
    merge = None in holds and (everything or holds[None] in groups)

    def is_asked(group: DecidedGroup) -> bool:
        if group.verdict.outcome is Outcome.HOLD:
            return everything or holds[group.facets] in groups
        return group.verdict.outcome is not Outcome.RELEASE or merge

    marked = [msgspec.structs.replace(group, left_out=not is_asked(group)) for group in held.groups]
    return msgspec.structs.replace(held, groups=tuple(marked))


def _together(holds: Iterable[bytes]) -> bytes:
    return _digest_of(sorted({*holds}))


def approved(
    classifier: Classifier,
    row: Row,
    pieces: Sequence[Unit],
    held: ReleaseDecision,
    partner: str,
    assigned: Marking | None,
) -> ReleaseDecision:
    """The content that an approval would release, with ``assigned`` in place of a missing or unknown marking."""
    facets = facets_in(row, pieces, classifier.ratings)

    def assign(each: Facets) -> Facets:
        return with_marking(each, assigned)

    def merge(included: Sequence[int]) -> Facets:
        return merged_facets([assign(facets[index]) for index in included])

    return decide_approved(held, facets, assign, merge, partner, classifier.engine)


def units_marked(pieces: Sequence[Unit], assigned: Marking | None) -> Sequence[Unit]:
    """The pieces as they are released under the officers' marking."""
    if assigned is None:
        return pieces
    return [msgspec.structs.replace(piece, marking=piece.marking.read_as(assigned)) for piece in pieces]


def _asked(
    judgement: Judgement,
    row: Row,
    pieces: Sequence[Unit],
    said: OfficerDecisions,
    partner: str,
    engine: Engine,
    now_ms: int,
) -> tuple[Review, Mapping[Facets | None, bytes]]:
    """The review of a decision to hold, and its holds: the known review if it asks the same, lapsed at its deadline.

    An approval remains while any of its data is held: other held data is left out, as is the data held beside a
    release of the rules. A question that returns is as it was left, refused or lapsed. If it was open, its deadline
    remains, and officers answer it anew: earlier verdicts were on an earlier opening.
    """
    holds, review = holds_of(judgement, partner, engine), said.review_for(partner)
    groups = tuple(sorted({*holds.values()}))
    if len(groups) > officers.MAX_GROUPS:
        groups = (_together(groups),)
    if review is not None and review.state == officers.APPROVED and {*review.groups} & {*groups, *holds.values()}:
        return review, holds
    labels = labels_of(asked_in(row, pieces, judgement.decision, engine.policy_set.ratings))
    content = _digest_of((groups, labels))
    if review is None or review.content != content:
        rules = [engine.policy_set.rules[name] for name in judgement.decision.rules if name in engine.policy_set.rules]
        needed = max((rule.reviewers for rule in rules), default=1)
        hours = min((rule.deadline_hours for rule in rules), default=1)
        question = officers.question_of(content, max(said.opening + 1, now_ms))
        review = Review(partner, question, needed, now_ms, now_ms + hours * HOUR_MS, groups=groups, labels=labels)
        review = said.with_review(partner, None).as_left(review)
    if review.state == officers.OPEN and review.deadline_ms <= now_ms:
        review = msgspec.structs.replace(review, state=officers.LAPSED)
    return review, holds


def asked_in(row: Row, pieces: Sequence[Unit], held: ReleaseDecision, ratings: Ratings) -> list[Unit]:
    """The units that an approval of all that is held may release."""
    withheld = {group.facets for group in held.groups if group.verdict.outcome is Outcome.WITHHOLD}
    facets = facets_in(row, pieces, ratings)
    return [piece for piece, each in zip(pieces, facets, strict=True) if each not in withheld]


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
