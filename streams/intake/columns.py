"""A sensor's report in columns, whole-report checks first."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from schemas.markings import UNMARKED, Marking, SourceMarking, understand
from schemas.quarantine import Refused
from schemas.records import ContextRecord, SensorReport
from schemas.vocabulary import RejectReason

FORMAT_VERSION: Final = 1
MAX_OBSERVATIONS: Final = 100_000
MAX_DICTIONARY: Final = 65_536
MAX_SENSOR_LENGTH: Final = 256
MAX_KEY_LENGTH: Final = 512

_NUMBERS: Final = ("first_seen_ms", "last_seen_ms", "counts", "valid_until_ms", "confidences")
_INDICES: Final = ("marking_index", "label_index", "context_index")
NO_ENTRY: Final = -1
DANGLING: Final = -2

Labels = tuple[str, ...]
Entry = TypeVar("Entry", Marking, Labels)


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """A report whose columns fit together, and when the broker appended it (milliseconds since 1970, UTC).

    ``authenticated`` means that it was signed by its sensor's key.
    """

    report: SensorReport
    appended_ms: int
    authenticated: bool = False


class Dictionaries:
    """The markings, labels and contexts of a batch's reports, each with the code that columns have for it."""

    def __init__(self) -> None:
        self.markings: list[Marking] = []
        self.labels: list[Labels] = []
        self.contexts: list[ContextRecord] = []
        self._marking_codes: dict[Marking, int] = {}
        self._label_codes: dict[Labels, int] = {}
        self.code_of_marking(UNMARKED)
        self.code_of_labels(())

    def code_of_marking(self, marking: Marking) -> int:
        """The code of a marking, which is added if it is new."""
        return _code(marking, self.markings, self._marking_codes)

    def code_of_labels(self, labels: Labels) -> int:
        """The code of a set of labels, which is added if it is new."""
        return _code(labels, self.labels, self._label_codes)


class Columns(msgspec.Struct, frozen=True, gc=False):
    """All observations of one report: each column has the sensor's values, or the default if it is absent.

    ``marking``, ``label`` and ``context`` are codes of ``Dictionaries``. Nothing is normalised yet.
    """

    values: Sequence[str]
    kinds: bytes
    withdrawals: bytes
    first_seen_ms: Sequence[int]
    last_seen_ms: Sequence[int]
    counts: Sequence[int]
    valid_until_ms: Sequence[int]
    confidences: Sequence[int]
    marking: Sequence[int]
    label: Sequence[int]
    context: Sequence[int]


def check_columns(report: SensorReport) -> Refused | None:
    """Refuses a report with an unknown layout, with names that are too long, or with columns of different lengths."""
    if report["format_version"] != FORMAT_VERSION:
        return Refused(
            RejectReason.UNKNOWN_FORMAT_VERSION,
            f"has layout version {report['format_version']}, known is {FORMAT_VERSION}: upgrade the exchange first",
        )
    sizes = (
        ("sensor", len(report["sensor"]), MAX_SENSOR_LENGTH),
        ("tool", len(report["tool"]), MAX_SENSOR_LENGTH),
        ("redrive_of", len(report["redrive_of"]), MAX_KEY_LENGTH),
    )
    for text, found, most in sizes:
        if found > most:
            return Refused(RejectReason.TOO_LARGE, f"{text} has {found} characters, at most {most} are accepted")
    length = len(report["values"])
    if length > MAX_OBSERVATIONS:
        return Refused(RejectReason.TOO_LARGE, f"has {length} observations, at most {MAX_OBSERVATIONS} are accepted")
    if len(report["kinds"]) != length:
        return Refused(
            RejectReason.MISMATCHED_COLUMNS, f"column kinds has {len(report['kinds'])} entries, values {length}"
        )
    columns = [(name, len(report[name])) for name in (*_NUMBERS, *_INDICES)]
    for name, found in (*columns, ("withdrawals", len(report.get("withdrawals", b"")))):
        if found not in (0, length):
            return Refused(RejectReason.MISMATCHED_COLUMNS, f"column {name} has {found} entries, values {length}")
    return None


def columns_of(report: SensorReport, known: Dictionaries) -> Columns:
    """The columns of a report that has passed ``check_columns``; the entries of its dictionaries become ``known``."""
    length = len(report["values"])
    marking_codes = [known.code_of_marking(_understood(entry)) for entry in report["markings"][:MAX_DICTIONARY]]
    label_codes = [known.code_of_labels(tuple(sorted(set(entry)))) for entry in report["label_sets"][:MAX_DICTIONARY]]
    context_codes = range(len(known.contexts), len(known.contexts) + len(report["contexts"]))
    known.contexts += report["contexts"]
    zeros = [0] * length
    return Columns(
        values=report["values"],
        kinds=report["kinds"],
        withdrawals=report.get("withdrawals") or bytes(length),
        first_seen_ms=report["first_seen_ms"] or zeros,
        last_seen_ms=report["last_seen_ms"] or zeros,
        counts=report["counts"] or [1] * length,
        valid_until_ms=report["valid_until_ms"] or zeros,
        confidences=report["confidences"] or [-1] * length,
        marking=_codes(report["marking_index"], marking_codes, 0, length),
        label=_codes(report["label_index"], label_codes, 0, length),
        context=_codes(report["context_index"], context_codes, NO_ENTRY, length),
    )


def _code(entry: Entry, entries: list[Entry], codes: dict[Entry, int]) -> int:
    code = codes.setdefault(entry, len(entries))
    if code == len(entries):
        entries.append(entry)
    return code


def _codes(index: Sequence[int], codes: Sequence[int], absent: int, length: int) -> list[int]:
    """A report's own indices as codes of the batch; an index without an entry is DANGLING."""
    if not index:
        return [absent] * length
    last = len(codes)
    return [codes[place] if 0 <= place < last else absent if place == NO_ENTRY else DANGLING for place in index]


def _understood(entry: object) -> Marking:
    return understand(msgspec.convert(entry, SourceMarking))
