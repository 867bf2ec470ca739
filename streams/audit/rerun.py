"""Makes a decision of the audit again from its record alone. Pure.

The facets of each group of assertions, the officers' verdicts and vetoes and the policy's version are in the record,
so the same rules must give the same result. Otherwise the record or the engine has changed.
"""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.marking_records import marking_of
from schemas.records import Decision
from schemas.vocabulary import Outcome
from streams.correlate import officers
from streams.rules.decide import ReleaseDecision, decide_approved, decide_release
from streams.rules.engine import REVIEW_LAPSED, REVIEW_REFUSED, STANDING_VETO, Engine
from streams.rules.facets import Facets, from_record, merged_facets, to_record, with_marking


def engine_of(record: Decision, engines: Mapping[str, Engine]) -> Engine | str:
    """The engine for making a decision again, or the reason why it is not available."""
    engine = engines.get(record["policy_version"])
    if engine is None:
        return f"policy {record['policy_version'][:12]} is not known here"
    if engine.engine_version != record["engine_version"]:
        return f"it was decided by {record['engine_version']}"
    return engine


def rerun(record: Decision, engine: Engine) -> str:
    """How the result of the rules differs from the record; empty if they agree."""
    try:
        facets = [from_record(group["facets"]) for group in record["assertions"]]
    except ValueError as error:
        return f"its facets are not of the contract: {error}"
    held = decide_release(facets, lambda chosen: merged_facets([facets[i] for i in chosen]), record["partner"], engine)
    for group, decided in zip(record["assertions"], held.groups, strict=False):
        if (group["outcome"], group["rules"]) != (str(decided.verdict.outcome), list(decided.verdict.rules)):
            return f"one group is {group['outcome']} in the record, and {decided.verdict.outcome} by the rules"
    if len(held.groups) != len(record["assertions"]):
        return "two of its groups have the same facets"
    decision = held
    if held.outcome is Outcome.HOLD:
        decision = _answered(record, held, facets, engine)
    rules, outcome, obligations = list(decision.rules), decision.outcome, list(decision.obligations)
    if record["veto"] is not None:
        rules, outcome, obligations = [STANDING_VETO], Outcome.WITHHOLD, []
    wrong = [
        f"its {name} is {recorded}, and the rules give {found}"
        for name, recorded, found in (
            ("outcome", record["outcome"], str(outcome)),
            ("list of rules", record["rules"], rules),
            ("list of obligations", record["obligations"], obligations),
            ("merge", record["merged"], None if decision.merged is None else to_record(decision.merged)),
        )
        if recorded != found
    ]
    return "; ".join(wrong)


def _answered(record: Decision, held: ReleaseDecision, facets: Sequence[Facets], engine: Engine) -> ReleaseDecision:
    """The outcome after officers' verdicts on a hold, as recorded."""
    match record["review"]:
        case officers.APPROVED:
            groups = [
                msgspec.structs.replace(group, left_out=recorded["left_out"])
                for group, recorded in zip(held.groups, record["assertions"], strict=True)
            ]
            held = msgspec.structs.replace(held, groups=tuple(groups))
            assigned = None if record["assigned"] is None else marking_of(record["assigned"])

            def assign(each: Facets) -> Facets:
                return with_marking(each, assigned)

            def merge(chosen: Sequence[int]) -> Facets:
                return merged_facets([assign(facets[index]) for index in chosen])

            return decide_approved(held, facets, assign, merge, record["partner"], engine)
        case officers.REFUSED:
            return _withheld(held, REVIEW_REFUSED)
        case officers.LAPSED:
            return _withheld(held, REVIEW_LAPSED)
    return held


def _withheld(held: ReleaseDecision, why: str) -> ReleaseDecision:
    return ReleaseDecision(
        Outcome.WITHHOLD, tuple(sorted({*held.rules, why})), (), held.included, held.merged, held.groups
    )
