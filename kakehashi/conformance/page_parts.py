"""The parts that the page of a conformance report is made of."""

from collections.abc import Collection, Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

from kakehashi.conformance.page_words import WORDS
from kakehashi.conformance.words import SHOWN, STATUSES, place_of
from kakehashi.terminal import printable, utc
from producers.conformance.judge import Example
from producers.conformance.report import Of, Signed


class Page:
    """A report that becomes a page, in one language."""

    def __init__(self, found: Signed, language: str) -> None:
        self.found, self.report, self.language = found, found.report, language

    def add(self, parent: Element, tag: str, text: str = "", attributes: dict[str, str] | None = None) -> Element:
        """A new element at the end of ``parent``."""
        made = SubElement(parent, tag, attributes or {})
        made.text = text
        return made

    def sentence(self, parent: Element, text: str) -> None:
        """A sentence of the standard: what is in backticks there is code here."""
        last: Element | None = None
        for at, part in enumerate(text.split("`")):
            if at % 2:
                last = self.add(parent, "code", part)
            elif last is None:
                parent.text = part
            else:
                last.tail = part

    def word(self, name: str) -> str:
        """One of the page's own words."""
        return WORDS[name].of(self.language)

    def place(self, example: Example) -> str:
        """Where something was found."""
        return printable(place_of(example, self.report, self.language))

    def facts(self, parent: Element) -> None:
        """What was checked, by what, and when."""
        report = self.report
        stated = [
            *((name, text) for name, text in (("nation", report.nation), ("sensor", report.sensor)) if text),
            ("made", f"{utc(report.made_at_ms)} UTC"),
            ("standard", self._version(report.standard)),
            ("profile", f"{report.profile.name}, {self._version(report.profile)}"),
            ("software", report.software),
            ("judged", "; ".join(SHOWN[each].of(self.language) for each in report.shown)),
        ]
        if report.settings:
            stated.append(("settings", ", ".join(f"{name}: {value}" for name, value in report.settings.items())))
        if report.aware_at_ms:
            stated.append(("aware", f"{utc(report.aware_at_ms)} UTC"))
        listed = self.add(parent, "dl")
        for name, text in stated:
            self.add(listed, "dt", self.word(name))
            self.add(listed, "dd", printable(text))
        self.add(listed, "dt", self.word("digest"))
        self.add(listed, "dd", report.feed_sha256, {"class": "digest"})

    def _version(self, of: Of) -> str:
        version = f"{self.word('version')} {of.version} ({STATUSES[of.status].of(self.language)})"
        return f"{version}; {self.word('owner')}: {of.owner.of(self.language)}; SHA-256 {of.sha256}"


def table(
    made: Page,
    parent: Element,
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    kind: str = "",
    numbers: Collection[int] = (),
    digests: Collection[int] = (),
) -> Element:
    """A table; the first cell of a row is its heading. Returns its body, for rows of another form."""
    # A box that scrolls has to be reached by the keyboard, and to have a name there.
    box = made.add(parent, "div", "", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption})
    found = made.add(box, "table", "", {"class": kind} if kind else {})
    made.add(found, "caption", caption)
    head = made.add(made.add(found, "thead"), "tr")
    for at, text in enumerate(heads):
        made.add(head, "th", text, {"scope": "col"} | ({"class": "number"} if at in numbers else {}))
    body = made.add(found, "tbody")
    for row in rows:
        line = made.add(body, "tr")
        for at, text in enumerate(row):
            style = "number" if at in numbers else "digest" if at in digests else ""
            kinds = {"class": style} if style else {}
            made.add(line, "td" if at else "th", text, kinds if at else {"scope": "row"} | kinds)
    return body
