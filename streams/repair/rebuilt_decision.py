"""The latest decisions on an indicator: their content, with the reviews and vetoes of that time.

An answer to a review is taken up only if the rebuilt row asks the same question; else it is asked again, and held
until then.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from schemas.marking_records import marking_of
from schemas.markings import Marking
from schemas.records import AssertionDecision, Decision, OfficerVerdict
from schemas.vocabulary import Outcome
from streams.audit import entry as audit
from streams.correlate.officers import NO_DECISIONS, OfficerAct, OfficerDecisions, Review, Veto
from streams.correlate.review import Ruling, ruled
from streams.correlate.row import Row
from streams.correlate.units import facets_in, units
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.facets import from_record


class Decided(msgspec.Struct, frozen=True, gc=False):
    """The last decision on an indicator for a partner: its id, its position, its content, and all markings it saw.

    ``rules`` names the versions that it was made with; ``review`` and ``veto`` are officers' decisions.
    """

    decision_id: str
    sequence: int
    says: bytes
    markings: tuple[Marking, ...]
    rules: bytes
    review: Review | None
    veto: Veto | None


def decided_of(decision: Decision) -> Decided:
    """The content of a decision's record. Raises ValueError if it was altered."""
    markings = {from_record(group["facets"]).marking: None for group in decision["assertions"]}
    versions = audit.Versions(decision["policy_version"], decision["engine_version"], decision["enrichment_version"])
    review, veto = _review_of(decision), _veto_of(decision)
    says = _says(
        decision["outcome"],
        decision["rules"],
        decision["obligations"],
        decision["assertions"],
        (versions.policy, versions.engine),
        review,
        veto,
    )
    return Decided(decision["decision_id"], decision["sequence"], says, tuple(markings), versions.digest, review, veto)


def _review_of(decision: Decision) -> Review | None:
    """The review in a decision's record. How many it needs is not in it: ``with_officers`` knows."""
    if not decision["review"]:
        return None
    assigned = decision["assigned"]
    return Review(
        decision["partner"],
        decision["question"],
        0,
        decision["at_ms"],
        decision["deadline_ms"],
        decision["review"],
        tuple(_act_of(verdict) for verdict in decision["verdicts"]),
        None if assigned is None else marking_of(assigned),
    )


def _veto_of(decision: Decision) -> Veto | None:
    """The veto in a decision's record. Its partners are not recorded: it is taken to be for all."""
    veto = decision["veto"]
    if veto is None:
        return None
    act = OfficerAct(veto["person"], veto["officer"], veto["command_id"], veto["at_ms"], veto["reason"])
    return Veto(veto["kind"], "", veto["reason_code"], act)


def _act_of(verdict: OfficerVerdict) -> OfficerAct:
    return OfficerAct(
        verdict["person"],
        verdict["officer"],
        verdict["command_id"],
        verdict["at_ms"],
        verdict["reason"],
        verdict["verdict"],
    )


def with_officers(
    row: Row, by_officers: OfficerDecisions, decided: Mapping[str, Decided], classifier: Classifier, now_ms: int
) -> Row:
    """The row with the vetoes that are known, those that only a decision shows, and the reviews of the decisions."""
    known = {veto.by.command_id for veto in by_officers.vetoes}
    more = {each.veto.by.command_id: each.veto for each in decided.values() if each.veto is not None}
    vetoes = (*by_officers.vetoes, *(veto for command, veto in sorted(more.items()) if command not in known))
    standing, pieces = msgspec.structs.replace(by_officers, vetoes=vetoes), units(row)
    for partner, each in decided.items():
        judgement = classifier.decide(facets_in(row, pieces, classifier.ratings), partner)
        if each.review is None or judgement.decision.outcome is not Outcome.HOLD:
            continue
        asked = ruled(classifier, row, pieces, partner, judgement, NO_DECISIONS, now_ms).review
        if asked is not None and asked.content == each.review.content:
            restored = msgspec.structs.replace(
                each.review, needed=asked.needed, groups=asked.groups, labels=asked.labels
            )
            standing = standing.with_review(partner, restored)
    return row if standing == NO_DECISIONS else msgspec.structs.replace(row, officers=standing)


def says_of(ruling: Ruling, engine: Engine) -> bytes:
    """The content of a decision made now, to be compared with an earlier one."""
    decision = ruling.decision
    groups = [group.to_record() for group in decision.groups]
    versions = (engine.version, engine.engine_version)
    return _says(
        str(decision.outcome), decision.rules, decision.obligations, groups, versions, ruling.review, ruling.veto
    )


def _says(
    outcome: str,
    rules: Iterable[str],
    obligations: Iterable[str],
    groups: Iterable[AssertionDecision],
    versions: tuple[str, str],
    review: Review | None,
    veto: Veto | None,
) -> bytes:
    """All of a decision but of how many sources it is, as ``release.Judgement`` distinguishes decisions."""
    plain = [(group["facets"], group["outcome"], list(group["rules"])) for group in groups]
    asked = None if review is None else (review.question, review.state, review.deadline_ms, review.acts)
    stands = None if veto is None else veto.by.command_id
    parts = (outcome, list(rules), list(obligations), plain, versions, asked, stands)
    return sha256(msgspec.msgpack.encode(parts, order="sorted")).digest()[:16]
