"""Sharing decisions, their audit, and the questions that wait for officers."""

from typing import Any, Final

from schemas.records import AuditAnchor, Decision, FacetsRecord, OfficerVerdict, ReviewPending
from tests.builders.changed import DAY_MS, DOMAIN, HOME, NOW_MS, PARTNER, an_id, changed


def facets(**changes: Any) -> FacetsRecord:
    """The facets of a TLP:GREEN domain."""
    record = FacetsRecord(
        tlp=1,
        pap=0,
        releasable_to=None,
        caveats=[],
        confidence_band="high",
        type="domain-name",
        warninglisted=False,
        special_use=False,
        personal_data=False,
        prefix_length=-1,
        local_query=False,
        rating="unrated",
    )
    return changed(record, changes)


def a_decision(**changes: Any) -> Decision:
    """The first entry of shard 0's chain: a release."""
    decision = Decision(
        decision_id="0-0",
        shard=0,
        sequence=0,
        previous=b"",
        indicator_id=an_id(),
        partner=PARTNER,
        at_ms=NOW_MS,
        outcome="release",
        rules=["release-green"],
        obligations=[],
        merged=facets(),
        assertions=[
            {"facets": facets(), "sources": 1, "outcome": "release", "rules": ["release-green"], "left_out": False}
        ],
        policy_version="policy-1",
        engine_version="cedarpy 4.12.2",
        enrichment_version="enrichment-1",
        released_version=NOW_MS,
        review="",
        question=b"",
        deadline_ms=0,
        verdicts=[],
        assigned=None,
        veto=None,
        border="open",
        shadow=False,
        labels=[],
    )
    return changed(decision, changes)


def a_decision_v1(**changes: Any) -> dict[str, Any]:
    """A decision as the first version of its schema has it."""
    decision = a_decision_v2(**changes)
    later = ("review", "question", "deadline_ms", "verdicts", "assigned", "veto", "border", "shadow")
    return {name: value for name, value in decision.items() if name not in later}


def a_decision_v2(**changes: Any) -> dict[str, Any]:
    """A decision as the second version of its schema has it: its facets have no prefix length."""
    earlier: dict[str, Any] = _without(a_decision_v3(**changes), "prefix_length")
    return earlier


def a_decision_v3(**changes: Any) -> dict[str, Any]:
    """A decision as the third version of its schema has it: officers were not shown labels."""
    earlier: dict[str, Any] = _without(a_decision_v4(**changes), *_OF_V4)
    return earlier


def a_decision_v4(**changes: Any) -> dict[str, Any]:
    """A decision as the fourth version of its schema has it: no source was rated."""
    earlier: dict[str, Any] = _without({**a_decision(**changes)}, "rating")
    return earlier


def a_review_pending_v1(**changes: Any) -> dict[str, Any]:
    """A review as the first version of its schema has it."""
    earlier: dict[str, Any] = _without(a_review_pending_v2(**changes), "prefix_length")
    return earlier


def a_review_pending_v2(**changes: Any) -> dict[str, Any]:
    """A review as the second version of its schema has it."""
    earlier: dict[str, Any] = _without(a_review_pending_v3(**changes), *_OF_V4)
    return earlier


def a_review_pending_v3(**changes: Any) -> dict[str, Any]:
    """A review as the third version of its schema has it."""
    earlier: dict[str, Any] = _without({**a_review_pending(**changes)}, "rating")
    return earlier


_OF_V4: Final = ("labels", "left_out", "local_query")


def _without(record: Any, *names: str) -> Any:
    if isinstance(record, dict):
        return {name: _without(value, *names) for name, value in record.items() if name not in names}
    return [_without(each, *names) for each in record] if isinstance(record, list) else record


def a_verdict(**changes: Any) -> OfficerVerdict:
    """One officer has approved."""
    verdict = OfficerVerdict(
        person="a.watanabe",
        officer="00" * 16,
        command_id="0e4f7a52-6f0e-4d3f-9c63-0b6a2f0f9a11",
        verdict="approve",
        at_ms=NOW_MS,
        reason="seen at two of our own sites",
    )
    return changed(verdict, changes)


def a_review_pending(**changes: Any) -> ReviewPending:
    """The domain waits for one officer, because no one has marked it."""
    pending = ReviewPending(
        indicator_id=an_id(),
        partner=PARTNER,
        question=bytes(16),
        decision_id="GBR-0-0",
        type="domain-name",
        value=DOMAIN,
        rules=["tlp-unmarked"],
        assertions=[
            {"facets": facets(tlp=4), "sources": 1, "outcome": "hold", "rules": ["tlp-unmarked"], "left_out": False}
        ],
        sensors=["edge-1"],
        needed=1,
        verdicts=[],
        opened_ms=NOW_MS,
        deadline_ms=NOW_MS + 3 * DAY_MS,
        policy_version="policy-1",
        labels=[],
    )
    return changed(pending, changes)


def an_anchor(**changes: Any) -> AuditAnchor:
    """The chain of shard 0 after its first entry; not signed."""
    anchor = AuditAnchor(
        nation=HOME,
        shard=0,
        sequence=1,
        last=bytes(range(32)),
        offset=2,
        at_ms=NOW_MS,
        officer="00" * 16,
        signature=b"",
    )
    return changed(anchor, changes)
