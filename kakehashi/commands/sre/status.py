"""``kakehashi status``: what runs of the local clusters, for a person or for a pipe."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from exchange.errors import Exit
from kakehashi.examples import examples
from kakehashi.terminal import console

if TYPE_CHECKING:
    from localkafka.persistent import Look

_EXAMPLES = examples(
    ("kakehashi status", "a table; exit code 1 if one does not answer"),
    ("kakehashi status | cut -f1,3", "nation and address, separated by tabs"),
    ("kakehashi status --json", "everything that is known, for a program"),
)
_COLUMNS = ("nation", "state", "address", "runs as", "topics", "records", "data")
_NUMBERS = ("topics", "records", "data")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def status(
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Show the local Kafka clusters: whether they answer, where, and what is in them."""
        from exchange.settings import Settings
        from localkafka import persistent
        from localkafka.settings import BrokerSettings

        settings = BrokerSettings.from_env(os.environ, Settings.from_env(os.environ).nations)
        looks = [persistent.look(settings.home, cluster) for cluster in persistent.known(settings)]
        if as_json:
            typer.echo(json.dumps([asdict(look) for look in looks], indent=2))
        else:
            show(looks)
        missing = len(looks) < len(settings.nations)
        if missing or not all(look.answers for look in looks):
            raise typer.Exit(Exit.UNAVAILABLE)


def show(looks: Sequence["Look"]) -> None:
    """A table on a terminal; elsewhere one line for each cluster, its fields separated by tabs."""
    if not looks:
        typer.echo("No local clusters: start them with `kakehashi up`.", err=True)
        return
    terminal = console()
    rows = [_row(look) for look in looks]
    if not terminal.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in _COLUMNS:
        table.add_column(column, no_wrap=True, justify="right" if column in _NUMBERS else "left")
    for look, row in zip(looks, rows, strict=True):
        colour = "green" if look.answers else "yellow" if look.running else "red"
        nation, state, *others = row
        table.add_row(Text(nation, "bold"), Text(f"● {state}", colour), *others)
    terminal.print(table)


def _row(look: "Look") -> list[str]:
    state = "up" if look.answers else "silent" if look.running else "down"
    data = f"{look.data_bytes / (1 << 20):.1f} MiB" if look.data_bytes is not None else "-"
    counts = ["-" if count is None else str(count) for count in (look.topics, look.records)]
    return [look.nation, state, look.bootstrap, look.runs_as or "-", *counts, data]
