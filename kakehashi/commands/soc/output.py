"""``kakehashi output``: keeps the files and receivers of a SOC's tools current."""

import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.clock import now_ms
from exchange.errors import Exit
from kakehashi import filter_options as options
from kakehashi.conventions import LogLevel
from kakehashi.examples import examples
from kakehashi.listing import AsJson, Column, show
from kakehashi.terminal import utc
from schemas.counting import counted

if TYPE_CHECKING:
    from consumers.outputs.follow import Following
    from consumers.picture.filters import Filter
    from consumers.subscription.changes import Use
    from exchange.settings import Settings

_RUN: Final = examples(
    (
        "kakehashi output run --nation JPN --partner GBR --to hosts:/etc/hosts.d/kakehashi",
        "keep a hosts file current",
    ),
    ("kakehashi output run --nation JPN --to hosts:/srv/a --to hosts:/srv/b", "several in one process"),
    ("kakehashi output run --nation JPN --to hosts:/srv/hosts --once", "write once, for a cron job"),
    ("kakehashi output run --nation JPN --to hosts:/srv/hosts --dry-run", "what it would write, and what differs"),
)
_CHECK: Final = examples(("kakehashi output check --nation JPN --to hosts:/srv/hosts", "exit code 4 if it differs"))
_LIST: Final = examples(
    ("kakehashi output list --nation JPN", "which outputs follow the picture, and how far they are")
)
_FORMATS: Final = examples(("kakehashi output formats", "their names, targets and options"))
_FORGET: Final = examples(("kakehashi output forget --nation JPN --to hosts:/srv/hosts", "it will not come back"))
_SHOWN: Final = 20
_REPAIR: Final = (
    "`kakehashi output check --nation NATION --to NAME:TARGET` lists them; to repair it, delete the target and run "
    "this again"
)
_COLUMNS: Final = (
    Column("runs since, UTC", lambda row: utc(row["since_ms"]) or ("yes" if row["running"] else "no"), main=True),
    Column("recalls", lambda row: str(row["unapplied_recalls"]), right=True, main=True),
    Column("behind, s", lambda row: f"{row['behind_ms'] / 1000:.0f}", right=True, main=True),
    Column("changes until, UTC", lambda row: utc(row["applied_us"] // 1000)),
    Column("process", lambda row: str(row["pid"] or "–"), right=True),
    Column("last seen, UTC", lambda row: utc(row["seen_ms"])),
    Column("from", lambda row: ", ".join(row["origins"])),
    Column("output", lambda row: row["output"], lambda row: "" if row["running"] else "yellow", main=True),
)
_FORMAT_COLUMNS: Final = (
    Column("--to", lambda row: f"{row['name']}:{row['target']}", main=True),
    Column("PAP activity", lambda row: row["activity"]),
    Column("what it writes", lambda row: row["writes"].replace("`", ""), main=True),
)
To = Annotated[list[str], typer.Option("--to", metavar="NAME:TARGET", help="An output and its target; repeat it.")]
Nation = Annotated[str, typer.Option(help="Whose picture, for example JPN.")]
Partner = Annotated[str, typer.Option(help="Only this partner's indicators; all that the nation sees if not given.")]
Own = Annotated[bool, typer.Option("--own", help="Only the nation's own indicators.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    output = typer.Typer(help="Keep the files and receivers of your tools current.", no_args_is_help=True)
    output.command(epilog=_RUN)(run)
    output.command(epilog=_CHECK)(check)
    output.command(name="list", epilog=_LIST)(list_)
    output.command(epilog=_FORGET)(forget)
    output.command(epilog=_FORMATS)(formats)
    app.add_typer(output, name="output", rich_help_panel="Roles")


def run(
    nation: Nation,
    to: To,
    partner: Partner = "",
    own: Own = False,
    type_: options.Types = None,
    label: options.Labels = None,
    technique: options.Techniques = None,
    confidence: options.Confidence = None,
    tlp_max: options.TlpMax = "",
    unstated_pap: options.UnstatedPap = "",
    once: Annotated[bool, typer.Option("--once", help="Bring the targets up to date, check files, and end.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: count, and compare with the target.")
    ] = False,
    loglevel: Annotated[LogLevel, typer.Option(case_sensitive=False, help="How much to log.")] = LogLevel.INFO,
) -> None:
    """Write what the nation sees to each target, and keep it current: what is expired, revoked or recalled leaves by
    itself.

    A target gets what its format can carry and PAP allows for its tool. It is whole at any moment. After a time away it
    goes on where it was, and what left meanwhile is removed first. `kakehashi output formats` lists the outputs.
    """
    from consumers.outputs.run import run as follow
    from consumers.picture.tables import path_of
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from kakehashi.picture_of import origins_of

    settings = Settings.from_env(os.environ)
    filters = options.filter_of(
        partner=partner,
        own=nation if own else "",
        types=type_,
        labels=label,
        techniques=technique,
        confidence=confidence,
        tlp_max=tlp_max,
    )
    outputs = _outputs(nation, to, filters, options.use_of("passive-local", unstated_pap), settings)
    for each in outputs:
        each.must_be_own()
    if once or dry_run:
        _once(nation, outputs, settings, dry_run=dry_run)
        return
    cluster = cluster_of(nation, settings, os.environ)
    follow(cluster, settings, path_of(settings.home, nation), origins_of(cluster, settings), outputs, loglevel.value)


def check(
    nation: Nation,
    to: To,
    partner: Partner = "",
    own: Own = False,
    type_: options.Types = None,
    label: options.Labels = None,
    technique: options.Techniques = None,
    confidence: options.Confidence = None,
    tlp_max: options.TlpMax = "",
    unstated_pap: options.UnstatedPap = "",
) -> None:
    """Compare each target with the picture, with the options of its `run`. Exit code 4 if one differs."""
    from exchange.settings import Settings
    from kakehashi.picture_of import picture_of

    settings = Settings.from_env(os.environ)
    filters = options.filter_of(
        partner=partner,
        own=nation if own else "",
        types=type_,
        labels=label,
        techniques=technique,
        confidence=confidence,
        tlp_max=tlp_max,
    )
    outputs = _outputs(nation, to, filters, options.use_of("passive-local", unstated_pap), settings)
    with ExitStack() as at_end, picture_of(nation, settings, os.environ, update=True) as picture:
        for output in outputs:
            at_end.callback(output.close)
        found = {output.name: output.check(picture) for output in outputs}
    for name, differences in found.items():
        typer.echo(f"{name}: {counted(len(differences), 'difference')}")
        for each in differences[:_SHOWN]:
            typer.echo(f"  {each.kind}  {each.id or each.detail}")
    if any(found.values()):
        raise typer.Exit(Exit.REFUSED)


def list_(nation: Nation, as_json: AsJson = False) -> None:
    """List the outputs that follow the picture of this machine: whether each runs now, since when, recalls that it has
    still to apply, and how far it is. Those that do not run are shown too."""
    from consumers.outputs.only_writer import running
    from consumers.picture.tables import path_of
    from exchange.settings import Settings
    from kakehashi.picture_of import picture_of

    settings = Settings.from_env(os.environ)
    with picture_of(nation, settings, os.environ, update=False) as picture:
        head_us, rows = picture.head_us(), []
        for each in picture.followers():
            behind_ms = max(0, now_ms() - each.applied_us // 1000) if each.applied_us < head_us else 0
            now = running(path_of(settings.home, nation), each.name)
            rows.append(
                {
                    "output": each.name,
                    "running": now is not None,
                    "pid": 0 if now is None else now.pid,
                    "since_ms": 0 if now is None else now.since_ms,
                    "applied_us": each.applied_us,
                    "origins": list(each.origins),
                    "unapplied_recalls": each.unapplied_recalls,
                    "behind_ms": behind_ms,
                    "seen_ms": each.seen_ms,
                }
            )
    show(rows, _COLUMNS, as_json=as_json, empty=f"No output follows the picture of {nation} on this machine.")


def forget(nation: Nation, to: To) -> None:
    """Keep nothing for an output that will not come back. Its target stays as it is: delete it yourself."""
    from consumers.outputs.targets import live_name
    from consumers.picture.followers import forget as forget_follower
    from consumers.picture.tables import connect, path_of
    from exchange.errors import NotFound
    from exchange.settings import Settings

    path = path_of(Settings.from_env(os.environ).home, nation)
    if not path.exists():
        raise NotFound(f"there is no picture of {nation} at {path}: nothing follows it")
    database = connect(path, writes=True)
    try:
        unknown = [
            name
            for name in to
            if not any([forget_follower(database, name), forget_follower(database, live_name(name))])
        ]
    finally:
        database.close()
    if unknown:
        raise NotFound(
            f"{', '.join(unknown)}: no such output; `kakehashi output list --nation {nation}` has their names"
        )
    typer.echo(f"forgotten: {', '.join(to)}")


def formats(as_json: AsJson = False) -> None:
    """List the outputs: the name and form of target for --to, and the PAP activity of the tool. The JSON has types, and
    the options, which follow the target as `?name=value`."""
    from consumers.outputs.known import outputs

    rows = (
        {
            "name": each.name,
            "target": each.place,
            "activity": each.activity.label,
            "writes": each.writes,
            "types": sorted(kind.label for kind in each.carries),
            "options": dict(each.options),
        }
        for each in outputs().values()
    )
    show(rows, _FORMAT_COLUMNS, as_json=as_json, empty="There is no output.")


def _outputs(nation: str, to: Sequence[str], filters: "Filter", use: "Use", settings: "Settings") -> "list[Following]":
    """The outputs on their targets. Raises ConfigurationError for an invalid one, and if one comes twice."""
    from consumers.outputs.targets import followings
    from consumers.picture.tables import path_of
    from exchange.errors import ConfigurationError

    if len(set(to)) != len(to):
        raise ConfigurationError(f"--to {', '.join(to)}: a target is given twice: two writers would undo each other")
    path = path_of(settings.home, nation)
    found = (followings(text, nation, settings.home, filters, use.unstated, path, now_ms) for text in to)
    return [each for of_one in found for each in of_one]


def _once(nation: str, outputs: "Sequence[Following]", settings: "Settings", *, dry_run: bool) -> None:
    from kakehashi.picture_of import picture_of

    differs = False
    with picture_of(nation, settings, os.environ, update=True) as picture:
        for each in outputs:
            with closing(each):
                if dry_run:
                    report, differences = each.would_write(picture), each.check(picture)
                    what = f"would hold {counted(report.written, 'indicator')}, and differs in {len(differences):,}"
                    left_out = report.left_out
                else:
                    each.take()
                    each.turn(picture)
                    each.count(picture)
                    what = each.standing.trouble or f"holds {counted(each.standing.indicators or 0, 'indicator')}"
                    altered = len(each.altered(picture))
                    if altered:
                        what += f", but was changed by somebody else: {counted(altered, 'difference')}. {_REPAIR}"
                        differs = True
                    left_out = each.standing.left_out
                reasons = ", ".join(f"{count:,} by {reason}" for reason, count in left_out.items())
                typer.echo(f"{each.name}: {what}" + (f"; left out: {reasons}" if reasons else ""))
    if differs:
        raise typer.Exit(Exit.REFUSED)
