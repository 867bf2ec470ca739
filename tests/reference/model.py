"""The whole exchange as one function: sensors' reports in, what every topic must finally say out.

Small, slow and obviously right. It knows no batches, no order of processing, no Kafka, no Polars and no Cedar: only
the contract (``schemas``), the enricher's answers, and the prose of the promises. What a run decides by chance is left
open: version numbers, times of decision, and whether something was released before its marking was tightened.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from exchange.authority.roster import Roster
from schemas.identity import indicator_id, indicator_key
from schemas.markings import Caveat, Marking, joined
from schemas.records import Content, Indicator, MarkingRecord, SourceRecord
from schemas.vocabulary import IndicatorType, Outcome, RejectReason, Withdrawal
from streams.enrichment.enrich import Enricher, Enrichment
from tests.reference.arrivals import Arrival, Eyes, Seen, judged
from tests.reference.ledger import Fate
from tests.reference.oracle import OWED, Case, outcome_of_all
from tests.reference.source import DAY_MS, MOST, MOST_LABELS, Life, Source, Statement, in_full, leaving, total

MOST_TEARLINE_BYTES: Final = 2048
TAKEN_BACK: Final = (Withdrawal.REVOKED, Withdrawal.REMOVED)
TOPIC: Final = "sensor.reports.v1"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the nation must finally report of an indicator, but for what only the time of the report shows."""

    indicator: Indicator
    lives: tuple[Life, ...]
    taken_back: bool

    def at(self, stated_ms: int, *, revoked: bool = False) -> Indicator:
        """As it must read when it was stated at this time; ``revoked`` where an officer calls it false."""
        ended = stated_ms >= max(life.end_ms for life in self.lives)
        confidence = max(life.confidence_at(stated_ms) for life in self.lives)
        kind: Literal["content", "expired", "revoked"] = (
            "revoked" if revoked or self.taken_back else "expired" if ended else "content"
        )
        return {**self.indicator, "kind": kind, "confidence": confidence}


@dataclass(frozen=True, slots=True)
class Release:
    """What a partner must finally have of an indicator while it is valid; a release ends after so many days."""

    content: Content
    days: int
    lives: tuple[Life, ...]

    def at(self, stated_ms: int) -> Content:
        """As it must read when it was stated at this time: as sure as on the morning of that day."""
        morning_ms = stated_ms - stated_ms % DAY_MS
        return {**self.content, "confidence": max(life.confidence_at(morning_ms) for life in self.lives)}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of what. Reports by fate; observations are those of the reports that count."""

    reports: Mapping[Fate, int]
    observations: int
    valid: int
    quarantined: int
    distinct: int
    released: int
    held: int
    withheld: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What must finally be on the topics. ``quarantined`` has the reason by quarantine key."""

    nation: str
    partner: str
    national: Mapping[str, Picture]
    releases: Mapping[str, Release]
    outcomes: Mapping[str, Outcome]
    quarantined: Mapping[str, RejectReason]
    counts: Counts
    withdrawn: frozenset[str]  # indicators that some source took back, if only for a time


def expected(
    arrivals: Iterable[Arrival],
    nation: str,
    partner: str,
    shards: int,
    enricher: Enricher,
    roster: Roster | None = None,
    low: Collection[str] = (),
) -> Expected:
    """The exchange's promises on these arrivals, which stand in the order of their offsets.

    ``roster`` has whose signatures count; without one no one's do. ``low`` are the sensors that officers rate low.
    """
    fates: Counter[Fate] = Counter()
    quarantined: dict[str, RejectReason] = {}
    observations = valid = 0
    eyes = Eyes()
    indicators: dict[tuple[IndicatorType, str], dict[str, list[Statement]]] = {}
    for each in judged(arrivals, nation, shards, roster=roster):
        fates[each.fate] += 1
        place = f"{TOPIC}-{each.arrival.partition}-{each.arrival.offset}"
        if each.reason is not None:
            quarantined[f"{place}--1"] = each.reason
        if each.report is None:
            continue
        rows: dict[tuple[IndicatorType, str], list[Seen]] = {}
        for index, seen in enumerate(eyes.observations(each.report, each.arrival.appended_ms)):
            observations += 1
            if isinstance(seen, RejectReason):
                quarantined[f"{place}-{index}"] = seen
            else:
                valid += 1
                rows.setdefault((seen.kind, seen.value), []).append(seen)
        for indicator, found in rows.items():
            statement = _statement(each.report["epoch"], each.report["sequence"], each.arrival.appended_ms, found)
            statement = replace(statement, authenticated=each.authenticated)
            indicators.setdefault(indicator, {}).setdefault(each.report["sensor"], []).append(statement)
    national: dict[str, Picture] = {}
    releases: dict[str, Release] = {}
    outcomes: dict[str, Outcome] = {}
    withdrawn: set[str] = set()
    for (kind, value), sensors in indicators.items():
        name = indicator_id(indicator_key(kind, value))
        enrichment = enricher.enrich(kind, value)
        sources = in_full(indicator_key(kind, value), [Source.of(sensor, sensors[sensor]) for sensor in sensors])
        if not any(source.seen for source in sources.values()):
            continue  # taken back before it was ever reported: no one is notified
        if any(each.withdrawal for statements in sensors.values() for each in statements):
            withdrawn.add(name)
        national[name] = _national(name, kind, value, enrichment, list(sources.values()))
        outcomes[name], release = _release(kind, value, enrichment, list(sources.values()), partner, low)
        if release is not None:
            releases[name] = release
    decided = Counter(outcomes.values())
    counts = Counts(
        reports=fates,
        observations=observations,
        valid=valid,
        quarantined=observations - valid,
        distinct=len(indicators),
        released=decided[Outcome.RELEASE],
        held=decided[Outcome.HOLD],
        withheld=decided[Outcome.WITHHOLD],
    )
    return Expected(nation, partner, national, releases, outcomes, quarantined, counts, frozenset(withdrawn))


def _statement(epoch: int, sequence: int, received_ms: int, rows: Sequence[Seen]) -> Statement:
    """Within a report markings join and counts add up; labels and context are those of the last row."""
    last = rows[-1]
    return Statement(
        epoch,
        sequence,
        received_ms,
        joined(row.marking for row in rows),
        min(sum(row.count for row in rows if not row.withdrawal), MOST),
        min(row.first_ms for row in rows),
        max(row.last_ms for row in rows),
        max(row.confidence for row in rows),
        max(row.valid_until_ms for row in rows),
        last.labels,
        last.description,
        tuple(sorted(last.context.items())),
        min(row.withdrawal for row in rows),
    )


def _national(name: str, kind: IndicatorType, value: str, enrichment: Enrichment, sources: Sequence[Source]) -> Picture:
    lives = tuple(source.life(kind) for source in sources)
    sightings, first_ms, last_ms = total(source.all_seen for source in sources if source.seen)
    indicator: Indicator = {
        "id": name,
        "kind": "content",
        "version": 0,
        "type": kind.label,
        "value": value,
        "marking": _record_of(joined(source.marking for source in sources)),
        "confidence": max(source.confidence for source in sources),
        "labels": sorted({label for source in sources for label in source.labels})[:MOST_LABELS],
        "first_seen_ms": first_ms,
        "last_seen_ms": last_ms,
        "sightings": sightings,
        "valid_until_ms": max(life.end_ms for life in lives),
        "source_count": len(sources),
        "sources": [_source_record(source) for source in sources if source.in_full],
        "registered_domain": enrichment.registered_domain,
        "asn": enrichment.asn,
        "country": enrichment.country,
        "special_use": enrichment.special_use,
        "warninglists": list(enrichment.warninglists),
    }
    withdrawals = [source.withdrawal for source in sources]
    return Picture(indicator, lives, all(withdrawals) and min(withdrawals) in TAKEN_BACK)


def _source_record(source: Source) -> SourceRecord:
    sightings, first_ms, last_ms = source.all_seen
    return {
        "sensor": source.sensor,
        "marking": _record_of(source.marking),
        "confidence": source.confidence,
        "valid_until_ms": source.received_ms if source.withdrawal else source.valid_until_ms,
        "labels": list(source.labels),
        "first_seen_ms": first_ms,
        "last_seen_ms": last_ms,
        "sightings": sightings,
        "description": source.description,
        "context": dict(source.context),
    }


def _record_of(marking: Marking) -> MarkingRecord:
    named = marking.releasable_to
    return {
        "tlp": int(marking.tlp),
        "pap": int(marking.pap),
        "releasable_to": None if named is None else list(named),
        "caveats": [caveat.value for caveat in marking.caveats],
    }


def _release(
    kind: IndicatorType,
    value: str,
    enrichment: Enrichment,
    sources: Sequence[Source],
    partner: str,
    low: Collection[str],
) -> tuple[Outcome, Release | None]:
    """A source's data goes in pieces: what it saw under a marking, under the stricter of that and its latest word."""
    pieces = [
        (source, seen, marking.join(source.marking))
        for source in sources
        if not source.withdrawal
        for marking, seen in source.seen
    ]
    cases = [
        Case(
            marking,
            kind,
            source.confidence,
            enrichment.benign,
            bool(enrichment.special_use),
            kind is IndicatorType.EMAIL_ADDR or Caveat.PERSONAL_DATA in marking.caveats,
            int(value.split("/")[1]) if kind in (IndicatorType.IPV4_NET, IndicatorType.IPV6_NET) else -1,
            enrichment.local_query,
            source.sensor in low if source.in_full else bool(low),  # of the others no one knows the names
        )
        for source, _, marking in pieces
    ]
    stated, places = outcome_of_all(cases, partner)
    if stated is not Outcome.RELEASE:
        return stated, None
    included = [pieces[place] for place in places]
    lives = tuple(source.life(kind) for source, _, _ in included)
    marking = joined(piece[2] for piece in included)
    owed = OWED[marking.tlp]
    sightings, first_ms, last_ms = total(seen for _, seen, _ in included)
    named = {partner} if owed.only_partner else {partner, *(marking.releasable_to or ())}
    content: Content = {
        "type": kind.label,
        "value": value,
        "tlp": marking.tlp.label,
        "pap": max(marking.pap, owed.pap).label,
        "releasable_to": sorted(named),
        "caveats": [caveat.value for caveat in marking.caveats],
        "confidence": max(source.confidence for source, _, _ in included),
        "labels": leaving(source for source, _, _ in included),
        "first_seen_ms": first_ms - first_ms % owed.step_ms,
        "last_seen_ms": last_ms - last_ms % owed.step_ms,
        "sightings": sightings,
        "valid_until_ms": max(-(-life.end_ms // owed.step_ms) * owed.step_ms for life in lives),
        "release_expires_ms": 0,
        "registered_domain": enrichment.registered_domain,
        "asn": enrichment.asn,
        "country": enrichment.country,
    }
    tearline = _tearline(source for source, _, _ in included) if owed.tearline else ""
    if tearline:
        content["tearline"] = tearline
    return stated, Release(content, owed.days, lives)


def _tearline(sources: Iterable[Source]) -> str:
    """What the sources wrote for release: distinct, sorted, each whole, the first ones that have room in 2048 bytes."""
    texts: list[str] = []
    for text in sorted({dict(source.context).get("tearline", "") for source in sources} - {""}):
        if len("\n".join([*texts, text]).encode()) > MOST_TEARLINE_BYTES:
            break
        texts.append(text)
    return "\n".join(texts)
