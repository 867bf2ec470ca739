"""What ``kakehashi try`` shows: live lines for each nation on a terminal, a line for each event elsewhere."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from kakehashi.local_nations import bridge_of, streams_of
from kakehashi.pasted import first_line

Look = Mapping[str, Mapping[str, int]]
"""By nation: its counts."""

_HASH: Final = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"  # SHA-1 of "test"
_COUNTS: Final = ("reports", "indicators", "released", "held", "quarantined", "received")


@dataclass(frozen=True, slots=True)
class Nation:
    """One nation, and those to whom it has a bridge."""

    name: str
    partners: Sequence[str]


class View(Protocol):
    """A display."""

    def starting(self, nations: Sequence[Nation]) -> None:
        """These are started."""

    def note(self, line: str) -> None:
        """Something takes long, or was found."""

    def clusters(self, addresses: Mapping[str, str]) -> None:
        """The clusters answer."""

    def roles(self, ready: Collection[str]) -> None:
        """These roles are ready. Called often."""

    def ready(self, took_s: float, home: Path, ports: Sequence[int]) -> None:
        """Everything runs."""

    def look(self, counts: Look) -> None:
        """What was counted since the start. Called often."""


def next_commands(nations: Sequence[Nation], home: Path, ports: Sequence[int]) -> list[tuple[str, str]]:
    """What to type next, in another terminal: the command, and what it shows."""
    one, other = nations[0].name, nations[0].partners[0]
    return [
        (first_line(home), "all commands below use the trial"),
        (f"echo {_HASH} |\n  kakehashi produce --nation {one} --sensor desk --tlp TLP:GREEN -", "report an indicator"),
        (f"kakehashi explain --nation {one} {_HASH}", "why it is released"),
        (f"kakehashi released list --nation {one}", f"what {other} did with it"),
        (f"curl -s 127.0.0.1:{ports[0]}/metrics", f"metrics of {one}'s worker"),
        (f"kakehashi tail --nation {other} --partner {one}", f"what {other} has, and each change; Ctrl-C ends it"),
    ]


class Lines:
    """For a pipe or a file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._nations: Sequence[Nation] = ()
        self._ready: frozenset[str] = frozenset()

    def starting(self, nations: Sequence[Nation]) -> None:
        """See View."""
        self._nations = nations
        self.note(f"starting {' and '.join(each.name for each in nations)}")

    def note(self, line: str) -> None:
        """See View."""
        self._console.print(line, soft_wrap=True)

    def clusters(self, addresses: Mapping[str, str]) -> None:
        """See View."""
        for nation, address in addresses.items():
            self.note(f"{nation}: Kafka answers at {address}")

    def roles(self, ready: Collection[str]) -> None:
        """See View."""
        for name in sorted(frozenset(ready) - self._ready):
            self.note(f"{name}: ready")
        self._ready = frozenset(ready)

    def ready(self, took_s: float, home: Path, ports: Sequence[int]) -> None:
        """See View."""
        self.note(f"ready in {took_s:.1f} s; in another terminal:")
        for command, what in next_commands(self._nations, home, ports):
            self.note(f"  # {what}\n  {command}")
        self.note("SIGINT (Ctrl-C) or SIGTERM ends everything and deletes its data.")

    def look(self, counts: Look) -> None:
        """Nothing: what was counted is in the metrics."""


class Screen:
    """For a terminal."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._nations: Sequence[Nation] = ()
        self._addresses: Mapping[str, str] = {}
        self._roles: Collection[str] = ()
        self._counts: Look = {}
        self._spinner = Spinner("dots", style="cyan")

    def starting(self, nations: Sequence[Nation]) -> None:
        """See View."""
        self._nations = nations
        self._draw()

    def note(self, line: str) -> None:
        """See View."""
        self._live.console.print(Text(f"  {line}", "dim"))

    def clusters(self, addresses: Mapping[str, str]) -> None:
        """See View."""
        self._addresses = addresses
        self._draw()

    def roles(self, ready: Collection[str]) -> None:
        """See View."""
        self._roles = ready
        self._draw()

    def ready(self, took_s: float, home: Path, ports: Sequence[int]) -> None:
        """See View."""
        console = self._live.console
        console.print(Text.assemble("  ", ("Ready", "bold green"), f" in {took_s:.1f} s. In another terminal:\n"))
        for command, what in next_commands(self._nations, home, ports):
            console.print(Text(f"    # {what}", "dim"))
            for line in command.splitlines():
                console.print(Text(f"    {line}", "cyan"), soft_wrap=True)
        console.print(Text("\n  Ctrl-C ends everything and deletes its data.\n", "dim"))
        self._draw()

    def look(self, counts: Look) -> None:
        """See View."""
        if counts != self._counts:
            self._counts = counts
            self._draw()

    def _draw(self) -> None:
        self._live.update(Group(*(self._nation(each) for each in self._nations)))

    def _nation(self, nation: Nation) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        address = self._addresses.get(nation.name, "")
        parts: list[RenderableType] = [Text(f"  {nation.name}", "bold"), self._lamp(bool(address)), Text("Kafka")]
        parts += [Text(address, "dim")] if address else []
        parts += [self._lamp(streams_of(nation.name) in self._roles), Text("worker")]
        for partner in nation.partners:
            parts += [self._lamp(bridge_of(nation.name, partner) in self._roles), Text(f"bridge to {partner}")]
        table.add_row(*parts)
        counts = self._counts.get(nation.name)
        if not counts:
            return table
        line = Text("      ")
        for name in _COUNTS:
            number = counts.get(name, 0)
            line.append(f"{name} ", "dim").append(f"{number:,}  ", "bold" if number else "dim")
        return Group(table, line)

    def _lamp(self, lit: bool) -> RenderableType:
        return Text("●", "green") if lit else self._spinner


@contextmanager
def showing(console: Console) -> Iterator[View]:
    """The display that fits the output."""
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console=console, refresh_per_second=10) as live:
        yield Screen(live)
