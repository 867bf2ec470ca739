"""``kakehashi streams``: a worker of a nation's stream steps."""

import os
from typing import Annotated

import typer

from kakehashi.conventions import LogLevel
from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi streams --nation GBR", "a worker; start as many as there are shards, at most"),
    ("kakehashi streams --nation GBR --instance worker-0", "one that is restarted under the same name"),
    ("KAKEHASHI_METRICS_PORT=9464 kakehashi streams --nation JPN", "metrics where Prometheus looks for them"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Roles")
    def streams(
        nation: Annotated[str, typer.Option(help="Whose exchange this worker serves, for example GBR.")],
        instance: Annotated[
            str | None, typer.Option(help="A lasting name of this worker: restarted, it gets its shards back at once.")
        ] = None,
        loglevel: Annotated[LogLevel, typer.Option(case_sensitive=False, help="How much to log.")] = LogLevel.INFO,
    ) -> None:
        """Run intake, correlate and receive: reports in, decisions made, releases and the partner's records out.

        Workers of one nation share its shards and take over from each other. Any of them may be killed at any time.
        """
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from streams.worker.process import run

        settings = Settings.from_env(os.environ)
        run(nation, cluster_of(nation, settings, os.environ), settings, instance, loglevel.value)
