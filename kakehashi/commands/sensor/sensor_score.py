"""``kakehashi sensor score``: what became of what each sensor reported."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange import clock
from kakehashi.conventions import LogLevel, group_of
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column
from kakehashi.listing import show as listing
from kakehashi.times import span_ms

if TYPE_CHECKING:
    from consumers.quality.score import Scores

_EXAMPLES = examples(
    ("kakehashi sensor score --nation GBR", "each sensor: how much was new, confirmed, disputed, false or refused"),
    ("kakehashi sensor score --nation GBR --json | jq 'select(.revoked_share > 0.05)'", "who reports what is false"),
    ("kakehashi sensor score --nation GBR --ratings > draft/ratings/GBR.toml", "a draft of ratings, for a policy set"),
    ("kakehashi sensor score --nation GBR --every 1h", "a process that publishes the scores, with metrics"),
)
_COLUMNS: Final = (
    Column("sensor", lambda row: row["sensor"], main=True),
    Column("indicators", lambda row: _weight(row["indicators"]), right=True),
    *(
        Column(share, lambda row, share=share: f"{row[f'{share}_share']:.1%}", right=True)  # type: ignore[misc]
        for share in ("first", "corroborated", "disputed", "revoked", "refused")
    ),
    Column("not authentic", lambda row: _weight(row["not_authentic"]), right=True),
)


def register(app: typer.Typer) -> None:
    """Add the command to ``kakehashi sensor``."""
    group_of(app, "sensor").command(epilog=_EXAMPLES)(score)


def score(
    nation: Annotated[str, typer.Option(help="Whose sensors, for example GBR.")],
    half_life: Annotated[str, typer.Option(help="After so long, what happened weighs half: 7d, 30d.")] = "30d",
    every: Annotated[
        str, typer.Option(help="Stay, and publish the scores at this interval, with metrics: 1h, 1d.")
    ] = "",
    ratings: Annotated[
        bool, typer.Option("--ratings", help="Print a draft of policy/ratings/NATION.toml, which officers sign.")
    ] = False,
    loglevel: Annotated[LogLevel, typer.Option(help="How much is logged with --every.")] = LogLevel.INFO,
    as_json: AsJson = False,
) -> None:
    """Show what became of what each sensor reported, recent things weighted more: the share that it was first with,
    that other sensors report, that a partner disputes, that was revoked, and that was refused.

    `not authentic` counts the refused reports in its name that are unsigned or not signed by a valid key of it. They
    are no part of the share: someone else may have sent them.

    It reads the nation's records, disputes and quarantine, and nothing changes by it. Times of sightings are the
    sensors' own, so a score is for people. No rule looks at it: rules look at ratings, which --ratings drafts from it
    and two officers sign with a policy set. With --every it writes to `sensor.quality.v1` until it is stopped.
    """
    from consumers.quality.rate import as_text
    from consumers.quality.read import read_scores
    from consumers.quality.run import run
    from exchange.authority.roster_watch import RosterWatch
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    settings = Settings.from_env(os.environ)
    half_life_ms = span_ms(half_life, "--half-life")
    every_s = span_ms(every, "--every") / 1000 if every else 0.0
    if not half_life_ms or (every and not every_s):
        raise typer.BadParameter("--half-life and --every: a span of more than 0 s")
    if ratings and (every or as_json):
        raise typer.BadParameter("--ratings prints a file: leave out --every and --json")
    cluster = cluster_of(nation, settings, os.environ)
    if every:
        run(cluster, settings, every_s, half_life_ms, loglevel)
        return
    scores = read_scores(cluster, settings.partners(nation), clock.now_ms(), half_life_ms)
    if ratings:
        with_key = RosterWatch(nation, settings.officers)().sensors.by_sensor
        typer.echo(as_text(scores.by_sensor, with_key), nl=False)
        return
    listing(_rows(scores, nation), _COLUMNS, as_json=as_json, empty=f"No sensor of {nation} has reported anything.")


def _rows(scores: "Scores", nation: str) -> Iterator[dict[str, Any]]:
    from exchange.metrics.labels import SensorShare

    for sensor, record in scores.records(nation).items():
        shares = {f"{share}_share": round(scores.by_sensor[sensor].share(share), 4) for share in SensorShare}
        yield {**record, **shares, "not_authentic": scores.by_sensor[sensor].not_authentic}


def _weight(sum_: int) -> str:
    from consumers.quality.score import ONE

    return f"{sum_ / ONE:,.1f}"
