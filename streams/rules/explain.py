"""Explains a decision in sentences: why it was made, and which changes would give another outcome."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from schemas.marking_records import marking_of
from schemas.markings import Marking, Pap, Tlp
from schemas.ratings import RANK, Rating
from schemas.records import AssertionDecision, Decision, FacetsRecord
from schemas.vocabulary import Outcome
from streams.rules import obligations
from streams.rules.decide import once_approved
from streams.rules.engine import BY_PEOPLE, DEFAULT_DENY, EVALUATION_ERROR, TYPE_NOT_AGREED, Engine
from streams.rules.facets import ConfidenceBand, Facets, from_record, with_marking
from streams.rules.obligations import (
    CoarsenTime,
    DropTearline,
    ExpireAfterDays,
    NameOnlyPartner,
    Obligation,
    PapAtLeast,
)
from streams.rules.policy_set import PolicySet

_PAST: Final = {Outcome.RELEASE: "released", Outcome.HOLD: "held for review", Outcome.WITHHOLD: "withheld"}
NEEDS_MARKING: Final = (
    "A marking is missing or was not understood: ask its source, and state it with the approval (--tlp). Without that "
    "its data is not released."
)
_FLAGS: Final = (
    ("warninglisted", "it were not on a list of well-known benign values"),
    ("special_use", "it were not a special-purpose address or name"),
    ("personal_data", "an assessment found no personal data in it"),
    ("local_query", "nothing local were in the path or query of the URL"),
)


def explain(decision: Decision, policy_set: PolicySet) -> list[str]:
    """The decision in sentences: outcome, rules with title and basis, sources left out, obligations, alternatives.

    ``policy_set`` should be the set that decided; if its version differs, the first sentence states it.
    Raises ``ValueError`` if the record's facets or outcome are not of the contract: it was altered.
    """
    engine = Engine(policy_set)
    outcome = Outcome(decision["outcome"])
    partner = decision["partner"]
    policy = decision["policy_version"][:12]
    lines = [f"Indicator {decision['indicator_id']} {_fate(decision)}, under policy {policy}."]
    if decision["policy_version"] != policy_set.version:
        lines.append(f"Note: the following uses the rules of policy {policy_set.version[:12]}, which is another set.")
    if not decision["assertions"] and decision["veto"] is None:
        at = _utc(decision["at_ms"])
        return [*lines, f"No source asserts it any more: all of them withdrew it, the last one before {at}."]
    lines += [rule_sentence(rule, policy_set) for rule in decision["rules"] if rule not in BY_PEOPLE]
    lines += _people(decision)
    lines += _ratings(decision, policy)
    lines += _groups(decision, outcome, engine)
    if decision["veto"] is not None:
        return lines
    if outcome is Outcome.HOLD:
        lines += _review(decision, policy_set)
    if outcome is Outcome.RELEASE:
        lines += [f"Before the release, {_done(_obligation(owed), partner)}." for owed in decision["obligations"]]
        if decision["review"] == "approved":
            lines.append("It was released without a tearline: officers approve facts, not texts.")
            labels = ", ".join(decision["labels"]) or "none"
            lines.append(f"Of its labels only those that officers were shown leave: {labels}.")
    if outcome is not Outcome.RELEASE:
        for facets in _facets_that_decided(decision, outcome):
            lines += alternatives(from_record(facets), partner, engine)
    return lines


def alternatives(facets: Facets, partner: str, engine: Engine) -> list[str]:
    """Every change of one facet that leads to a less strict outcome, the least strict first, one sentence each."""
    order = list(Outcome)
    now = order.index(engine.decide(facets, partner).outcome)
    found = []
    for words, changed in _one_change(facets, partner):
        rank = order.index(engine.decide(changed, partner).outcome)
        if rank < now:
            found.append((rank, f"It would be {_PAST[order[rank]]} if {words}."))
    if not found:
        return ["No single change would lead to another outcome."]
    best = min(rank for rank, _ in found)
    return [sentence for rank, sentence in found if rank == best]


def _one_change(facets: Facets, partner: str) -> Iterator[tuple[str, Facets]]:
    marking = facets.marking
    named = marking.releasable_to or ()
    with_partner = tuple(sorted({*named, partner}))

    def marked(changed: Marking) -> Facets:
        return msgspec.structs.replace(facets, marking=changed)

    for tlp in Tlp:
        if tlp not in (marking.tlp, Tlp.UNMARKED):
            if tlp < Tlp.AMBER or marking.releasable_to is not None:
                yield f"its source marked it {tlp.label}", marked(msgspec.structs.replace(marking, tlp=tlp))
            # Without a label no one is named; with one, its source would name recipients, too.
            if marking.tlp >= Tlp.UNMARKED and not named:
                open_to = None if tlp < Tlp.AMBER else with_partner
                words = f"its source marked it {tlp.label}" + (f" and named {partner}" if open_to else "")
                yield words, marked(msgspec.structs.replace(marking, tlp=tlp, releasable_to=open_to))
    if partner not in named and marking.releasable_to is not None:
        yield (
            f"its source named {partner} as a recipient",
            marked(msgspec.structs.replace(marking, releasable_to=with_partner)),
        )
    for pap in Pap:
        if pap not in (marking.pap, Pap.UNSTATED):
            yield f"its source marked it {pap.label}", marked(msgspec.structs.replace(marking, pap=pap))
    for caveat in marking.caveats:
        rest = tuple(other for other in marking.caveats if other is not caveat)
        yield f"the originator lifted the caveat {caveat}", marked(msgspec.structs.replace(marking, caveats=rest))
    yield from _surer(facets)


def _surer(facets: Facets) -> Iterator[tuple[str, Facets]]:
    """The changes that do not concern the marking."""
    for band in ConfidenceBand:
        if band not in (facets.confidence, ConfidenceBand.NONE):
            yield f"its source stated {band} confidence", msgspec.structs.replace(facets, confidence=band)
    for rating in Rating:
        if RANK[rating] > RANK[facets.rating]:
            yield f"a source rated {rating} reported it too", msgspec.structs.replace(facets, rating=rating)
    for flag, words in _FLAGS:
        if getattr(facets, flag):
            yield words, msgspec.structs.replace(facets, **{flag: False})


def rule_sentence(rule_id: str, policy_set: PolicySet) -> str:
    """A rule that decided, with its basis and its owner, in one sentence."""
    if rule_id == DEFAULT_DENY:
        return "No rule permits it, so it is withheld (default-deny)."
    if rule_id == EVALUATION_ERROR:
        return "The rules could not be evaluated, so it is withheld (evaluation-error)."
    if rule_id == TYPE_NOT_AGREED:
        return (
            "The schemas agreed with the partner, or the rules in force, do not have its type yet: it waits until they "
            "do, which needs the partner's upgrade first (type-not-agreed)."
        )
    rule = policy_set.rules.get(rule_id)
    if rule is None:
        return f"The rule {rule_id} decided; it is not in this policy set."
    return f"{rule.title} / {rule.title_ja} (rule {rule.id}; basis: {rule.basis}; owner: {rule.owner})."


def _people(decision: Decision) -> Iterator[str]:
    """What officers decided: vetoes, verdicts, a deadline that has passed, a marking that was assigned."""
    veto = decision["veto"]
    if veto is not None:
        verb = "recalled" if veto["kind"] == "recall" else "revoked"
        yield (
            f"{veto['person']} {verb} it by hand on {_utc(veto['at_ms'])} ({veto['reason_code']}): {veto['reason']}. "
            f"The veto {veto['command_id']} applies until two officers lift it, even if it is reported again."
        )
    for verdict in decision["verdicts"]:
        verb = "approved" if verdict["verdict"] == "approve" else "refused"
        yield f"{verdict['person']} {verb} it on {_utc(verdict['at_ms'])}: {verdict['reason']}."
    if decision["review"] == "lapsed":
        yield f"Too few officers approved it by {_utc(decision['deadline_ms'])}, so it is withheld."
    if decision["assigned"] is not None:
        label = Tlp(decision["assigned"]["tlp"]).label
        yield f"Its source's marking was missing or not understood; the officers who approved it marked it {label}."


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def was_sent(decision: Decision) -> bool:
    """Whether a decision to release let anything out: over a border that is not open nothing leaves."""
    return decision["border"] == "open" or bool(decision["released_version"])


def _fate(decision: Decision) -> str:
    outcome, partner = Outcome(decision["outcome"]), decision["partner"]
    if outcome is not Outcome.RELEASE or was_sent(decision):
        return f"was {_PAST[outcome]} for {partner}"
    border = "in shadow" if decision["border"] == "shadow" else decision["border"]
    return f"may be released to {partner}, but the border to {partner} was {border}, so no content was sent"


def _ratings(decision: Decision, policy: str) -> Iterator[str]:
    """The ratings of sources that this decision looked at, and whose they are: the policy set's that it names."""
    counts = Counter[Rating]()
    for group in decision["assertions"]:
        counts[Rating(group["facets"]["rating"])] += group["sources"]
    for rating, count in sorted(counts.items()):
        if rating is not Rating.UNRATED:
            are = "is of a source" if count == 1 else "are of sources"
            yield f"{_counted(count, 'assertion')} {are} rated {rating} by policy {policy}."


def _groups(decision: Decision, outcome: Outcome, engine: Engine) -> Iterator[str]:
    """The assertions that alone have another outcome than all together, and whether they are part of a release."""
    for group in decision["assertions"]:
        if group["outcome"] == outcome:
            continue
        part = "."
        if outcome is Outcome.RELEASE:
            asked = not group["left_out"] and group["outcome"] == Outcome.HOLD
            approved = decision["review"] == "approved" and asked
            is_part = approved and _may_be_approved(group["facets"], decision, engine)
            part = "; the approval includes it in the release." if is_part else "; it is not part of the release."
        yield (
            f"{_counted(group['sources'], 'assertion')} alone would be {_PAST[Outcome(group['outcome'])]} "
            f"by {', '.join(group['rules'])}{part}"
        )


def _may_be_approved(record: FacetsRecord, decision: Decision, engine: Engine) -> bool:
    """Whether an approval releases held data: the rules without holds permit it, as officers have marked it."""
    assigned = None if decision["assigned"] is None else marking_of(decision["assigned"])
    facets = with_marking(from_record(record), assigned)
    return once_approved(facets, decision["partner"], engine).outcome is Outcome.RELEASE


def _review(decision: Decision, policy_set: PolicySet) -> Iterator[str]:
    holds = [policy_set.rules[rule] for rule in decision["rules"] if rule in policy_set.rules]
    if holds:
        hours = min(rule.deadline_hours for rule in holds)
        until_ms = decision["deadline_ms"] or decision["at_ms"] + hours * 3_600_000
        owners = " and ".join(sorted({rule.owner for rule in holds}))
        people = _counted(max(rule.reviewers for rule in holds), "distinct officer")
        until = _utc(until_ms)
        yield f"{people} must approve it by {until} ({hours} h), or it is withheld; responsible: {owners}."
    if not all(from_record(group["facets"]).marking.is_understood for group in _held(decision)):
        yield NEEDS_MARKING


def _held(decision: Decision) -> list[AssertionDecision]:
    return [group for group in decision["assertions"] if group["outcome"] == Outcome.HOLD]


def _facets_that_decided(decision: Decision, outcome: Outcome) -> list[FacetsRecord]:
    groups = [group["facets"] for group in decision["assertions"] if group["outcome"] == outcome]
    merged = decision["merged"]
    return groups or ([merged] if merged is not None else [])


def _obligation(text: str) -> Obligation:
    (parsed,) = obligations.parse(text)
    return parsed


def _done(obligation: Obligation, partner: str) -> str:
    match obligation:
        case CoarsenTime(unit):
            return f"times were rounded down to the {unit}"
        case ExpireAfterDays(days):
            return f"it was limited to {_counted(days, 'day')} after the release"
        case PapAtLeast(floor):
            return f"its PAP was raised to at least {floor.label}"
        case NameOnlyPartner():
            return f"{partner} was named as its only recipient"
        case DropTearline():
            return "its tearline, if there was one, was removed"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
