"""Text for people: three explained decisions, and an indicator as the partner's SOC sees it."""

from collections.abc import Sequence
from typing import Any, Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from consumers.subscription.changes import Change, change_of
from demo.direction import Direction
from demo.figures import Example
from kakehashi.terminal import printable, utc
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.vocabulary import Outcome
from streams.rules.explain import explain
from streams.rules.policy_set import PolicySet

MOST_LINES: Final = 5
MOST_LABELS: Final = 4
_CHANGE: Final = "It would be "
_COLOURS: Final = {Outcome.RELEASE: "green", Outcome.HOLD: "yellow", Outcome.WITHHOLD: "red"}


def decisions(direction: Direction, width: int) -> Panel:
    """One of each outcome, in at most five lines of a console of this width."""
    chosen = _one_of_each(direction.figures.examples, direction.policy)
    reported = [_decision(example, direction.policy, width - 6) for example in chosen]
    spaced = [piece for each in reported for piece in (*each, Text())][:-1]
    command = f"kakehashi explain --nation {direction.home} VALUE"
    return Panel(
        Group(*spaced),
        title=Text(f"{_number(len(reported))} of {direction.home}'s decisions, explained", "bold"),
        title_align="left",
        subtitle=Text(f"{command}", "dim"),
        subtitle_align="right",
        border_style="bright_black",
        box=box.ROUNDED,
        padding=(0, 1),
    )


def _one_of_each(examples: Sequence[Example], policy: PolicySet) -> list[Example]:
    """For each outcome the example with the most hints at another outcome."""
    best: dict[str, Example] = {}
    for example in examples:
        known = best.get(example.decision["outcome"])
        if known is None or _hints(example, policy) > _hints(known, policy):
            best[example.decision["outcome"]] = example
    return list(best.values())


def _hints(example: Example, policy: PolicySet) -> int:
    return sum(_CHANGE in sentence for sentence in explain(example.decision, policy))


def _decision(example: Example, policy: PolicySet, width: int) -> list[RenderableType]:
    """A headline, and as many whole sentences as fit below it; the first sentence repeats the headline."""
    outcome = Outcome(example.decision["outcome"])
    head = Text.assemble(
        (str(outcome).upper(), f"bold {_COLOURS[outcome]}"), "  ", (shown(example.value), "bold"), f"  {example.type}"
    )
    head.no_wrap, head.overflow = True, "ellipsis"
    body = Text()
    for sentence in _in_order(explain(example.decision, policy)[1:]):
        longer = body + Text(f"{' ' if body else ''}{printable(sentence)}")
        if len(_wrapped(longer, width)) <= MOST_LINES - 1:
            body = longer
    return [head, Padding(body, (0, 0, 0, 2))]


def _in_order(sentences: Sequence[str]) -> list[str]:
    """The reason, then the first change that would alter the outcome, then the rest."""
    changes = [sentence for sentence in sentences if _CHANGE in sentence][:1]
    others = [sentence for sentence in sentences if sentence not in changes]
    return [*others[:1], *changes, *others[1:]]


def _wrapped(text: Text, width: int) -> list[Text]:
    return list(text.wrap(Console(width=width), width))


def indicator(direction: Direction, now_ms: int) -> RenderableType:
    """The card of one indicator at the partner."""
    record = direction.figures.sample
    if record is None:
        return Text("Nothing was released.", "dim")
    return Panel(
        _card(change_of(record, RELEASED_INDICATOR, Codec(), now_ms)),
        title=Text(f"One indicator, as {direction.partner}'s SOC sees it", "bold"),
        title_align="left",
        subtitle=Text(f"kakehashi tail --nation {direction.partner} --partner {direction.home}", "dim"),
        subtitle_align="right",
        border_style="bright_black",
        box=box.ROUNDED,
        padding=(0, 1),
    )


def _card(entry: Change) -> RenderableType:
    record: dict[str, Any] = entry.record or {}
    content: dict[str, Any] = record["content"]
    confidence = content["confidence"]
    facts: dict[str, str | Text] = {
        "value": Text.assemble((shown(content["value"]), "bold"), f"  {content['type']}"),
        "marking": " · ".join(filter(None, (content["tlp"], content["pap"], *content["caveats"]))),
        "recipients": ", ".join(content["releasable_to"]),
        "labels": _some(content["labels"]),
        "tearline": printable(content.get("tearline", "")),
        "confidence": str(confidence) if confidence >= 0 else "not stated",
        "seen": f"{content['sightings']:,} times, {_times(content)} UTC",
        "network": ", ".join(filter(None, (f"AS{content['asn']}" if content["asn"] else "", content["country"]))),
        "ends": f"{utc(content['release_expires_ms'])} UTC" if content["release_expires_ms"] else "",
        "state": f"{entry.state}, version {record['version']}, from {record['origin']}",
    }
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column()
    for name, words in facts.items():
        if words:
            rows.add_row(name, words)
    return rows


def _times(content: dict[str, Any]) -> str:
    return f"{utc(content['first_seen_ms'])} to {utc(content['last_seen_ms'])}"


def _some(labels: Sequence[str]) -> str:
    more = len(labels) - MOST_LABELS
    words = ", ".join(map(printable, labels[:MOST_LABELS]))
    return f"{words} and {more} more" if more > 0 else words


def shown(value: str) -> str:
    """A value that a terminal does not turn into a link: the feeds are real."""
    return printable(value).replace("http", "hxxp", 1).replace(".", "[.]")


def _number(count: int) -> str:
    return {1: "One", 2: "Two", 3: "Three"}.get(count, str(count))
