"""The figures of one direction between two nations, from the records on their topics. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from exchange.protocol.record import Record
from schemas.codec import DECISION, INDICATOR, QUARANTINED, RELEASED_INDICATOR, SENSOR_REPORT, Codec, Undecodable
from schemas.identity import indicator_id, indicator_key
from schemas.normalise import Invalid, canonical
from schemas.records import Decision, Quarantined, SensorReport
from schemas.vocabulary import IndicatorType, Outcome, RecordKind
from tests.reference.audit import Stand

MOST_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A decision, with the value that it is on."""

    value: str
    type: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Figures:
    """One direction in numbers.

    ``observations_in`` is everything that sensors gave: ``valid`` and ``quarantined`` are its parts. ``released``,
    ``held``, ``withheld`` and ``ended`` are the parts of ``distinct``, by the last decision on each; ended ones were
    allowed, but their time is over. ``replicated`` and ``received`` count the partner's latest records with content;
    receive empties the inbox behind itself, so records never read there are counted by the accepted ones.
    Latencies are milliseconds, from the append of an indicator's first report to that of its first record at the
    partner.
    """

    observations_in: int
    valid: int
    quarantined: int
    distinct: int
    released: int
    held: int
    withheld: int
    ended: int
    recalled: int
    replicated: int
    received: int
    p50_ms: int
    p99_ms: int
    refusals: tuple[tuple[str, int], ...]
    hold_rules: tuple[tuple[str, int], ...]
    withhold_rules: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]
    sample: Record | None


def figures(stand: Stand, partner: str) -> Figures:
    """Count one direction. Only sensors' own reports are observations: a redriven one was counted before."""
    codec = Codec()
    reports = [
        (record, cast("SensorReport", found))
        for record, found in _decoded(codec, SENSOR_REPORT, stand.reports)
        if not found["redrive_of"]
    ]
    refused = [cast("Quarantined", found) for _, found in _decoded(codec, QUARANTINED, stand.quarantine)]
    observed = sum(len(report["values"]) for _, report in reports)
    unread = [each for each in refused if each["stage"] == "produce"]
    poisoned = [each for each in refused if each["stage"] == "intake" and each["index"] >= 0]
    decisions = [
        cast("Decision", found)
        for _, found in _decoded(codec, DECISION, stand.decisions)
        if found["partner"] == partner
    ]
    last = {decision["indicator_id"]: decision for decision in decisions}
    outcomes = Counter(decision["outcome"] for decision in last.values())
    national = _last(stand.national)
    kinds = _Kinds(codec)
    released, replicated, received = (
        Counter(kind for _, kind in kinds.newest(each).values())
        for each in (stand.released, (*stand.inbox, *stand.accepted), stand.accepted)
    )
    latencies = _latencies(reports, decisions, stand.accepted)
    return Figures(
        observations_in=observed + len(unread),
        valid=observed - len(poisoned),
        quarantined=len(unread) + len(poisoned),
        distinct=len(national),
        released=released[RecordKind.CONTENT],
        held=outcomes[Outcome.HOLD],
        withheld=outcomes[Outcome.WITHHOLD],
        ended=outcomes[Outcome.RELEASE] - released[RecordKind.CONTENT],
        recalled=received[RecordKind.RECALLED],
        replicated=replicated[RecordKind.CONTENT],
        received=received[RecordKind.CONTENT],
        p50_ms=quantile(latencies, 0.50),
        p99_ms=quantile(latencies, 0.99),
        refusals=tuple(Counter(each["reason"] for each in (*unread, *poisoned)).most_common(MOST_REASONS)),
        hold_rules=_rules(last.values(), Outcome.HOLD),
        withhold_rules=_rules(last.values(), Outcome.WITHHOLD),
        examples=_examples(codec, last.values(), national),
        sample=_sample(codec, last.values(), _last(stand.accepted)),
    )


def quantile(ordered: Sequence[int], share: float) -> int:
    """The value that ``share`` of them do not exceed; 0 if there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def _decoded(codec: Codec, schema: str, records: Iterable[Record]) -> list[tuple[Record, dict[str, Any]]]:
    pairs = ((record, codec.decode(schema, record.value)) for record in records)
    return [(record, found) for record, found in pairs if not isinstance(found, Undecodable)]


def _last(records: Iterable[Record]) -> dict[str, Record]:
    """The last record of each indicator, by id, without deleted keys."""
    last = {record.key.decode(): record for record in records if record.key is not None}
    return {name: record for name, record in last.items() if record.value is not None}


class _Kinds:
    """Version and kind of released records. The inbox and the accepted topic have the same bytes: decoded once."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._known: dict[bytes | None, tuple[int, str]] = {}

    def newest(self, records: Iterable[Record]) -> dict[bytes, tuple[int, str]]:
        """The newest version of each indicator, by its key, without deleted ones."""
        found: dict[bytes, tuple[int, str]] = {}
        for record in records:
            if record.key is not None and record.value is not None:
                found[record.key] = max(found.get(record.key, (0, "")), self.of(record))
        return found

    def of(self, record: Record) -> tuple[int, str]:
        known = self._known.get(record.value)
        if known is None:
            found = self._codec.decode(RELEASED_INDICATOR, record.value)
            known = (0, "") if isinstance(found, Undecodable) else (found["version"], found["kind"])
            self._known[record.value] = known
        return known


def _rules(decisions: Iterable[Decision], outcome: Outcome) -> tuple[tuple[str, int], ...]:
    """The rules that led to an outcome most often; if several did, the decision counts for the first."""
    hits = Counter(decision["rules"][0] for decision in decisions if decision["outcome"] == outcome)
    return tuple(hits.most_common(MOST_REASONS))


def _latencies(
    reports: Iterable[tuple[Record, SensorReport]],
    decisions: Iterable[Decision],
    accepted: Iterable[Record],
) -> list[int]:
    """Sorted. Only of indicators whose first decision was to release: others waited for a decision of officers."""
    first_decision: dict[str, str] = {}
    for decision in decisions:
        first_decision.setdefault(decision["indicator_id"], decision["outcome"])
    first_out: dict[str, int] = {}
    for record in accepted:
        name = (record.key or b"").decode()
        if first_decision.get(name) == Outcome.RELEASE:
            first_out.setdefault(name, record.timestamp_ms)
    first_in = _first_reported(reports)
    return sorted(first_out[name] - first_in[name] for name in first_out.keys() & first_in.keys())


def _first_reported(reports: Iterable[tuple[Record, SensorReport]]) -> dict[str, int]:
    """When each indicator was first appended by a sensor, by id."""
    spelled: dict[tuple[int, str], int] = {}
    for record, report in reports:
        for raw in zip(report["kinds"], report["values"], strict=True):
            spelled[raw] = min(spelled.get(raw, record.timestamp_ms), record.timestamp_ms)
    first: dict[str, int] = {}
    for (code, value), at_ms in spelled.items():
        known = canonical(IndicatorType(code), value) if code in IndicatorType.__members__.values() else None
        if known is not None and not isinstance(known, Invalid):
            name = indicator_id(indicator_key(*known))
            first[name] = min(first.get(name, at_ms), at_ms)
    return first


def _examples(codec: Codec, decisions: Iterable[Decision], national: Mapping[str, Record]) -> tuple[Example, ...]:
    """Of each outcome one decision for each of the rules that led to it most often: always the same ones.

    An e-mail address is not put on a screen: it may be a person's.
    """
    best: dict[tuple[str, tuple[str, ...]], Decision] = {}
    for decision in decisions:
        facets = decision["assertions"][0]["facets"]
        if facets["personal_data"] or decision["indicator_id"] not in national:
            continue
        case = decision["outcome"], tuple(decision["rules"])
        if case not in best or _parts(decision) > _parts(best[case]):
            best[case] = decision
    chosen = sorted(best.values(), key=lambda each: list(Outcome).index(Outcome(each["outcome"])))
    read = ((each, codec.decode(INDICATOR, national[each["indicator_id"]].value)) for each in chosen)
    return tuple(
        Example(found["value"], found["type"], each) for each, found in read if not isinstance(found, Undecodable)
    )


def _parts(decision: Decision) -> tuple[int, int, str]:
    """Sources that go different ways, then the number of sources; the id decides between equals."""
    groups = decision["assertions"]
    ways = len({group["outcome"] for group in groups})
    return ways, sum(group["sources"] for group in groups), decision["indicator_id"]


def _sample(codec: Codec, decisions: Iterable[Decision], received: Mapping[str, Record]) -> Record | None:
    """The partner's record of the indicator with the most sources."""
    released = [each for each in decisions if each["outcome"] == Outcome.RELEASE and each["indicator_id"] in received]
    if not released:
        return None
    best = max(released, key=lambda each: (sum(group["sources"] for group in each["assertions"]), each["indicator_id"]))
    record = received[best["indicator_id"]]
    return None if _Kinds(codec).of(record)[1] != RecordKind.CONTENT else record
