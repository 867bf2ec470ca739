"""``kakehashi doctor``: what this machine lacks, and how to get it."""

import os
from dataclasses import asdict
from typing import Final

import typer

from exchange.errors import Exit
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column
from kakehashi.listing import show as listing

_EXAMPLES = examples(
    ("kakehashi doctor", "exit code 3 if something that is needed is missing"),
    ("kakehashi doctor | jq 'select(.verdict == \"missing\")'", "only that"),
)

_COLOURS: Final = {"ok": "green", "missing": "red"}
_COLUMNS: Final = (
    Column("", lambda row: row["verdict"], lambda row: _COLOURS.get(row["verdict"], "yellow"), main=True),
    Column("", lambda row: row["subject"], main=True),
    Column("", lambda row: row["found"] + (f"  → {row['remedy']}" if row["remedy"] else ""), main=True),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def doctor(as_json: AsJson = False) -> None:
        """Check this machine: Python, Java, Maven, Docker, disk, memory and ports.

        Kafka needs one of three: brokers named in settings, a Docker daemon, or Java 17 with Maven.
        """
        from exchange.settings import Settings
        from localkafka.machine import examine, is_fit
        from localkafka.settings import BrokerSettings

        findings = examine(BrokerSettings.from_env(os.environ, Settings.from_env(os.environ).nations))
        listing([asdict(finding) for finding in findings], _COLUMNS, as_json=as_json, empty="")
        if not is_fit(findings):
            raise typer.Exit(Exit.CONFIGURATION)
