"""The demo's last screen: each direction's funnel, explained decisions, an indicator at the partner, the result."""

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from demo.direction import Direction
from demo.funnel import funnel, spoken
from demo.kills import Outage
from demo.live import SIDE_BY_SIDE, beside
from demo.words import decisions, indicator
from kakehashi.terminal import printable


def closing(
    directions: Sequence[Direction], outages: Sequence[Outage], now_ms: int, took_s: float, width: int
) -> RenderableType:
    """All of it, for a console of this width."""
    reported = directions[0]
    return Group(
        Rule(Text.assemble(("架け橋 Kakehashi", "bold"), "  what happened"), style="bright_black", align="left"),
        beside(_as_high([funnel(direction) for direction in directions], width), width),
        decisions(reported, width),
        indicator(reported, now_ms),
        _verdict(directions, outages, took_s),
    )


def _as_high(panels: Sequence[Panel], width: int) -> Sequence[Panel]:
    """Panels side by side, all as high as the highest."""
    if width < SIDE_BY_SIDE:
        return panels
    console = Console(width=width // len(panels))
    highest = max(len(console.render_lines(panel)) for panel in panels)
    for panel in panels:
        panel.height = highest
    return panels


def _verdict(directions: Sequence[Direction], outages: Sequence[Outage], took_s: float) -> Panel:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column()
    for direction in directions:
        audit = direction.audit
        counted = Text()
        for name, count in (("lost", audit.lost), ("duplicated", audit.duplicated), ("wrong", audit.wrong)):
            counted.append(f"{name} ", "").append(f"{count:,}", "bold green" if count == 0 else "bold red").append(
                "   "
            )
        rows.add_row(Text(f"{direction.home} → {direction.partner}", "bold"), counted)
        for finding in audit.findings:
            rows.add_row("", Text(printable(finding), "red"))
    rows.add_row("", Text("counted from the topics alone, by a model of the exchange", "dim"))
    for outage in outages:
        words = Text.assemble(outage.kill.words, (": work went on after ", "dim"), (spoken(outage.went_on_ms), "bold"))
        rows.add_row(Text("kill -9", "bold red"), words)
    clean = all(direction.audit.clean for direction in directions)
    return Panel(
        rows,
        title=Text("Nothing lost, nothing twice" if clean else " A promise was broken ", "bold"),
        title_align="left",
        subtitle=Text(f"{took_s:.0f} s", "dim"),
        subtitle_align="right",
        border_style="green" if clean else "red",
        box=box.HEAVY,
        padding=(0, 1),
    )
