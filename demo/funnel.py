"""The funnel of one direction: input, fates with reasons, output and latency."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.direction import Direction


def funnel(direction: Direction) -> Panel:
    """A panel that takes the width it is given."""
    figures = direction.figures
    titles = {rule.id: rule.title for rule in direction.policy.rules.values()}

    def step(name: str, count: int, colour: str) -> RenderableType:
        total = max(1, figures.observations_in)
        bar = ProgressBar(total=total, completed=count, complete_style=colour, finished_style=colour)
        return _row((15, 7, None), name, Text(f"{count:,}", f"bold {colour}"), bar)

    latency = Text.assemble(("p50 ", "dim"), (spoken(figures.p50_ms), "bold"))
    latency.append("  p99 ", "dim").append(spoken(figures.p99_ms), "bold")
    rows = [
        step("observations in", figures.observations_in, "cyan"),
        step("  quarantined", figures.quarantined, "magenta"),
        *_reasons([(reason.replace("-", " "), count) for reason, count in figures.refusals]),
        step("  valid", figures.valid, "cyan"),
        step("distinct", figures.distinct, "blue"),
        step("  held", figures.held, "yellow"),
        *_reasons(_titled(figures.hold_rules, titles)),
        step("  withheld", figures.withheld, "red"),
        *_reasons(_titled(figures.withhold_rules, titles)),
    ]
    if figures.ended:
        rows += [step("  ended", figures.ended, "bright_black"), *_reasons([("Its time is over", figures.ended)])]
    rows += [
        step("  released", figures.released, "green"),
        step("replicated", figures.replicated, "green"),
        step(f"received by {direction.partner}", figures.received, "bright_green"),
    ]
    if figures.recalled:
        rows += _reasons([("recalled since, as a stricter marking came", figures.recalled)])
    rows += [
        Text(),
        _row((15, None), "latency", latency),
        Text(f"publishing to {direction.partner}'s topic, with outages", "dim"),
    ]
    return Panel(
        Group(*rows),
        title=Text(f"{direction.home} → {direction.partner}", "bold"),
        title_align="left",
        border_style="bright_black",
        box=box.ROUNDED,
        padding=(0, 1),
    )


def _row(widths: Sequence[int | None], *cells: RenderableType) -> Table:
    """One line of cells; a width of None takes the remaining space; the middle cells are numbers."""
    row = Table.grid(expand=True, padding=(0, 1, 0, 0))
    for place, width in enumerate(widths):
        number = 0 < place < len(widths) - 1
        row.add_column(
            width=width, ratio=1 if width is None else None, no_wrap=number, justify="right" if number else "left"
        )
    row.add_row(*cells)
    return row


def _reasons(counted: Sequence[tuple[str, int]]) -> list[RenderableType]:
    return [_row((3, 6, None), "", Text(f"{count:,}", "dim"), Text(words, "dim")) for words, count in counted]


def _titled(rules: Sequence[tuple[str, int]], titles: Mapping[str, str]) -> list[tuple[str, int]]:
    return [(titles.get(rule, "No rule permits it"), count) for rule, count in rules]


def spoken(milliseconds: int) -> str:
    """``340 ms``, ``2.1 s``."""
    return f"{milliseconds} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"
