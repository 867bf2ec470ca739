"""A conformance report as one HTML file: for people, on a screen or on paper, with nothing loaded from elsewhere.

The tree is built with the standard library's ElementTree, which escapes all text. The report itself is in the page as
JSON; the same report always gives the same page, so ``verify`` can tell whether a page shows what its report states.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final
from xml.etree.ElementTree import Element, tostring

from kakehashi.conformance.page_parts import Page, table
from kakehashi.conformance.words import (
    LEGAL,
    LEVELS,
    NO_NOTIFICATION,
    OUTCOMES,
    RESULTS,
    STARTS,
    UNSIGNED,
    level_counts,
)
from kakehashi.terminal import printable, utc
from producers.conformance.judge import Met, Outcome, Result
from producers.conformance.report import Due, Signed, encoded
from producers.conformance.standard import PROFILE, Level, Standard

BEGIN: Final = '<script id="report" type="application/json">'
END: Final = "</script>"
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_OF_OUTCOME: Final = {
    Outcome.MET: Met.MET,
    Outcome.MET_AS_FAR_AS_JUDGED: Met.MET,
    Outcome.NOT_SHOWN: Met.CANNOT_BE_JUDGED,
    Outcome.NOT_MET: Met.NOT_MET,
}


def page(found: Signed, standard: Standard, language: str) -> str:
    """The whole file."""
    made = Page(found, language)
    root = Element("html", {"lang": language})
    root.append(_head(made))
    body = made.add(root, "body")
    made.add(body, "a", made.word("skip"), {"class": "skip", "href": "#results"})
    _header(made, body)
    main = made.add(body, "main")
    _summary(made, main)
    _requirements(made, main, standard)
    _clocks(made, main)
    _read(made, main)
    _signature(made, made.add(body, "footer"))
    data = made.add(body, "script", _data(found), {"id": "report", "type": "application/json"})
    data.tail = "\n"
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _data(found: Signed) -> str:
    """The report as JSON that cannot end the element it is in."""
    return encoded(found).decode().replace("<", "\\u003c")


@cache
def _style() -> str:
    return (files("kakehashi.conformance") / "page.css").read_text("utf-8")


def _head(made: Page) -> Element:
    head = Element("head")
    made.add(head, "meta", "", {"charset": "utf-8"})
    made.add(head, "meta", "", {"http-equiv": "Content-Security-Policy", "content": _POLICY})
    made.add(head, "meta", "", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    report = made.report
    subject = report.sensor or (report.feed[0].name if report.feed else "")
    made.add(head, "title", printable(f"{made.word('title')}: {subject}, {utc(report.made_at_ms)} UTC"))
    made.add(head, "style", _style())
    return head


def _header(made: Page, body: Element) -> None:
    report, language = made.report, made.language
    header = made.add(body, "header")
    made.add(header, "h1", made.word("title"))
    titles = f"{report.profile_title.of(language)} · {report.incident_title.of(language)}"
    made.add(header, "p", titles, {"class": "subtitle"})
    made.add(header, "p", made.word("draft"), {"class": "draft"})


def _summary(made: Page, main: Element) -> None:
    report, language = made.report, made.language
    met = _OF_OUTCOME[report.outcome]
    made.add(main, "p", OUTCOMES[report.outcome].of(language), {"class": f"outcome {met}"})
    made.add(main, "h2", made.word("what"))
    made.facts(main)
    made.add(main, "h2", made.word("result"), {"id": "results"})
    rows = []
    for level in Level:
        counts = level_counts(report, level)
        rows.append((LEVELS[level].of(language), *(f"{counts[each]}" for each in Met)))
    heads = (made.word("level"), *(RESULTS[each].of(language) for each in Met))
    table(made, main, made.word("overview"), heads, rows, numbers=range(1, 1 + len(Met)))
    failing = [each for each in report.results if each.level is Level.MUST and each.result is Met.NOT_MET]
    if failing:
        made.add(main, "h3", made.word("first"))
        listed = made.add(main, "ol")
        for each in failing:
            item = made.add(listed, "li")
            made.add(item, "a", each.id, {"href": f"#{each.id}", "class": "id"}).tail = f" {each.text.of(language)}"


def _requirements(made: Page, main: Element, standard: Standard) -> None:
    made.add(main, "h2", made.word("requirements"))
    heads = [made.word(name) for name in ("number", "requirement", "level", "result", "checked", "failed")]
    for group in standard.groups:
        results = [each for each in made.report.results if each.group == group.id]
        body = table(made, main, group.title.of(made.language), heads, (), kind="requirements", numbers=(4, 5))
        for result in results:
            _requirement(made, body, result)


def _requirement(made: Page, body: Element, result: Result) -> None:
    language = made.language
    is_explained = bool(result.examples) or result.result is Met.NOT_MET
    row = made.add(body, "tr", "", {"id": result.id} | ({"class": "explained"} if is_explained else {}))
    made.add(row, "th", result.id, {"scope": "row", "class": "id"})
    cell = made.add(row, "td")
    made.sentence(made.add(cell, "div"), result.text.of(language))
    bound = f" · {made.word('bound')}: {_bound(made, result.bound)}" if result.bound else ""
    sources = "; ".join(made.word("profile") if each == PROFILE else each for each in result.sources)
    made.add(cell, "div", sources + bound, {"class": "sources"})
    if because := result.because.of(language):
        made.add(cell, "div", because, {"class": "because"})
    made.add(row, "td", LEVELS[result.level].of(language), {"class": str(result.level)})
    state = made.add(row, "td")
    made.add(state, "span", RESULTS[result.result].of(language), {"class": f"result {result.result}"})
    for name, number in (("checked", result.checked), ("failed", result.failed)):
        label = {"class": "number", "data-label": made.word(name)}  # a narrow screen shows no heads
        made.add(row, "td", f"{number:,}" if result.checked else "", label)
    if is_explained:
        explanation = made.add(body, "tr", "", {"class": "explanation"})
        made.add(explanation, "td")
        _why(made, made.add(explanation, "td", "", {"colspan": "5"}), result)


def _bound(made: Page, name: str) -> str:
    """A bound with its unit, which its name ends in."""
    return made.word(name.rpartition("_")[2]).format(hours=f"{made.report.bounds.number(name):g}")


def _why(made: Page, cell: Element, result: Result) -> None:
    language = made.language
    why = made.add(cell, "div", "", {"class": "why"})
    if result.examples:
        listed = made.add(why, "ul")
        for example in result.examples:
            item = made.add(listed, "li", f"{made.place(example)}: {example.why.of(language)} ")
            if example.value:
                made.add(item, "span", printable(example.value), {"class": "value"})
        rest = (result.failed or result.unknown) - len(result.examples)
        if rest > 0:
            made.add(listed, "li", made.word("more").format(count=f"{rest:,}"))
    if result.result is Met.NOT_MET:
        line = made.add(why, "div")
        made.add(line, "strong", made.word("do"))
        made.sentence(made.add(line, "span"), f": {result.remedy.of(language)}")


def _clocks(made: Page, main: Element) -> None:
    if not made.report.clocks:
        return
    language = made.language
    made.add(main, "h2", made.word("clocks"))
    made.add(main, "p", NO_NOTIFICATION.of(language))
    heads = [made.word(name) for name in ("regime", "status", "starts", "due", "fields")]
    rows = [
        (
            f"{due.clock.name.of(language)} ({due.clock.jurisdiction})",
            f"{LEGAL[due.clock.status].of(language)}{made.word('stop')}{due.clock.source.of(language)}",
            STARTS[due.clock.starts].of(language),
            _due(made, due),
            made.word("comma").join(each.of(language) for each in due.clock.fields) or "–",
        )
        for due in made.report.clocks
    ]
    table(made, main, made.word("clocks"), heads, rows, kind="titled clocks")


def _due(made: Page, due: Due) -> str:
    hours = made.word("hours").format(hours=", ".join(f"{each:g}" for each in due.clock.hours))
    stated = [hours if due.clock.hours else made.word("unknown_hours"), due.clock.then.of(made.language)]
    text = "; ".join(filter(None, stated))
    return text + (f": {', '.join(f'{utc(each)} UTC' for each in due.due_ms)}" if due.due_ms else "")


def _read(made: Page, main: Element) -> None:
    counts = made.report.counts
    made.add(main, "h2", made.word("read"))
    named = (("reports", counts.reports), ("observations", counts.observations), ("withdrawals", counts.withdrawals))
    rows = [(made.word(name), f"{count:,}") for name, count in named if count or name != "reports"]
    for name, found in (
        ("refused", counts.refused),
        ("left_out", counts.left_out),
        ("of_type", counts.by_type),
        ("marked", counts.by_tlp),
    ):
        rows += [(f"{made.word(name)}: {each}", f"{count:,}") for each, count in found.items()]
    table(made, main, made.word("read"), (made.word("kind"), made.word("count")), rows, kind="titled", numbers=(1,))
    made.add(main, "h2", made.word("feed"))
    feed: Iterable[tuple[str, ...]] = [
        (printable(each.name), f"{each.size:,}", f"{each.records:,}" if each.records else "–", each.sha256)
        for each in made.report.feed
    ]
    heads = [made.word(name) for name in ("input", "size", "records")]
    table(made, main, made.word("feed"), (*heads, "SHA-256"), feed, kind="titled", numbers=(1, 2), digests=(3,))


def _signature(made: Page, footer: Element) -> None:
    made.add(footer, "h2", made.word("signature"))
    signature = made.found.signature
    if signature is None:
        made.add(footer, "p", UNSIGNED.of(made.language))
    else:
        line = made.add(footer, "p", f"Ed25519 (RFC 8032), {made.word('key')} ")
        made.add(line, "span", signature.key, {"class": "digest"})
    made.add(footer, "p", made.word("verify"))
    made.add(footer, "p", "kakehashi conformance verify REPORT.html FEED", {"class": "digest"})
    made.add(footer, "p", made.word("holds"))
