"""A conformance report as text in 80 columns: for a terminal, a log or a mail."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from rich.cells import cell_len

from kakehashi.conformance.words import (
    LEVELS,
    NO_NOTIFICATION,
    OUTCOMES,
    RESULTS,
    STATUSES,
    UNSIGNED,
    level_counts,
    place_of,
)
from kakehashi.dry_run_view import folded
from kakehashi.terminal import printable, utc
from producers.conformance.judge import Met, Result
from producers.conformance.report import Report, Signed
from producers.conformance.standard import Level, Standard

_INDENT: Final = " " * 4
_SHOWN: Final = (Met.NOT_MET, Met.CANNOT_BE_JUDGED)
_HEADS: Final = {
    "en": ("requirement", "level", "result", "checked", "failed"),
    "ja": ("要件", "水準", "結果", "判定数", "不適合"),
}
_WIDTHS: Final = (12, 8, 18, 12, 12)


_STYLES: Final = {
    Met.MET: "green",
    Met.NOT_MET: "red",
    Met.CANNOT_BE_JUDGED: "yellow",
    Met.NOT_APPLICABLE: "dim",
}


class Line(NamedTuple):
    """One line, and the style that a terminal shows it in."""

    text: str
    style: str = ""


def lines(found: Signed, standard: Standard, language: str) -> Iterator[Line]:
    """The report; of each requirement that is not met, or cannot be judged, the places and what to do."""
    yield from map(Line, _head(found.report, language))
    for group in standard.groups:
        yield Line(group.title.of(language), "bold")
        for result in (each for each in found.report.results if each.group == group.id):
            yield Line(_row(_cells(result, language)), _STYLES[result.result])
            yield from map(Line, _explanation(result, found.report, language))
    yield from map(Line, _counts(found.report, language))
    yield from (Line(each, "bold") for each in folded(OUTCOMES[found.report.outcome].of(language), ""))
    yield from map(Line, _end(found, language))


def _head(report: Report, language: str) -> Iterator[str]:
    titles = f"{report.profile_title.of(language)}: {report.incident_title.of(language)}"
    draft = STATUSES[report.standard.status].of(language)
    yield from folded(f"{titles} · {report.profile.name} {report.profile.version}, {draft}", "")
    for fed in report.feed:
        yield from folded(f"{printable(fed.name)}  SHA-256 {fed.sha256}", "")
    yield ""
    yield _row(_HEADS[language])


def _counts(report: Report, language: str) -> Iterator[str]:
    yield ""
    for level in Level:
        counts = level_counts(report, level)
        stated = ", ".join(f"{counts[met]} {RESULTS[met].of(language)}" for met in Met if counts[met])
        yield from folded(f"{LEVELS[level].of(language)}: {stated}", "")
    elsewhere: dict[str, int] = {}
    for each in report.results:
        if each.result is Met.CANNOT_BE_JUDGED and not each.checked:
            elsewhere[each.because.of(language)] = elsewhere.get(each.because.of(language), 0) + 1
    for because, count in elsewhere.items():
        yield from folded(f"{count} {RESULTS[Met.CANNOT_BE_JUDGED].of(language)}: {because}", "")
    yield ""


def _end(found: Signed, language: str) -> Iterator[str]:
    if any(due.due_ms for due in found.report.clocks):
        yield from _clocks(found.report, language)
    signature = found.signature
    yield from folded(UNSIGNED.of(language) if signature is None else f"Ed25519 {signature.key}", "")


def _row(cells: tuple[str, ...]) -> str:
    padded = []
    for at, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True)):
        blank = " " * max(0, width - cell_len(cell))
        padded.append(blank + cell if at > 2 else cell + blank)
    return "  " + " ".join(padded).rstrip()


def _cells(result: Result, language: str) -> tuple[str, ...]:
    failed = f"{result.failed:,}" if result.failed else ""
    checked = f"{result.checked:,}" if result.checked else ""
    return result.id, LEVELS[result.level].of(language), RESULTS[result.result].of(language), checked, failed


def _explanation(result: Result, report: Report, language: str) -> Iterator[str]:
    if result.result not in _SHOWN or not result.checked:
        return
    yield from folded(result.text.of(language), _INDENT)
    if result.because.of(language):
        yield from folded(result.because.of(language), _INDENT)
    for example in result.examples:
        value = f" {printable(example.value)}" if example.value else ""
        place = printable(place_of(example, report, language))
        yield from folded(f"- {place}: {example.why.of(language)}{value}", _INDENT)
    rest = (result.failed or result.unknown) - len(result.examples)
    if result.examples and rest > 0:
        yield f"{_INDENT}- +{rest:,}"
    if result.result is Met.NOT_MET:
        yield from folded(f"→ {result.remedy.of(language)}", _INDENT)


def _clocks(report: Report, language: str) -> Iterator[str]:
    yield ""
    for due in report.clocks:
        if due.due_ms:
            times = ", ".join(f"{utc(each)} UTC" for each in due.due_ms)
            yield from folded(f"{due.clock.name.of(language)} ({due.clock.jurisdiction}): {times}", "")
    yield from folded(NO_NOTIFICATION.of(language), "")
