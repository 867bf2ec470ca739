"""``kakehashi acls``: who may do what on a nation's cluster."""

import os
from dataclasses import asdict
from typing import Annotated, Final

import typer

from kakehashi.examples import examples
from kakehashi.listing import Column, OfDryRun
from kakehashi.listing import show as listing
from schemas.counting import counted

_EXAMPLES = examples(
    ("kakehashi acls --nation GBR --dry-run", "print what each role and each partner may do, and touch nothing"),
    ("kakehashi acls --nation GBR", "add what is missing, as one of the cluster's super.users"),
)

_COLUMNS: Final = (
    Column("user", lambda row: row["user"], main=True),
    Column("may", lambda row: row["operation"], main=True),
    Column("of", lambda row: row["resource"], main=True),
    Column("name", lambda row: row["name"] + ("*" if row["prefixed"] else ""), main=True),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def acls(
        nation: Annotated[str, typer.Option(help="Whose cluster, for example GBR.")],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be allowed.")] = False,
        as_json: OfDryRun = False,
    ) -> None:
        """Allow on a nation's cluster what its roles and its partners' bridges need, and nothing else.

        Users are called after the nation and the role: GBR-streams, JPN-bridge. Nothing is taken away: what is allowed
        beyond the list is named.
        """
        from exchange.kafka.acls import apply_access
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from schemas.access import access_of

        settings = Settings.from_env(os.environ)
        wanted = access_of(nation, settings.partners(nation))
        if dry_run:
            rows = [{"nation": nation, **asdict(allowed)} for allowed in wanted]
            listing(rows, _COLUMNS, as_json=as_json, empty="")
            return
        applied = apply_access(cluster_of(nation, settings, os.environ), wanted)
        typer.echo(f"{nation}: {counted(applied.added, 'ACL')} added, {applied.were_there} existed")
        for line in applied.more:
            typer.echo(f"more than needed: {line}", err=True)
