"""``kakehashi wait``: returns once a nation's workers, and a bridge, work on all shards."""

import os
import threading
import time
from typing import Annotated

import typer

from exchange.errors import BrokerUnavailable
from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi wait --nation GBR", "until its workers run; then `kakehashi produce` is processed at once"),
    ("kakehashi wait --nation GBR --partner JPN --timeout 60", "and its bridge to Japan"),
)
_LOOK_EVERY_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Roles")
    def wait(
        nation: Annotated[str, typer.Option(help="Whose workers, for example GBR.")],
        partner: Annotated[str, typer.Option(help="And the bridge to this partner.")] = "",
        timeout: Annotated[float, typer.Option(min=0, help="How many seconds to wait.")] = 120.0,
    ) -> None:
        """Wait until the workers of a nation run every shard. Exit code 1 if some do not in time; it names them.

        The first worker on a machine compiles the warninglists, which takes about half a minute.
        """
        from consumers.queries.running import not_running
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of

        settings = Settings.from_env(os.environ)
        cluster = cluster_of(nation, settings, os.environ)
        wanted = {("streams", ""), *({("bridge", partner)} if partner else ())}
        deadline = time.monotonic() + timeout
        while missing := not_running(cluster, wanted, settings.shards):
            if time.monotonic() > deadline:
                raise BrokerUnavailable(f"not running after {timeout:g} s: {', '.join(map(_name, missing))}")
            threading.Event().wait(_LOOK_EVERY_S)
        typer.echo(
            f"{nation}: all {settings.shards} shards run" + (f", and the bridge to {partner}" if partner else "")
        )


def _name(each: tuple[str, str, int]) -> str:
    role, partner, shard = each
    return f"{'bridge to ' + partner if role == 'bridge' else 'streams'} shard {shard}"
