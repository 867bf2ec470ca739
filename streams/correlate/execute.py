"""The changes that a command makes in an indicator's row, or why it is refused. Pure.

The row only keeps officers' decisions. The consequences for the nation and its partners are decided together
with everything else (``streams.correlate.review``), when the row is next released.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from schemas.quarantine import Refused
from schemas.records import Command
from schemas.vocabulary import CommandKind, IndicatorType, Outcome, RejectReason
from streams.correlate import officers
from streams.correlate.commands import AuthorisedCommand, marking_of
from streams.correlate.officers import OfficerAct, OfficerDecisions, Review, Used, Veto
from streams.correlate.review import approved, covered, holds_of
from streams.correlate.row import Row
from streams.correlate.units import facets_in, units
from streams.enrichment.enrich import NOTHING_KNOWN
from streams.rules.classifier import Classifier

_LOOSENS: Final = frozenset({CommandKind.VERDICT, CommandKind.LIFT, CommandKind.REISSUE})


class Executed(msgspec.Struct, frozen=True):
    """The row after a command. ``reissue`` are the partners to send it to again; empty is the nation itself."""

    row: Row
    reissue: frozenset[str] = frozenset()


def execute(
    authorised: AuthorisedCommand,
    row: Row | None,
    classifier: Classifier,
    now_ms: int,
    partners: Sequence[str],
    own: Collection[str] = (),
) -> Executed | Refused:
    """Carry out a command on the row of its indicator. ``row`` is None for an indicator that was never reported.

    A command is executed once: whoever writes its bytes again, it has no effect.
    ``own`` are those of the officer's sensors that have reported it.
    """
    known = officers.NO_DECISIONS if row is None or row.officers is None else row.officers
    used, command = _used(authorised.command), authorised.command
    loosens = authorised.kind in _LOOSENS and command["verdict"] != officers.REFUSE
    if known.is_used(used.digest, used.issued_ms, loosens=loosens):
        return _nothing(f"command {command['command_id'][:40]} was executed already: sign another one")
    done = _executed(authorised, row, known, classifier, now_ms, partners, own)
    if isinstance(done, Refused):
        return done
    decisions = (done.row.officers or officers.NO_DECISIONS).having_used(used, authorised.appended_ms)
    return msgspec.structs.replace(done, row=row_with(done.row, decisions))


def _executed(
    authorised: AuthorisedCommand,
    row: Row | None,
    known: OfficerDecisions,
    classifier: Classifier,
    now_ms: int,
    partners: Sequence[str],
    own: Collection[str],
) -> Executed | Refused:
    match authorised.kind:
        case CommandKind.REISSUE:
            return _reissue(authorised, row, partners)
        case CommandKind.VERDICT:
            changed = _judge(authorised, row, known, classifier, now_ms, own)
        case CommandKind.LIFT:
            changed = _lift(authorised, known, now_ms)
        case _:
            changed = _forbid(authorised, known, now_ms)
    if isinstance(changed, Refused):
        return changed
    return Executed(row_with(row, changed))


def row_with(row: Row | None, decisions: OfficerDecisions) -> Row:
    """The row with these decisions. An indicator that was never reported gets a row without assertions and value."""
    return msgspec.structs.replace(row or Row(IndicatorType.DOMAIN_NAME, "", NOTHING_KNOWN), officers=decisions)


def _used(command: Command) -> Used:
    digest = sha256(command["command_id"].encode()).digest()[: officers.CONTENT_BYTES]
    return Used(digest, command["issued_ms"], command["expires_ms"])


def _act(authorised: AuthorisedCommand, now_ms: int) -> OfficerAct:
    command = authorised.command
    return OfficerAct(
        authorised.officer.person,
        authorised.officer.key_id,
        command["command_id"],
        now_ms,
        command["reason"].strip(),
        command["verdict"],
    )


def _nothing(detail: str) -> Refused:
    return Refused(RejectReason.NOTHING_TO_DO, detail)


def _forbid(authorised: AuthorisedCommand, known: OfficerDecisions, now_ms: int) -> OfficerDecisions | Refused:
    partner = authorised.command["partner"]
    for veto in known.vetoes:
        if veto.kind == authorised.kind and veto.partner in ("", partner):
            return _nothing(f"the same veto is in force already, by {veto.by.person}, command {veto.by.command_id}")
    if len(known.vetoes) >= officers.MAX_VETOES:
        return _nothing(f"{len(known.vetoes)} vetoes are in force on it: that is the maximum")
    act = _act(authorised, now_ms)
    veto = Veto(str(authorised.kind), partner, authorised.command["reason_code"], act)
    return msgspec.structs.replace(known, vetoes=(*known.vetoes, veto))


def _lift(authorised: AuthorisedCommand, known: OfficerDecisions, now_ms: int) -> OfficerDecisions | Refused:
    """Two persons end a veto: the first is noted, the second removes it."""
    about, person = authorised.command["about"], authorised.officer.person
    veto = next((veto for veto in known.vetoes if veto.by.command_id == about), None)
    if veto is None:
        return _nothing(f"no veto of command {about} is in force on it")
    if any(lift.person == person for lift in veto.lifts):
        return _nothing(f"{person} has lifted it already: another person is needed")
    lifts = (*veto.lifts, _act(authorised, now_ms))
    changed = [] if len(lifts) >= officers.LIFTERS else [msgspec.structs.replace(veto, lifts=lifts)]
    kept = (*(other for other in known.vetoes if other is not veto), *changed)
    return msgspec.structs.replace(known, vetoes=kept)


def _judge(
    authorised: AuthorisedCommand,
    row: Row | None,
    known: OfficerDecisions,
    classifier: Classifier,
    now_ms: int,
    own: Collection[str],
) -> OfficerDecisions | Refused:
    command = authorised.command
    review = known.review_for(command["partner"])
    if row is None or review is None:
        return Refused(RejectReason.NOT_AS_ASKED, f"no release of it to {command['partner']} waits for review")
    if review.question != command["question"]:
        return Refused(
            RejectReason.NOT_AS_ASKED,
            "it has changed since, or was asked anew: other sources, markings or rules; look at it again",
        )
    if review.state == officers.LAPSED or (review.state == officers.OPEN and review.deadline_ms <= now_ms):
        until = datetime.fromtimestamp(review.deadline_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return Refused(RejectReason.DEADLINE_PASSED, f"the deadline was {until}: it is withheld")
    if review.state == officers.REFUSED:
        return _nothing("it was refused already")
    if len(review.acts) >= officers.MAX_ACTS:
        return _nothing(f"{len(review.acts)} verdicts were given on it: that is the maximum")
    acts = (*review.acts, _act(authorised, now_ms))
    if command["verdict"] == officers.REFUSE:
        refused = msgspec.structs.replace(review, state=officers.REFUSED, acts=acts)
        return known.with_review(review.partner, refused)
    wrong = _wrong_with_approval(authorised, row, review, classifier, own)
    if wrong is not None:
        return wrong
    marking = command["marking"]
    assigned = review.assigned if marking is None else marking_of(marking)
    given = msgspec.structs.replace(review, acts=acts, assigned=assigned)
    if given.approvals >= given.needed:
        given = msgspec.structs.replace(given, state=officers.APPROVED)
    return known.with_review(review.partner, given)


def _wrong_with_approval(
    authorised: AuthorisedCommand, row: Row, review: Review, classifier: Classifier, own: Collection[str]
) -> Refused | None:
    officer, marking = authorised.officer, authorised.command["marking"]
    if review.state == officers.APPROVED:
        return _nothing("it was approved already")
    agreement = classifier.engine.policy_set.links.get(review.partner)
    if agreement is not None and agreement.officers and officer.person not in agreement.officers:
        return Refused(
            RejectReason.NOT_AUTHORISED, f"{officer.person} is not among the officers of the link to {review.partner}"
        )
    if own:
        return Refused(
            RejectReason.OWN_REPORT,
            f"{officer.person} runs {', '.join(sorted(own)[:4])}, which reports it: another person must approve it",
        )
    approvals = [act for act in review.acts if act.verdict == officers.APPROVE]
    if any(act.person == officer.person for act in approvals):
        return _nothing(f"{officer.person} has approved it already: another person is needed")
    assigned = None if marking is None else marking_of(marking)
    if approvals and assigned != review.assigned:
        return Refused(
            RejectReason.NOT_AS_ASKED, f"{approvals[0].person} has approved it under another marking: agree on one"
        )
    pieces = units(row)
    judgement = classifier.decide(facets_in(row, pieces, classifier.ratings), review.partner)
    holds = holds_of(judgement, review.partner, classifier.engine)
    held = covered(judgement.decision, holds, review.groups)
    would = approved(classifier, row, pieces, held, review.partner, assigned)
    if would.outcome is not Outcome.RELEASE:
        return Refused(
            RejectReason.NOT_AS_ASKED,
            f"if approved, it would still be withheld ({', '.join(would.rules)}): an approval does not override these "
            "rules; an indicator whose marking is missing or was not understood needs one with the approval (--tlp)",
        )
    return None


def _reissue(authorised: AuthorisedCommand, row: Row | None, partners: Sequence[str]) -> Executed | Refused:
    partner, version = authorised.command["partner"], authorised.command["version"]
    if row is None or not row.assertions:
        return _nothing("no sensor has reported it")
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
        return _nothing("it was never released, or a later version was released since")
    return Executed(row, frozenset(wanted))
