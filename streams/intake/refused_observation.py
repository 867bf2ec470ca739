"""One refused observation as quarantine keeps it: as JSON, as its sensor sent it."""

from typing import Final

import msgspec

from schemas.quarantine import is_whole
from schemas.records import SensorReport
from schemas.vocabulary import IndicatorType

KNOWN: Final = frozenset(map(int, IndicatorType))


def observation_as_json(report: SensorReport, index: int, *, in_full: bool = True) -> bytes:
    """One observation of a report, as quarantine keeps, shows and redrives it.

    Without ``in_full`` it lacks the parts that it shares with other observations of its report: marking, labels,
    context.
    One that was redriven and is refused again keeps the key under which it counts: all its entries count once together.
    """

    def number(name: str, absent: int) -> int:
        column: list[int] = report[name]  # type: ignore[literal-required]  # callers below name its columns
        return column[index] if column else absent

    def entry(name: str, index_name: str) -> object:
        index_of_entry = number(index_name, -1) if in_full else -1
        entries: list[object] = report[name]  # type: ignore[literal-required]
        return entries[index_of_entry] if 0 <= index_of_entry < len(entries) else None

    code = report["kinds"][index]
    again = report["redrive_of"]
    return msgspec.json.encode(
        ({"redrive_of": again} if again and not is_whole(again) else {})
        | {
            "nation": report["nation"],
            "sensor": report["sensor"],
            "epoch": report["epoch"],
            "sequence": report["sequence"],
            "tool": report["tool"],
            "kind": IndicatorType(code).label if code in KNOWN else f"unknown-{code}",
            "value": report["values"][index],
            "first_seen_ms": number("first_seen_ms", 0),
            "last_seen_ms": number("last_seen_ms", 0),
            "count": number("counts", 1),
            "confidence": number("confidences", -1),
            "valid_until_ms": number("valid_until_ms", 0),
            "marking": entry("markings", "marking_index"),
            "labels": entry("label_sets", "label_index"),
            "context": entry("contexts", "context_index"),
        }
    )
