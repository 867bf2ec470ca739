"""Sharing decisions: the audit chains with their signed checkpoints, and the reviews that wait for officers."""

from typing import TypedDict

from schemas.records.observed import MarkingRecord


class FacetsRecord(TypedDict):
    """All properties that the rules look at."""

    tlp: int
    pap: int
    releasable_to: list[str] | None
    caveats: list[str]
    confidence_band: str
    type: str
    warninglisted: bool
    special_use: bool
    personal_data: bool
    prefix_length: int
    local_query: bool
    rating: str


class AssertionDecision(TypedDict):
    """The decision on one group of assertions that share their facets."""

    facets: FacetsRecord
    sources: int
    outcome: str
    rules: list[str]
    left_out: bool


class OfficerVerdict(TypedDict):
    """One officer's verdict on a review."""

    person: str
    officer: str
    command_id: str
    verdict: str
    at_ms: int
    reason: str


class Veto(TypedDict):
    """A veto."""

    kind: str
    person: str
    officer: str
    command_id: str
    at_ms: int
    reason_code: str
    reason: str


class Decision(TypedDict):
    """One sharing decision, in a hash chain per shard."""

    decision_id: str
    shard: int
    sequence: int
    previous: bytes
    indicator_id: str
    partner: str
    at_ms: int
    outcome: str
    rules: list[str]
    obligations: list[str]
    merged: FacetsRecord | None
    assertions: list[AssertionDecision]
    policy_version: str
    engine_version: str
    enrichment_version: str
    released_version: int
    review: str
    question: bytes
    deadline_ms: int
    verdicts: list[OfficerVerdict]
    assigned: MarkingRecord | None
    veto: Veto | None
    border: str
    shadow: bool
    labels: list[str]


class AuditAnchor(TypedDict):
    """A signed checkpoint of one audit chain."""

    nation: str
    shard: int
    sequence: int
    last: bytes
    offset: int
    at_ms: int
    officer: str
    signature: bytes


class ReviewPending(TypedDict):
    """A decision that waits for officers."""

    indicator_id: str
    partner: str
    question: bytes
    decision_id: str
    type: str
    value: str
    rules: list[str]
    assertions: list[AssertionDecision]
    sensors: list[str]
    needed: int
    verdicts: list[OfficerVerdict]
    opened_ms: int
    deadline_ms: int
    policy_version: str
    labels: list[str]
