"""``kakehashi sighting``: reports that a partner's indicator was seen here."""

import os
from pathlib import Path
from typing import Annotated

import typer

from exchange import clock
from kakehashi.conventions import one_of
from kakehashi.examples import examples
from schemas.counting import counted

_EXAMPLES = examples(
    ("kakehashi sighting --nation JPN --partner GBR --tlp TLP:GREEN 198.51.100.7", "seen once, now"),
    ("kakehashi sighting --nation JPN --partner GBR --tlp TLP:GREEN --count 40 198.51.100.7", "seen forty times"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Roles")
    def sighting(
        indicator: Annotated[str, typer.Argument(help="The indicator's id or value.")],
        nation: Annotated[str, typer.Option(help="Who has seen it, for example JPN.")],
        partner: Annotated[str, typer.Option(help="The partner whose indicator it is, for example GBR.")],
        tlp: Annotated[
            str,
            typer.Option(help="Its TLP label; without one it is held. The partner's own label is used if stricter."),
        ] = "",
        count: Annotated[int, typer.Option(min=1, help="How often it was seen.")] = 1,
        sensor: Annotated[str, typer.Option(help="The name of the sensor to count it for.")] = "sightings",
        sensor_key: Annotated[Path | None, typer.Option(help="The sensor's private key, to sign the report.")] = None,
        note: Annotated[str, typer.Option(help="For our own people; it stays in the nation.")] = "",
    ) -> None:
        """Report a sighting of a partner's indicator: through our own intake, rules and release, back to the partner.

        It is on this machine's disk before it is sent, like all that a sensor reports.
        """
        from consumers.queries.held import held
        from exchange.clock import now_ms
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from producers.sighting import sighting_of, spool_sighting
        from producers.signing import signing
        from producers.spool.batch import Sensor
        from producers.spool.publisher import Publisher
        from producers.spool.spool import Spool, folder_of
        from schemas.codec import QUARANTINED, SENSOR_REPORT
        from schemas.markings import Caveat, SourceMarking, Tlp, understand

        settings = Settings.from_env(os.environ)
        if Caveat.UNRECOGNISED in understand(SourceMarking(tlp=tlp)).caveats:
            one_of("--tlp", tlp, (each.label for each in Tlp))
        cluster, at_ms = cluster_of(nation, settings, os.environ), now_ms()
        content = held(cluster, partner, indicator, settings.shards)["content"]
        if content is None:
            raise RuntimeError("what is held has content")
        seen = sighting_of(
            content, partner, tlp=tlp, count=count, first_seen_ms=at_ms, last_seen_ms=at_ms, description=note
        )
        folder = folder_of(settings.home, nation, sensor)
        codec = cluster.codec(SENSOR_REPORT, QUARANTINED)
        sign = signing(codec, sensor_key or settings.sensor_key)
        with Spool(folder, nation, sensor, at_ms) as spool:
            publisher = Publisher(cluster, spool, sensor, sign)
            spool_sighting(spool, Sensor(nation, sensor), seen, codec, clock.now_ms())
            publisher.drain(30.0)
        marked = seen.marking.tlp or "unmarked: it is held until an officer marks it"
        typer.echo(
            f"{nation} has seen {content['type']} of {partner} {counted(count, 'time')}, {marked}, for {partner} alone"
        )
