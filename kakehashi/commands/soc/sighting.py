"""``kakehashi sighting``: reports that a partner's indicator was seen here, or was searched for and not seen."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exchange import clock
from exchange.errors import Exit
from kakehashi.conventions import DefaultGroup, one_of
from kakehashi.examples import examples
from schemas.counting import counted

if TYPE_CHECKING:
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings
    from schemas.records import Content

_REPORT = examples(
    ("kakehashi sighting report --nation JPN --partner GBR --tlp TLP:GREEN 198.51.100.7", "seen once, now"),
    (
        "kakehashi sighting report --nation JPN --partner GBR --tlp TLP:GREEN --count 40 198.51.100.7",
        "seen forty times",
    ),
    ("kakehashi sighting report --nation JPN --partner GBR --not-seen 198.51.100.7", "searched for, and not seen"),
)
_FOLLOW = examples(
    (
        "kakehashi sighting follow --nation JPN --partner GBR --tlp TLP:GREEN --format suricata-eve eve.json",
        "report each hit, as it is logged",
    ),
    (
        "kakehashi sighting follow --nation JPN --partner GBR --tlp TLP:GREEN --format zeek-intel --once intel.log",
        "what the file has now, for a cron job",
    ),
)
Nation = Annotated[str, typer.Option(help="Who has seen it, for example JPN.")]
Partner = Annotated[str, typer.Option(help="The partner whose indicator it is, for example GBR.")]
TheTlp = Annotated[
    str, typer.Option(help="Its TLP label; without one it is held. The partner's own label is used if stricter.")
]
TheSensor = Annotated[
    str, typer.Option(help="The name of the sensor to count it for; sightings-gbr for GBR if not given.")
]
Key = Annotated[Path | None, typer.Option(help="The sensor's private key, to sign the report.")]


class _Group(DefaultGroup):
    default = "report"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sighting = typer.Typer(
        cls=_Group, help="Report what you have seen of a partner's indicators.", no_args_is_help=True
    )
    sighting.command(epilog=_REPORT)(report)
    sighting.command(epilog=_FOLLOW)(follow)
    app.add_typer(sighting, name="sighting", rich_help_panel="Roles")


def report(
    indicator: Annotated[str, typer.Argument(help="The indicator's id or value.")],
    nation: Nation,
    partner: Partner,
    tlp: TheTlp = "",
    count: Annotated[int, typer.Option(min=1, help="How often it was seen.")] = 1,
    not_seen: Annotated[
        bool, typer.Option("--not-seen", help="It was searched for and not seen: an answer to the partner.")
    ] = False,
    sensor: TheSensor = "",
    sensor_key: Key = None,
    note: Annotated[str, typer.Option(help="For our own people; it stays in the nation.")] = "",
) -> None:
    """Report a sighting of a partner's indicator: through our own intake, rules and release, back to the partner.

    It is on this machine's disk before it is sent, like all that a sensor reports. With --not-seen the answer is a
    receipt, as that of `kakehashi dispute`: the partner sees it in `kakehashi explain` and `get`. `kakehashi sighting
    follow` reports the hits of Suricata and Zeek by itself.
    """
    from consumers.desk.answers import not_seen as answer
    from consumers.queries.held import held
    from exchange.errors import NotFound
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    settings = Settings.from_env(os.environ)
    _check(tlp)
    if not_seen and (tlp or count > 1 or note):
        raise typer.BadParameter("--not-seen has no --tlp, --count and --note: it is a receipt, and reports no value")
    cluster = cluster_of(nation, settings, os.environ)
    try:
        found = held(cluster, partner, indicator, settings.shards)
    except NotFound as error:
        raise NotFound(
            f"{error}. Without a partner's indicator, report it as your own: `kakehashi produce --nation {nation} "
            "--sensor SENSOR FILE`"
        ) from error
    if not_seen:
        answer(cluster, partner, found, shards=settings.shards, now_ms=clock.now_ms())
        typer.echo(f"{nation} has searched for {found['id']} of {partner}, version {found['version']}, and not seen it")
        return
    content = found["content"]
    if content is None:
        raise RuntimeError("what is held has content")
    marked = _report(
        content, partner, cluster, settings, tlp=tlp, count=count, sensor=sensor, key=sensor_key, note=note
    )
    typer.echo(
        f"{nation} has seen {content['type']} of {partner} {counted(count, 'time')}, {marked}, for {partner} alone"
    )


def follow(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Logs, folders or quoted patterns.")],
    nation: Nation,
    partner: Partner,
    format_: Annotated[str, typer.Option("--format", help="suricata-eve, zeek-intel or zeek-notice.")],
    tlp: TheTlp = "",
    sensor: TheSensor = "",
    sensor_key: Key = None,
    once: Annotated[bool, typer.Option("--once", help="Read what the files have now, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
    explain_skips: Annotated[bool, typer.Option("--explain-skips", help="Print what is left out, and why.")] = False,
) -> None:
    """Report the hits of Suricata or Zeek on what a partner shares as sightings, each once, with the tool's own time.

    A hit counts if the rule, or `meta.source`, is one that `kakehashi output run` has written, and the partner shares
    the value at present. All else is left out and counted. Files are followed through rotation; after a restart or a
    crash it goes on where it was. Follow either intel.log or notice.log of Zeek: both have the same hits.
    """
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from kakehashi.hits import FORMATS
    from kakehashi.sighting_follow import Following, run
    from producers.sighting import sensor_for
    from producers.spool.batch import Sensor

    settings = Settings.from_env(os.environ)
    _check(tlp)
    one_of("--format", format_, FORMATS)
    asked = Following(
        tuple(files),
        format_,
        partner,
        tlp,
        Sensor(nation, sensor or sensor_for(partner)),
        sensor_key,
        once=once,
        json=as_json,
        explain_skips=explain_skips,
    )
    ended = run(asked, cluster_of(nation, settings, os.environ), settings)
    if ended is not Exit.OK:
        raise typer.Exit(ended)


def _check(tlp: str) -> None:
    from schemas.markings import Caveat, SourceMarking, Tlp, understand

    if Caveat.UNRECOGNISED in understand(SourceMarking(tlp=tlp)).caveats:
        one_of("--tlp", tlp, (each.label for each in Tlp))


def _report(
    content: "Content",
    partner: str,
    cluster: "Cluster",
    settings: "Settings",
    *,
    tlp: str,
    count: int,
    sensor: str,
    key: Path | None,
    note: str,
) -> str:
    """Make the sighting durable and send it; how it is marked, for a person."""
    from producers.sighting import sensor_for, sighting_of, spool_sighting, theirs
    from producers.signing import signing
    from producers.spool.batch import Sensor
    from producers.spool.publisher import Publisher
    from producers.spool.spool import Spool, folder_of
    from schemas.codec import QUARANTINED, SENSOR_REPORT

    at_ms, nation, name = clock.now_ms(), cluster.nation, sensor or sensor_for(partner)
    seen = sighting_of(
        theirs(content), partner, tlp=tlp, count=count, first_seen_ms=at_ms, last_seen_ms=at_ms, description=note
    )
    codec = cluster.codec(SENSOR_REPORT, QUARANTINED)
    sign = signing(codec, key or settings.sensor_key)
    with Spool(folder_of(settings.home, nation, name), nation, name, at_ms) as spool:
        publisher = Publisher(cluster, spool, name, sign)
        spool_sighting(spool, Sensor(nation, name), seen, partner, codec, clock.now_ms())
        publisher.drain(30.0)
    return seen.marking.tlp or "unmarked: it is held until an officer marks it"
