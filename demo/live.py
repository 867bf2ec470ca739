"""The demo's live display: an animated screen on a terminal, otherwise a line for each event."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from demo.flow import Event, Flow, Sign

SIDE_BY_SIDE: Final = 96  # columns from which two directions fit beside each other
MOST_EVENTS: Final = 9
_PANEL_LINES: Final = 7
_OTHER_LINES: Final = 4  # the heading, the line with the current action, and an empty one above and below it
_DRAW_EVERY_S: Final = 0.12
_SAY_EVERY_S: Final = 10.0
_COLOURS: Final = ("cyan", "cyan", "blue", "green", "bright_green")
_SIGNS: Final = {Sign.NOTE: "dim", Sign.DONE: "green", Sign.KILLED: "bold red", Sign.AGAIN: "yellow"}


class Show(Protocol):
    """A display."""

    def occurred(self, event: Event) -> None:
        """Something happened."""
        ...

    def now(self, at_s: float, doing: str, flows: Sequence[Flow]) -> None:
        """Show the current state. Called often."""
        ...


class Lines:
    """For a pipe or a file: each event, and the numbers from time to time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0
        self._shown: Sequence[Flow] = ()

    def occurred(self, event: Event) -> None:
        """One line."""
        self._console.print(event_line(event), soft_wrap=True)

    def now(self, at_s: float, doing: str, flows: Sequence[Flow]) -> None:  # noqa: ARG002  # a line states what is done
        """A line for each direction, every ten seconds, if anything has changed."""
        if at_s - self._shown_at >= _SAY_EVERY_S and any(flow.published for flow in flows) and flows != self._shown:
            self._shown_at, self._shown = at_s, flows
            for flow in flows:
                numbers = ", ".join(f"{count:,} {name}" for name, count in flow.steps())
                self.occurred(Event(at_s, Sign.NOTE, f"{flow.home} → {flow.partner}: {numbers}"))


class Picture:
    """For a terminal: both directions as bars, the last events, and the current action."""

    def __init__(self, live: Live, console: Console) -> None:
        self._live, self._console = live, console
        self._events: list[Event] = []
        self._spinner = Spinner("dots", style="cyan")
        self._drawn_at = -_DRAW_EVERY_S

    def occurred(self, event: Event) -> None:
        """Seen with the next drawing."""
        self._events.append(event)

    def now(self, at_s: float, doing: str, flows: Sequence[Flow]) -> None:
        """Draw it, not too often."""
        if at_s - self._drawn_at >= _DRAW_EVERY_S:
            self._drawn_at = at_s
            self._spinner.update(text=Text(doing))
            frame = picture(flows, self._events, self._spinner, at_s, *self._console.size)
            self._live.update(frame, refresh=True)


@contextmanager
def showing(console: Console) -> Iterator[Show]:
    """The display for this console. The live screen disappears when the block ends; print results after it."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        yield Picture(live, console)


def picture(
    flows: Sequence[Flow], events: Sequence[Event], doing: RenderableType, at_s: float, width: int, height: int
) -> RenderableType:
    """One frame that fits a terminal of this size, from 80 by 24 on."""
    panels = _PANEL_LINES * (1 if width >= SIDE_BY_SIDE else len(flows))
    room = max(1, min(MOST_EVENTS, height - panels - _OTHER_LINES))
    return Group(
        heading(at_s),
        beside([_panel(flow) for flow in flows], width),
        *(event_line(event) for event in events[-room:]),
        Text(),
        doing,
    )


def heading(at_s: float) -> RenderableType:
    """The title line, with the time that has passed."""
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True)
    title = Text.assemble(("架け橋 Kakehashi", "bold"), ("  two nations, two Kafka clusters, recorded feeds", "dim"))
    line.add_row(title, Text(clock(at_s), "bold"))
    return line


def beside(panels: Sequence[RenderableType], width: int) -> RenderableType:
    """Side by side if there is room, otherwise one below the other."""
    if width < SIDE_BY_SIDE:
        return Group(*panels)
    grid = Table.grid(expand=True, padding=0)
    for _ in panels:
        grid.add_column(ratio=1)
    grid.add_row(*panels)
    return grid


def event_line(event: Event) -> Text:
    """``00:21 ✖ kill -9 …``."""
    style = _SIGNS[event.sign]
    words = Text(event.words, style if event.sign is Sign.KILLED else "")
    line = Text.assemble((f" {clock(event.at_s)} ", "dim"), (f" {event.sign.value} ", style), words)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def clock(at_s: float) -> str:
    """Minutes and seconds."""
    return f"{int(at_s) // 60:02d}:{int(at_s) % 60:02d}"


def _panel(flow: Flow) -> Panel:
    rows = Table.grid(expand=True, padding=(0, 1))
    rows.add_column(width=9, no_wrap=True)
    rows.add_column(ratio=1)
    rows.add_column(width=7, justify="right", no_wrap=True)
    for (name, count), colour in zip(flow.steps(), _COLOURS, strict=True):
        bar = ProgressBar(total=max(1, flow.planned), completed=count, complete_style=colour, finished_style=colour)
        rows.add_row(name, bar, Text(f"{count:,}", f"bold {colour}"))
    trouble = Text(f"✖ {flow.trouble}", "bold red") if flow.trouble else None
    return Panel(
        rows,
        title=Text(f"{flow.home} → {flow.partner}", "bold"),
        title_align="left",
        subtitle=trouble,
        subtitle_align="right",
        border_style="red" if flow.trouble else "bright_black",
        box=box.ROUNDED,
        padding=(0, 1),
    )
