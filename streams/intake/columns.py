"""A sensor's report as a frame: one row per observation, whole-report checks first.

The frame has each row's position (``report``, ``index``), the sensor's values, and codes into the batch's dictionaries
of markings, labels and contexts. Nothing is normalised yet.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

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
_ABSENT: Final = {"first_seen_ms": 0, "last_seen_ms": 0, "counts": 1, "valid_until_ms": 0, "confidences": -1}
_INDICES: Final = ("marking_index", "label_index", "context_index")
NO_ENTRY: Final = -1
DANGLING: Final = -2

Labels = tuple[str, ...]


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """A report whose columns fit together, and when the broker appended it (milliseconds since 1970, UTC).

    ``authenticated`` means that it was signed by its sensor's key.
    """

    report: SensorReport
    appended_ms: int
    authenticated: bool = False


class Batch(msgspec.Struct, frozen=True):
    """Several reports in one frame, with the dictionaries that its codes point into."""

    frame: pl.DataFrame
    markings: Sequence[Marking]
    labels: Sequence[Labels]
    contexts: Sequence[ContextRecord]


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


def frame_of(arrived: Sequence[Arrived]) -> Batch:
    """All observations of these reports in one frame. Every report has passed ``check_columns``."""
    markings: dict[Marking, int] = {UNMARKED: 0}
    labels: dict[Labels, int] = {(): 0}
    contexts: list[ContextRecord] = []
    columns: dict[str, list[int]] = {name: [] for name in (*_NUMBERS, "marking", "label", "context")}
    values: list[str] = []
    kinds, withdrawals = bytearray(), bytearray()
    reports: list[int] = []
    indices: list[int] = []
    appended: list[int] = []
    for place, each in enumerate(arrived):
        report, length = each.report, len(each.report["values"])
        values += report["values"]
        kinds += report["kinds"]
        withdrawals += report.get("withdrawals") or bytes(length)
        reports += [place] * length
        indices += range(length)
        appended += [each.appended_ms] * length
        for name in _NUMBERS:
            columns[name] += report[name] or [_ABSENT[name]] * length
        marking_codes = [
            markings.setdefault(_understood(entry), len(markings)) for entry in report["markings"][:MAX_DICTIONARY]
        ]
        label_codes = [
            labels.setdefault(tuple(sorted(set(entry))), len(labels)) for entry in report["label_sets"][:MAX_DICTIONARY]
        ]
        context_codes = range(len(contexts), len(contexts) + len(report["contexts"]))
        contexts += report["contexts"]
        columns["marking"] += _codes(report["marking_index"], marking_codes, 0, length)
        columns["label"] += _codes(report["label_index"], label_codes, 0, length)
        columns["context"] += _codes(report["context_index"], context_codes, NO_ENTRY, length)
    frame = pl.DataFrame(
        {
            "report": pl.Series(reports, dtype=pl.Int32),
            "index": pl.Series(indices, dtype=pl.Int32),
            "appended_ms": pl.Series(appended, dtype=pl.Int64),
            "kind": pl.Series(list(kinds), dtype=pl.UInt8),
            "withdrawal": pl.Series(list(withdrawals), dtype=pl.UInt8),
            "value": pl.Series(values, dtype=pl.String),
        }
        | {name: pl.Series(column, dtype=pl.Int64) for name, column in columns.items()}
    )
    return Batch(frame, list(markings), list(labels), contexts)


def _codes(index: Sequence[int], codes: Sequence[int], absent: int, length: int) -> list[int]:
    """A report's own indices as codes of the batch; an index without an entry is DANGLING."""
    if not index:
        return [absent] * length
    last = len(codes)
    return [codes[place] if 0 <= place < last else absent if place == NO_ENTRY else DANGLING for place in index]


def _understood(entry: object) -> Marking:
    return understand(msgspec.convert(entry, SourceMarking))
