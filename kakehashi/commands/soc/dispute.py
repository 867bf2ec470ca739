"""``kakehashi dispute``: reports to a partner that one of its indicators is wrong."""

import os
from typing import Annotated

import typer

from kakehashi.conventions import one_of
from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi dispute --nation JPN --partner GBR --reason false-positive 198.51.100.7", "it is harmless"),
    ("kakehashi dispute --nation JPN --partner GBR --reason outdated 198.51.100.7", "it was right once"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Decisions")
    def dispute(
        indicator: Annotated[str, typer.Argument(help="The indicator's id or value.")],
        nation: Annotated[str, typer.Option(help="Who disputes it, for example JPN.")],
        partner: Annotated[str, typer.Option(help="The partner whose indicator it is, for example GBR.")],
        reason: Annotated[str, typer.Option(help="false-positive, outdated or wrong-marking.")],
    ) -> None:
        """Tell the partner that an indicator of its is wrong: by a receipt for the version that is held.

        Nothing changes here: what to do about it is for the partner, which sees it in `kakehashi released show`.
        """
        from consumers.desk.answers import dispute as send
        from consumers.queries.held import held
        from exchange.clock import now_ms
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from schemas.vocabulary import DisputeReason

        settings = Settings.from_env(os.environ)
        one_of("--reason", reason, DisputeReason)
        cluster = cluster_of(nation, settings, os.environ)
        found = held(cluster, partner, indicator, settings.shards)
        send(cluster, partner, found, DisputeReason(reason), shards=settings.shards, now_ms=now_ms())
        typer.echo(f"disputed with {partner}: {found['id']}, version {found['version']}, {reason}")
