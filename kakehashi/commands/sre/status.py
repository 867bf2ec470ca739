"""``kakehashi status``: what runs of the local clusters, for a person or for a pipe."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import typer

from exchange.errors import Exit
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column
from kakehashi.listing import show as listing

if TYPE_CHECKING:
    from localkafka.persistent import Look

_EXAMPLES = examples(
    ("kakehashi status", "a table; exit code 1 if one does not answer"),
    ("kakehashi status | jq -r .bootstrap", "the addresses"),
)
_COLOURS: Final = {"up": "green", "silent": "yellow"}
_COLUMNS: Final = (
    Column("nation", lambda row: row["nation"], lambda _: "bold", main=True),
    Column("state", lambda row: f"● {row['state']}", lambda row: _COLOURS.get(row["state"], "red"), main=True),
    Column("address", lambda row: row["bootstrap"], main=True),
    Column("runs as", lambda row: row["runs_as"] or "–"),
    Column("topics", lambda row: _number(row["topics"]), right=True),
    Column("records", lambda row: _number(row["records"]), right=True),
    Column("data", lambda row: _size(row["data_bytes"]), right=True),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def status(as_json: AsJson = False) -> None:
        """Show the local Kafka clusters: whether they answer, where, and what is in them."""
        from exchange.settings import Settings
        from localkafka import persistent
        from localkafka.settings import BrokerSettings

        settings = BrokerSettings.from_env(os.environ, Settings.from_env(os.environ).nations)
        looks = [persistent.look(settings.home, cluster) for cluster in persistent.known(settings)]
        show(looks, as_json=as_json)
        missing = len(looks) < len(settings.nations)
        if missing or not all(look.answers for look in looks):
            raise typer.Exit(Exit.UNAVAILABLE)


def show(looks: Sequence["Look"], *, as_json: bool) -> None:
    """One row for each cluster."""
    rows = [{"nation": look.nation, "state": _state(look), **asdict(look)} for look in looks]
    listing(rows, _COLUMNS, as_json=as_json, empty="No local clusters: start them with `kakehashi up`.")


def _state(look: "Look") -> str:
    return "up" if look.answers else "silent" if look.running else "down"


def _number(count: Any) -> str:
    return "–" if count is None else f"{count:,}"


def _size(count: Any) -> str:
    return "–" if count is None else f"{count / (1 << 20):.1f} MiB"
