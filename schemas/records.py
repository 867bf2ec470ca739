"""The records of the contract as Python sees them: the fields are documented in ``schemas/avro/*.avsc``.

Plain dictionaries, because that is what the codec reads and writes; a test holds them to the Avro schemas.
"""

from typing import Literal, NotRequired, TypedDict


class SourceMarkingRecord(TypedDict):
    """A marking in the source's own words."""

    tlp: str
    pap: str
    releasable_to: list[str] | None
    caveats: list[str]


class ContextRecord(TypedDict):
    """Local context: stays in the nation, but for a tearline among the entries (``schemas.tearline``)."""

    description: str
    entries: dict[str, str]


class SensorReport(TypedDict):
    """One report of one sensor, in columns."""

    format_version: int
    nation: str
    sensor: str
    epoch: int
    sequence: int
    produced_at_ms: int
    tool: str
    redrive_of: str
    values: list[str]
    kinds: bytes
    first_seen_ms: list[int]
    last_seen_ms: list[int]
    counts: list[int]
    confidences: list[int]
    valid_until_ms: list[int]
    markings: list[SourceMarkingRecord]
    marking_index: list[int]
    label_sets: list[list[str]]
    label_index: list[int]
    contexts: list[ContextRecord]
    context_index: list[int]


class MarkingRecord(TypedDict):
    """A marking that has been understood."""

    tlp: int
    pap: int
    releasable_to: list[str] | None
    caveats: list[str]


class ObservationBlock(TypedDict):
    """Normalised observations of one shard, in columns."""

    format_version: int
    keys: bytes
    kinds: bytes
    values: list[str]
    sensors: list[str]
    sensor_index: list[int]
    epochs: list[int]
    sequences: list[int]
    appended_ms: list[int]
    first_seen_ms: list[int]
    last_seen_ms: list[int]
    counts: list[int]
    confidences: list[int]
    valid_until_ms: list[int]
    markings: list[MarkingRecord]
    marking_index: list[int]
    label_sets: list[list[str]]
    label_index: list[int]
    contexts: list[ContextRecord]
    context_index: list[int]


class SourceRecord(TypedDict):
    """What one sensor asserts about an indicator."""

    sensor: str
    marking: MarkingRecord
    confidence: int
    valid_until_ms: int
    labels: list[str]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    description: str
    context: dict[str, str]


class Indicator(TypedDict):
    """The nation's own merged picture of one indicator."""

    id: str
    kind: Literal["content", "expired", "revoked"]
    version: int
    type: str
    value: str
    marking: MarkingRecord
    confidence: int
    labels: list[str]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    valid_until_ms: int
    source_count: int
    sources: list[SourceRecord]
    registered_domain: str
    asn: int
    country: str
    special_use: str
    warninglists: list[str]


class Content(TypedDict):
    """What the partner sees of an indicator. ``tearline`` is there where it says something."""

    type: str
    value: str
    tlp: str
    pap: str
    releasable_to: list[str]
    caveats: list[str]
    confidence: int
    labels: list[str]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    valid_until_ms: int
    release_expires_ms: int
    registered_domain: str
    asn: int
    country: str
    tearline: NotRequired[str]


class ReleasedIndicator(TypedDict):
    """What may leave the nation for one partner."""

    id: str
    kind: Literal["content", "expired", "revoked", "recalled"]
    version: int
    recalled_through: int
    origin: str
    hops: list[str]
    reason: str
    content: Content | None


class FacetsRecord(TypedDict):
    """All that the rules look at."""

    tlp: int
    pap: int
    releasable_to: list[str] | None
    caveats: list[str]
    confidence_band: str
    type: str
    warninglisted: bool
    special_use: bool
    personal_data: bool


class AssertionDecision(TypedDict):
    """The decision on one group of assertions that share their facets."""

    facets: FacetsRecord
    sources: int
    outcome: str
    rules: list[str]


class OfficerVerdict(TypedDict):
    """What one officer has said to a question."""

    person: str
    officer: str
    command_id: str
    verdict: str
    at_ms: int
    reason: str


class Veto(TypedDict):
    """A standing veto."""

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


class Command(TypedDict):
    """What a person has decided about one indicator, signed."""

    command_id: str
    kind: str
    nation: str
    indicator_id: str
    partner: str
    verdict: str
    question: bytes
    about: str
    version: int
    marking: MarkingRecord | None
    reason_code: str
    reason: str
    issued_ms: int
    expires_ms: int
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


class Quarantined(TypedDict):
    """Something that was refused."""

    key: str
    reason: str
    detail: str
    stage: str
    at_ms: int
    sensor: str
    topic: str
    partition: int
    offset: int
    index: int
    place: str
    content_type: str
    original: bytes | None
    excerpt: str
    size: int
    digest: bytes


class Receipt(TypedDict):
    """What the receiving nation did with a released version."""

    indicator_id: str
    version: int
    code: Literal["received", "refused", "applied", "recall_applied", "purged", "disputed", "unknown"]
    reason: str
    nation: str
    at_ms: int


class InputProgress(TypedDict):
    """Where to resume one input."""

    topic: str
    topic_id: str
    partition: int
    next_offset: int


class Progress(TypedDict):
    """How far one shard of one step has come."""

    step: str
    shard: int
    batch: int
    state_format: int
    shard_time_ms: int
    inputs: list[InputProgress]


class WindowDigest(TypedDict):
    """What stands between two nations in one window of versions, in one shard."""

    window_ms: int
    length_ms: int
    count: int
    sum: bytes
    at_ms: int


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


class Approval(TypedDict):
    """One officer's signature."""

    officer: str
    signature: bytes


class PolicyRecord(TypedDict):
    """What holds for a whole nation's sharing: a policy set, its activation, or the state of a border."""

    record_id: str
    kind: str
    nation: str
    version: str
    texts: dict[str, str]
    activate_at_ms: int
    partner: str
    state: str
    reason: str
    issued_ms: int
    approvals: list[Approval]
