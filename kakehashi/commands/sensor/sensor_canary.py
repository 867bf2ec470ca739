"""``kakehashi sensor canary``: shows that what a sensor reports still reaches the partner."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kakehashi.conventions import group_of
from kakehashi.examples import examples
from kakehashi.listing import TextAsJson, write_line

_EXAMPLES = examples(
    ("kakehashi sensor canary --nation GBR --partner JPN", "one run: each hop, and how long it took"),
    ("kakehashi sensor canary --nation GBR --partner JPN --timeout 30 || page-someone", "for a cron job"),
)


def register(app: typer.Typer) -> None:
    """Add the command to ``kakehashi sensor``."""
    group_of(app, "sensor").command(epilog=_EXAMPLES)(canary)


def canary(
    nation: Annotated[str, typer.Option(help="Whose exchange, for example GBR.")],
    partner: Annotated[str, typer.Option(help="The partner whose receipt is awaited.")],
    sensor: Annotated[str, typer.Option(help="The name of the sensor that reports it.")] = "canary",
    sensor_key: Annotated[
        Path | None, typer.Option(help="That sensor's private key, if it must sign; KAKEHASHI_SENSOR_KEY sets it, too.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="How many seconds it may take.")] = 60.0,
    as_json: TextAsJson = False,
) -> None:
    """Report a known test indicator, and print when it is merged, released and received. Exit code 4 if it is not.

    It is the domain name `canary.kakehashi.example`, which no output, picture or TAXII collection shows. It is
    withdrawn at the end, so each run takes the whole path again. The metric
    `kakehashi_canary_arrived_timestamp_seconds` has its last arrival.
    """
    from exchange.clock import now_ms
    from exchange.settings import Settings
    from kakehashi.canary import Canary
    from kakehashi.clusters import cluster_of
    from producers.spool.spool import Spool, folder_of

    settings = Settings.from_env(os.environ)
    cluster = cluster_of(nation, settings, os.environ)
    with Spool(folder_of(settings.home, nation, sensor), nation, sensor, now_ms()) as spool:
        run = Canary(cluster, partner, settings.shards, spool, sensor, sensor_key or settings.sensor_key)
        for hop in run.hops(timeout):
            if as_json:
                write_line({"nation": nation, "partner": partner, "hop": hop.name, "after_ms": hop.after_ms})
            else:
                typer.echo(f"{hop.name:<10}{hop.after_ms / 1000:8.3f} s")
