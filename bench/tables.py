"""Markdown tables for ``docs/performance.md``, and those of decisions and of changed rules."""

from collections.abc import Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers to the right, with thousands apart."""
    right = [
        all(row[column] is None or isinstance(row[column], int | float) for row in rows) for column in range(len(head))
    ]
    lines = [
        "| " + " | ".join(head) + " |",
        "|" + "|".join("---:" if number else "---" for number in right) + "|",
        *("| " + " | ".join(cell(value) for value in row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def cell(value: object) -> str:
    """A value as the tables show it: ``12 345``, ``0.31``, words as they are; a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 100 else f"{value:g}"
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else str(value)


def decisions(data: Any) -> str:
    """What ``bench.decisions`` has measured."""
    rows: list[list[object]] = [
        ["remembered by facets", data["indicators"], data["remembered_rate"]],
        ["asked of Cedar each time", data["asked"], data["asked_rate"]],
    ]
    facets, times = cell(data["distinct_facets"]), cell(data["times"])
    each, observation = cell(data["indicator_us"]), cell(data["observation_us"])
    said = (
        f"{facets} distinct facets; remembered, {times} times as fast. Classified and redacted, an indicator costs "
        f"{each} µs, which at 10:1 is {observation} µs for each observation where it is decided once.\n"
    )
    return table(["decisions", "indicators", "decisions/s"], rows) + "\n" + said


def rules(data: Any) -> str:
    """What ``bench.rules`` has measured."""
    return table(
        [
            "released",
            "last recall told, s",
            "last on the partner's topic, s",
            "indicators/s",
            "worker µs/indicator",
            "observations meanwhile",
            "absorbed after, s",
            "checked",
        ],
        [
            [
                run["indicators"],
                run["told_s"],
                run["partner_s"],
                run["rate"],
                run["worker_cpu_us"],
                run["observations"],
                run["observations_s"],
                run["void"] or "each recalled once",
            ]
            for run in data["runs"]
        ],
    )
