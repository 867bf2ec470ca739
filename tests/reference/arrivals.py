"""Which reports count, and which of their observations can be used: a straight walk through the log."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from exchange.authority.roster import Roster
from exchange.protocol.record import Headers
from schemas.codec import SENSOR_REPORT, Codec, Undecodable
from schemas.identity import shard_of_sensor
from schemas.markings import UNMARKED, Marking, SourceMarking, understand
from schemas.normalise import Invalid, canonical
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType, RejectReason
from tests.reference.ledger import Fate, Ledger
from tests.reference.vouching import vouched

DAY_MS: Final = 24 * 60 * 60 * 1000
LAST_TIME_MS: Final = 253_402_300_799_999  # the end of the year 9999
QUOTA: Final = 6_000_000  # observations of one sensor in a minute of the broker's
MOST_BYTES: Final = 16_384  # of labels, and of context, in UTF-8: what a nation's record of 32 sources has room for
MOST_TEARLINE_BYTES: Final = 1_024
NUMBERS: Final = {"first_seen_ms": 0, "last_seen_ms": 0, "counts": 1, "confidences": -1, "valid_until_ms": 0}
INDICES: Final = ("marking_index", "label_index", "context_index")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record of ``sensor.reports`` as it stands there."""

    partition: int
    offset: int
    appended_ms: int
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """An arrival and its fate. ``report`` is there where it counts, ``reason`` if it is refused.

    ``authenticated`` if its sensor has signed it.
    """

    arrival: Arrival
    fate: Fate
    report: SensorReport | None = None
    reason: RejectReason | None = None
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """One usable observation in canonical form, times put right, its marking understood."""

    kind: IndicatorType
    value: str
    marking: Marking
    count: int
    first_ms: int
    last_ms: int
    confidence: int
    valid_until_ms: int
    labels: tuple[str, ...]
    description: str
    context: Mapping[str, str]
    withdrawal: int = 0  # not 0: its source takes back what it reported of the value


def judged(
    arrivals: Iterable[Arrival], nation: str, shards: int, quota: int = QUOTA, roster: Roster | None = None
) -> Iterator[Judged]:
    """Every arrival with its fate. Arrivals of one partition come in the order of their offsets.

    Without a ``roster`` no one's key is known.
    """
    codec, roster = Codec(), roster or Roster(nation)
    ledgers: dict[str, Ledger] = {}
    redriven: set[str] = set()
    for arrival in arrivals:
        found = codec.decode(SENSOR_REPORT, arrival.value)
        if isinstance(found, Undecodable):
            yield Judged(arrival, Fate.REFUSED, reason=found.reason)
            continue
        report = cast("SensorReport", found)
        wrong = _wrong_with(report, nation, arrival.partition, shards)
        if wrong is not None:
            yield Judged(arrival, Fate.REFUSED, reason=wrong)
            continue
        signed = vouched(report, arrival.value or b"", arrival.headers, arrival.appended_ms, roster)
        if isinstance(signed, RejectReason):
            yield Judged(arrival, Fate.REFUSED, reason=signed)
            continue
        fate: Fate | RejectReason
        ledger = ledgers.setdefault(report["sensor"], Ledger())
        if not report["redrive_of"]:
            fate = ledger.fate_of(report, arrival.appended_ms, quota)
        elif report["redrive_of"] in redriven:
            fate = Fate.DUPLICATE
        else:
            fate = ledger.fate_of_redriven(report, arrival.appended_ms, quota)
            whole, seen = report["redrive_of"].endswith("--1"), Eyes().observations(report, arrival.appended_ms)
            if fate is Fate.REDRIVEN and (whole or any(isinstance(each, Seen) for each in seen)):
                redriven.add(report["redrive_of"])  # what is refused again may be corrected once more
        if isinstance(fate, RejectReason):
            yield Judged(arrival, Fate.REFUSED, reason=fate)
        else:
            yield Judged(arrival, fate, report=None if fate is Fate.DUPLICATE else report, authenticated=signed)


def _wrong_with(report: SensorReport, nation: str, partition: int, shards: int) -> RejectReason | None:
    columns = cast("dict[str, Any]", report)
    length = len(report["values"])
    if report["format_version"] != 1:
        return RejectReason.UNKNOWN_FORMAT_VERSION
    if length > 100_000 or max(len(report["sensor"]), len(report["tool"])) > 256 or len(report["redrive_of"]) > 512:
        return RejectReason.TOO_LARGE
    if len(report["kinds"]) != length:
        return RejectReason.MISMATCHED_COLUMNS
    if any(len(columns[name]) not in (0, length) for name in (*NUMBERS, *INDICES)):
        return RejectReason.MISMATCHED_COLUMNS
    if report["nation"] != nation:
        return RejectReason.WRONG_NATION
    if shard_of_sensor(report["sensor"], shards) != partition:
        return RejectReason.KEY_MISMATCH
    return None


class Eyes:
    """Reads observations; remembers what it has normalised and understood."""

    def __init__(self) -> None:
        self._spelled: dict[tuple[int, str], tuple[IndicatorType, str] | Invalid] = {}
        self._understood: dict[SourceMarking, Marking] = {}

    def observations(self, report: SensorReport, appended_ms: int) -> Iterator[Seen | RejectReason]:
        """Each row of a report: what was seen, or why it cannot be used."""
        columns = cast("dict[str, Any]", report)
        markings = [self._understand(_source_marking(entry)) for entry in report["markings"]]
        for row, value in enumerate(report["values"]):
            numbers = {name: columns[name][row] if columns[name] else absent for name, absent in NUMBERS.items()}
            places = [columns[name][row] if columns[name] else -1 for name in INDICES]
            seen = self._observation(report, report["kinds"][row], value, numbers, places, markings, appended_ms)
            code = (report.get("withdrawals") or bytes(len(report["values"])))[row]
            if isinstance(seen, Seen) and code:
                seen = replace(seen, withdrawal=code)
            yield seen

    def _observation(
        self,
        report: SensorReport,
        code: int,
        value: str,
        numbers: Mapping[str, int],
        places: list[int],
        markings: list[Marking],
        appended_ms: int,
    ) -> Seen | RejectReason:
        if code not in IndicatorType.__members__.values():
            return RejectReason.UNKNOWN_TYPE
        first, last, until = (numbers[name] for name in ("first_seen_ms", "last_seen_ms", "valid_until_ms"))
        latest = appended_ms + DAY_MS
        if min(first, last, until) < 0 or max(first, last) > latest or until > LAST_TIME_MS or first > last > 0:
            return RejectReason.TIME_OUT_OF_RANGE
        if not 1 <= numbers["counts"] <= 1 << 40:
            return RejectReason.COUNT_OUT_OF_RANGE
        if not -1 <= numbers["confidences"] <= 100:
            return RejectReason.CONFIDENCE_OUT_OF_RANGE
        sizes = (len(markings), len(report["label_sets"]), len(report["contexts"]))
        if any(not -1 <= place < size for place, size in zip(places, sizes, strict=True)):
            return RejectReason.DANGLING_INDEX
        labels = set() if places[1] == -1 else set(report["label_sets"][places[1]])
        if len(labels) > 64 or sum(len(label.encode()) for label in labels) > MOST_BYTES:
            return RejectReason.TOO_MANY_LABELS
        if not all(0 < len(label) <= 256 and _is_text(label) for label in labels):
            return RejectReason.TOO_MANY_LABELS
        context = {"description": "", "entries": {}} if places[2] == -1 else report["contexts"][places[2]]
        marking = UNMARKED if places[0] == -1 else markings[places[0]]
        if _bytes_of(context) > MOST_BYTES or _names_too_many(marking):
            return RejectReason.TOO_LARGE
        tearline = context["entries"].get("tearline", "")
        if len(tearline.encode()) > MOST_TEARLINE_BYTES or not _is_text(tearline.replace("\n", "")):
            return RejectReason.MALFORMED_CONTENT
        spelled = self._spell(code, value)
        if isinstance(spelled, Invalid):
            return spelled.reason
        last = min(last or first or appended_ms, appended_ms)
        return Seen(
            kind=spelled[0],
            value=spelled[1],
            marking=marking,
            count=numbers["counts"],
            first_ms=min(first or last, last),
            last_ms=last,
            confidence=numbers["confidences"],
            valid_until_ms=until,
            labels=tuple(sorted(labels)),
            description=context["description"],
            context=context["entries"],
        )

    def _spell(self, code: int, value: str) -> tuple[IndicatorType, str] | Invalid:
        found = self._spelled.get((code, value))
        if found is None:
            found = self._spelled[code, value] = canonical(IndicatorType(code), value)
        return found

    def _understand(self, source: SourceMarking) -> Marking:
        found = self._understood.get(source)
        if found is None:
            found = self._understood[source] = understand(source)
        return found


def _source_marking(entry: Mapping[str, Any]) -> SourceMarking:
    named = entry["releasable_to"]
    return SourceMarking(entry["tlp"], entry["pap"], None if named is None else tuple(named), tuple(entry["caveats"]))


def _is_text(label: str) -> bool:
    """No control characters (C0, DEL, C1): neither guard lets them pass."""
    return not any(character < " " or "\x7f" <= character < "\xa0" for character in label)


def _names_too_many(marking: Marking) -> bool:
    nations = marking.releasable_to or ()
    return len(nations) > 64 or any(len(nation) > 16 for nation in nations)


def _bytes_of(context: Mapping[str, Any]) -> int:
    texts = [context["description"], *context["entries"], *context["entries"].values()]
    return sum(len(text.encode()) for text in texts)
