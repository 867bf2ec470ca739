"""What a command does to an indicator's row, or why it does nothing. Pure.

A row only remembers what was said; what follows for the nation and its partners is decided like everything else
(``streams.correlate.review``), with the next thing that is told.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from schemas.vocabulary import CommandKind, IndicatorType, Outcome, RejectReason
from streams.correlate import standing
from streams.correlate.commands import Order, RefusedCommand, marking_of
from streams.correlate.release import Classifier, units
from streams.correlate.review import approved
from streams.correlate.row import Row
from streams.correlate.standing import Review, Saying, Standing, Veto
from streams.enrichment.enrich import NOTHING_KNOWN


class Obeyed(msgspec.Struct, frozen=True):
    """The row as it is now. ``reissue`` are the partners to be told again, and the nation itself as an empty name."""

    row: Row
    reissue: frozenset[str] = frozenset()


def obey(
    order: Order, row: Row | None, classifier: Classifier, now_ms: int, partners: Sequence[str]
) -> Obeyed | RefusedCommand:
    """Do what an order says."""
    said = standing.NOTHING if row is None or row.standing is None else row.standing
    match order.kind:
        case CommandKind.REISSUE:
            return _reissue(order, row, partners)
        case CommandKind.VERDICT:
            done = _judge(order, row, said, classifier, now_ms)
        case CommandKind.LIFT:
            done = _lift(order, said, now_ms)
        case _:
            done = _forbid(order, said, now_ms)
    if isinstance(done, RefusedCommand):
        return done
    known = row or Row(IndicatorType.DOMAIN_NAME, "", NOTHING_KNOWN)
    return Obeyed(msgspec.structs.replace(known, standing=done))


def _saying(order: Order, now_ms: int) -> Saying:
    command = order.command
    return Saying(
        order.officer.person,
        order.officer.key_id,
        command["command_id"],
        now_ms,
        command["reason"].strip(),
        command["verdict"],
    )


def _nothing(detail: str) -> RefusedCommand:
    return RefusedCommand(RejectReason.NOTHING_TO_DO, detail)


def _forbid(order: Order, said: Standing, now_ms: int) -> Standing | RefusedCommand:
    partner = order.command["partner"]
    for veto in said.vetoes:
        if veto.kind == order.kind and veto.partner in ("", partner):
            return _nothing(f"that stands already, by {veto.said.person}, command {veto.said.command_id}")
    if len(said.vetoes) >= standing.MAX_VETOES:
        return _nothing(f"{len(said.vetoes)} vetoes stand on it: that is the most")
    veto = Veto(str(order.kind), partner, order.command["reason_code"], _saying(order, now_ms))
    return Standing((*said.vetoes, veto), said.reviews)


def _lift(order: Order, said: Standing, now_ms: int) -> Standing | RefusedCommand:
    """Two people end a veto: the first is noted, with the second it is gone."""
    about, person = order.command["about"], order.officer.person
    veto = next((veto for veto in said.vetoes if veto.said.command_id == about), None)
    if veto is None:
        return _nothing(f"no veto of command {about} stands on it")
    if any(lift.person == person for lift in veto.lifts):
        return _nothing(f"{person} has lifted it already: another person is needed")
    lifts = (*veto.lifts, _saying(order, now_ms))
    changed = [] if len(lifts) >= standing.LIFTERS else [msgspec.structs.replace(veto, lifts=lifts)]
    return Standing((*(other for other in said.vetoes if other is not veto), *changed), said.reviews)


def _judge(
    order: Order, row: Row | None, said: Standing, classifier: Classifier, now_ms: int
) -> Standing | RefusedCommand:
    command = order.command
    review = said.review_for(command["partner"])
    if row is None or review is None:
        return RefusedCommand(RejectReason.NOT_AS_ASKED, f"nothing of it waits for a release to {command['partner']}")
    if review.question != command["question"]:
        return RefusedCommand(
            RejectReason.NOT_AS_ASKED, "it has changed since: other sources, markings or rules; look at it again"
        )
    if review.state == standing.LAPSED or (review.state == standing.OPEN and review.deadline_ms <= now_ms):
        until = datetime.fromtimestamp(review.deadline_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return RefusedCommand(RejectReason.DEADLINE_PASSED, f"the deadline was {until}: it is withheld")
    if review.state == standing.REFUSED:
        return _nothing("it was refused already")
    if len(review.sayings) >= standing.MAX_SAYINGS:
        return _nothing(f"{len(review.sayings)} verdicts were given on it: that is the most")
    sayings = (*review.sayings, _saying(order, now_ms))
    if command["verdict"] == standing.REFUSE:
        refused = msgspec.structs.replace(review, state=standing.REFUSED, sayings=sayings)
        return said.with_review(review.partner, refused)
    wrong = _wrong_with_approval(order, row, review, classifier)
    if wrong is not None:
        return wrong
    marking = command["marking"]
    assigned = review.assigned if marking is None else marking_of(marking)
    given = msgspec.structs.replace(review, sayings=sayings, assigned=assigned)
    if given.approvals >= given.needed:
        given = msgspec.structs.replace(given, state=standing.APPROVED)
    return said.with_review(review.partner, given)


def _wrong_with_approval(order: Order, row: Row, review: Review, classifier: Classifier) -> RefusedCommand | None:
    officer, marking = order.officer, order.command["marking"]
    if review.state == standing.APPROVED:
        return _nothing("it was approved already")
    own = sorted(officer.sensors & {assertion.sensor for assertion in row.assertions})
    if own:
        return RefusedCommand(
            RejectReason.OWN_REPORT, f"{officer.person} runs {', '.join(own[:4])}, which reports it: another person"
        )
    approvals = [saying for saying in review.sayings if saying.verdict == standing.APPROVE]
    if any(saying.person == officer.person for saying in approvals):
        return _nothing(f"{officer.person} has approved it already: another person is needed")
    assigned = None if marking is None else marking_of(marking)
    if approvals and assigned != review.assigned:
        return RefusedCommand(
            RejectReason.NOT_AS_ASKED, f"{approvals[0].person} has approved it under another marking: agree on one"
        )
    pieces = units(row)
    held = classifier.decide(row, pieces, review.partner).decision
    would = approved(classifier, row, pieces, held, review.partner, assigned)
    if would.outcome is not Outcome.RELEASE:
        return RefusedCommand(
            RejectReason.NOT_AS_ASKED,
            f"approved, it would still be withheld ({', '.join(would.rules)}): an approval overrides no such rule; "
            "what has no marking needs one with the approval",
        )
    return None


def _reissue(order: Order, row: Row | None, partners: Sequence[str]) -> Obeyed | RefusedCommand:
    partner, version = order.command["partner"], order.command["version"]
    if row is None or not row.assertions:
        return _nothing("nothing is known of it")
    wanted = {
        sent.partner
        for sent in row.sent
        if sent.kind
        and sent.partner in partners
        and partner in ("", sent.partner)
        and (version == 0 or sent.version <= version)
    }
    if not partner and (version == 0 or row.version <= version):
        wanted.add("")
    if not wanted:
        return _nothing("nothing of it was told, or a later version was told since")
    return Obeyed(row, frozenset(wanted))
