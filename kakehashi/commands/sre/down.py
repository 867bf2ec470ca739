"""``kakehashi down``: stops the clusters of ``kakehashi up``, and roles that still run on them."""

import os
import shutil
from typing import Annotated, Final

import typer

from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi down", "stop them; `kakehashi up` continues where they were"),
    ("kakehashi down --wipe", "and forget everything in them"),
)

_KEPT: Final = ("roles", "spool", "picture", "outputs")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def down(
        wipe: Annotated[bool, typer.Option("--wipe", help="Delete their data and forget their ports too.")] = False,
        nation: Annotated[str, typer.Option(help="Only this nation's cluster; roles run on.")] = "",
    ) -> None:
        """Stop the local Kafka clusters, and the roles that `make demo KEEP=1` left running on them.

        Their data stays unless it is wiped.
        """
        from exchange.settings import Settings
        from kakehashi import roles
        from localkafka import persistent
        from localkafka.settings import home_folder

        settings = Settings.from_env(os.environ)
        if nation:
            for cluster in persistent.down(home_folder(os.environ), (nation,), wipe=wipe):
                typer.echo(f"{cluster.nation} stopped ({cluster.bootstrap})")
            if wipe:
                shutil.rmtree(settings.state / nation, ignore_errors=True)
            return
        for role in roles.stop(home_folder(os.environ)):
            typer.echo(f"{role.name} stopped (process {role.pid})")
        for cluster in persistent.down(home_folder(os.environ), settings.nations, wipe=wipe):
            typer.echo(f"{cluster.nation} stopped ({cluster.bootstrap})")
        if wipe:
            # Caches, logs, spools, pictures and positions of the wiped clusters: reports sent to them are gone.
            for folder in (settings.state, *(settings.home / name for name in _KEPT)):
                shutil.rmtree(folder, ignore_errors=True)
            typer.echo("No local cluster runs, and nothing of them is left.")
        else:
            typer.echo("No local cluster runs.")
