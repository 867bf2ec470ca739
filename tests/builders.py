"""Records for tests: valid by default, changed by name. Made-up values are RFC 5737, 3849 and 2606 ones only."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import msgspec

from schemas.identity import indicator_id, indicator_key
from schemas.markings import Marking, SourceMarking
from schemas.observation import Observation
from schemas.records import (
    AuditAnchor,
    Command,
    Content,
    ContextRecord,
    Decision,
    FacetsRecord,
    Indicator,
    MarkingRecord,
    ObservationBlock,
    OfficerVerdict,
    PolicyRecord,
    Progress,
    Quarantined,
    Receipt,
    ReleasedIndicator,
    ReviewPending,
    SensorReport,
    SourceMarkingRecord,
    SourceRecord,
)
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

NOW_MS: Final = 1_795_392_000_000  # 2026-11-23T00:00:00Z
HOUR_MS: Final = 60 * 60 * 1000
DAY_MS: Final = 24 * HOUR_MS
HOME: Final = "GBR"
PARTNER: Final = "JPN"
DOMAIN: Final = "c2.example.com"

_Record = TypeVar("_Record")
_Item = TypeVar("_Item")


def _changed(record: _Record, changes: dict[str, Any], optional: str = "") -> _Record:
    fields = cast("dict[str, Any]", record)
    unknown = changes.keys() - fields.keys() - {optional}
    if unknown:
        raise TypeError(f"no such field: {', '.join(sorted(unknown))}")
    return cast("_Record", fields | changes)


def an_id(kind: IndicatorType = IndicatorType.DOMAIN_NAME, value: str = DOMAIN) -> str:
    """The id of a canonical value."""
    return indicator_id(indicator_key(kind, value))


def an_observation(**changes: Any) -> Observation:
    """A domain seen twice an hour ago, marked TLP:GREEN."""
    observation = Observation(
        kind=IndicatorType.DOMAIN_NAME,
        value=DOMAIN,
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        count=2,
        confidence=80,
        marking=SourceMarking(tlp="TLP:GREEN"),
        labels=("malicious-activity",),
    )
    return msgspec.structs.replace(observation, **changes)


def a_report(observations: Iterable[Observation] | None = None, **changes: Any) -> SensorReport:
    """A report of these observations (one, if none are given) by the sensor ``edge-1`` of GBR."""
    rows = [an_observation()] if observations is None else list(observations)
    markings, marking_index = _dictionary([row.marking if row.marking != SourceMarking() else None for row in rows])
    label_sets, label_index = _dictionary([row.labels or None for row in rows])
    contexts, context_index = _dictionary([(row.description, row.context) for row in rows], ("", ()))
    report = SensorReport(
        format_version=1,
        nation=HOME,
        sensor="edge-1",
        epoch=NOW_MS - DAY_MS,
        sequence=0,
        produced_at_ms=NOW_MS - HOUR_MS,
        tool="suricata-eve",
        redrive_of="",
        values=[row.value for row in rows],
        kinds=bytes(row.kind for row in rows),
        first_seen_ms=[row.first_seen_ms for row in rows],
        last_seen_ms=[row.last_seen_ms for row in rows],
        counts=[row.count for row in rows],
        confidences=[row.confidence for row in rows],
        valid_until_ms=[row.valid_until_ms for row in rows],
        markings=[_source_marking(marking) for marking in markings],
        marking_index=marking_index,
        label_sets=[list(labels) for labels in label_sets],
        label_index=label_index,
        contexts=[ContextRecord(description=text, entries=dict(entries)) for text, entries in contexts],
        context_index=context_index,
    )
    if any(row.withdrawal for row in rows):
        report["withdrawals"] = bytes(row.withdrawal or 0 for row in rows)
    return _changed(report, changes)


def _dictionary(cells: Sequence[_Item | None], absent: _Item | None = None) -> tuple[list[_Item], list[int]]:
    """The distinct cells in order of appearance, and each row's place among them; -1 where absent."""
    distinct = list(dict.fromkeys(cell for cell in cells if cell is not None and cell != absent))
    places = {cell: place for place, cell in enumerate(distinct)}
    return distinct, [-1 if cell is None else places.get(cell, -1) for cell in cells]


def _source_marking(marking: SourceMarking) -> SourceMarkingRecord:
    return SourceMarkingRecord(
        tlp=marking.tlp,
        pap=marking.pap,
        releasable_to=None if marking.releasable_to is None else list(marking.releasable_to),
        caveats=list(marking.caveats),
    )


def a_marking_record(marking: Marking | None = None, **changes: Any) -> MarkingRecord:
    """The record of a marking; TLP:GREEN with nothing else if none is given."""
    record = MarkingRecord(tlp=1, pap=0, releasable_to=None, caveats=[])
    if marking is not None:
        named = marking.releasable_to
        record = MarkingRecord(
            tlp=marking.tlp,
            pap=marking.pap,
            releasable_to=None if named is None else list(named),
            caveats=[caveat.value for caveat in marking.caveats],
        )
    return _changed(record, changes)


def an_observation_block(**changes: Any) -> ObservationBlock:
    """A block of one row."""
    block = ObservationBlock(
        format_version=1,
        keys=indicator_key(IndicatorType.DOMAIN_NAME, DOMAIN),
        kinds=bytes([IndicatorType.DOMAIN_NAME]),
        values=[DOMAIN],
        sensors=["edge-1"],
        sensor_index=[0],
        epochs=[NOW_MS - DAY_MS],
        sequences=[0],
        appended_ms=[1_700_000_000_000],
        first_seen_ms=[NOW_MS - 2 * HOUR_MS],
        last_seen_ms=[NOW_MS - HOUR_MS],
        counts=[2],
        confidences=[80],
        valid_until_ms=[0],
        markings=[a_marking_record()],
        marking_index=[0],
        label_sets=[["malicious-activity"]],
        label_index=[0],
        contexts=[ContextRecord(description="Beacon", entries={"dest_ip": "192.0.2.7"})],
        context_index=[0],
    )
    return _changed(block, changes)


def a_source(**changes: Any) -> SourceRecord:
    """What the sensor ``edge-1`` asserts about the domain."""
    source = SourceRecord(
        sensor="edge-1",
        marking=a_marking_record(),
        confidence=80,
        valid_until_ms=0,
        labels=["malicious-activity"],
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        sightings=2,
        description="Beacon",
        context={"dest_ip": "192.0.2.7"},
    )
    return _changed(source, changes)


def an_indicator(**changes: Any) -> Indicator:
    """The nation's own picture of the domain, by one source."""
    indicator = Indicator(
        id=an_id(),
        kind="content",
        version=NOW_MS,
        type="domain-name",
        value=DOMAIN,
        marking=a_marking_record(),
        confidence=80,
        labels=["malicious-activity"],
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        sightings=2,
        valid_until_ms=0,
        source_count=1,
        sources=[a_source()],
        registered_domain="example.com",
        asn=0,
        country="",
        special_use="",
        warninglists=[],
    )
    return _changed(indicator, changes)


def a_content(**changes: Any) -> Content:
    """What a partner sees of the domain: TLP:GREEN, named for JPN. Without a tearline, unless one is given."""
    content = Content(
        type="domain-name",
        value=DOMAIN,
        tlp="TLP:GREEN",
        pap="",
        releasable_to=[PARTNER],
        caveats=[],
        confidence=80,
        labels=["malicious-activity"],
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        sightings=2,
        valid_until_ms=0,
        release_expires_ms=NOW_MS + 30 * DAY_MS,
        registered_domain="example.com",
        asn=0,
        country="",
    )
    return _changed(content, changes, "tearline")


def a_released(**changes: Any) -> ReleasedIndicator:
    """A live record of GBR for JPN. A change of ``content`` changes the id with it, unless one is given.

    With another ``kind`` it has no content, a reason, and (recalled) everything before it recalled.
    """
    kind = changes.get("kind", "content")
    version = changes.get("version", NOW_MS)
    content = changes.get("content", a_content() if kind == "content" else None)
    released = ReleasedIndicator(
        id=an_id(),
        kind=kind,
        version=version,
        recalled_through=version - 1 if kind == "recalled" else 0,
        origin=HOME,
        hops=[HOME],
        reason=REASON_OF_KIND[kind],
        content=content,
    )
    if content is not None and content["type"] in TYPE_BY_LABEL:
        released["id"] = an_id(TYPE_BY_LABEL[content["type"]], content["value"])
    return _changed(released, changes)


REASON_OF_KIND: Final = {
    "content": "",
    "expired": "aged-out",
    "revoked": "false-positive",
    "recalled": "marking-tightened",
}


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
    )
    return _changed(record, changes)


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
        assertions=[{"facets": facets(), "sources": 1, "outcome": "release", "rules": ["release-green"]}],
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
    )
    return _changed(decision, changes)


def a_decision_v1(**changes: Any) -> dict[str, Any]:
    """A decision as the first version of its schema has it."""
    later = ("review", "question", "deadline_ms", "verdicts", "assigned", "veto", "border", "shadow")
    return {name: value for name, value in a_decision(**changes).items() if name not in later}


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
    return _changed(verdict, changes)


def a_command(**changes: Any) -> Command:
    """An officer of GBR recalls the domain from everybody; not signed."""
    command = Command(
        command_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        kind="recall",
        nation=HOME,
        indicator_id=an_id(),
        partner="",
        verdict="",
        question=b"",
        about="",
        version=0,
        marking=None,
        reason_code="recalled-by-hand",
        reason="the source asked for it back",
        issued_ms=NOW_MS,
        expires_ms=NOW_MS + DAY_MS,
        officer="00" * 16,
        signature=b"",
    )
    return _changed(command, changes)


def a_review_pending(**changes: Any) -> ReviewPending:
    """The domain waits for one officer, because nobody has marked it."""
    pending = ReviewPending(
        indicator_id=an_id(),
        partner=PARTNER,
        question=bytes(16),
        decision_id="GBR-0-0",
        type="domain-name",
        value=DOMAIN,
        rules=["tlp-unmarked"],
        assertions=[{"facets": facets(tlp=4), "sources": 1, "outcome": "hold", "rules": ["tlp-unmarked"]}],
        sensors=["edge-1"],
        needed=1,
        verdicts=[],
        opened_ms=NOW_MS,
        deadline_ms=NOW_MS + 3 * DAY_MS,
        policy_version="policy-1",
    )
    return _changed(pending, changes)


def a_quarantined(**changes: Any) -> Quarantined:
    """One observation that intake refused."""
    original = (
        b'{"nation":"GBR","sensor":"edge-1","epoch":1795305600000,"sequence":0,"tool":"suricata-eve",'
        b'"kind":"ipv4-addr","value":"192.0.2.999"}'
    )
    quarantined = Quarantined(
        key="sensor.reports.v1-0-41-3",
        reason="invalid-value",
        detail="192.0.2.999 is no IPv4 address",
        stage="intake",
        at_ms=NOW_MS,
        sensor="edge-1",
        topic="sensor.reports.v1",
        partition=0,
        offset=41,
        index=3,
        place="",
        content_type="json",
        original=original,
        excerpt="",
        size=len(original),
        digest=sha256(original).digest(),
    )
    return _changed(quarantined, changes)


def a_receipt(**changes: Any) -> Receipt:
    """JPN has accepted the domain."""
    receipt = Receipt(indicator_id=an_id(), version=NOW_MS, code="received", reason="", nation=PARTNER, at_ms=NOW_MS)
    return _changed(receipt, changes)


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
    return _changed(anchor, changes)


def a_policy_record(**changes: Any) -> PolicyRecord:
    """A policy set of GBR without texts; nobody has approved it."""
    record = PolicyRecord(
        record_id="5f0c7b1e-2a55-4a55-9a40-3c8f5a1f6b02",
        kind="set",
        nation=HOME,
        version="ab" * 32,
        texts={},
        activate_at_ms=0,
        partner="",
        state="",
        reason="agreed by the joint sharing board",
        issued_ms=NOW_MS,
        approvals=[],
    )
    return _changed(record, changes)


def a_progress(**changes: Any) -> Progress:
    """Shard 0 of intake after one batch."""
    progress = Progress(
        step="intake",
        shard=0,
        batch=1,
        state_format=1,
        shard_time_ms=NOW_MS,
        inputs=[{"topic": "sensor.reports.v1", "topic_id": "topic-id-1", "partition": 0, "next_offset": 42}],
    )
    return _changed(progress, changes)
