"""``kakehashi reconcile``: compares what was released to a partner with what the partner holds."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.examples import examples
from kakehashi.listing import TextAsJson, write_line
from kakehashi.terminal import utc
from schemas.counting import counted

if TYPE_CHECKING:
    from consumers.reconcile.compare import Difference
    from consumers.reconcile.run import Comparison
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings

_EXAMPLES = examples(
    ("kakehashi reconcile --nation GBR --partner JPN", "compare, and name what differs"),
    (
        "kakehashi reconcile --nation GBR --partner JPN --repair --key b.jones.key",
        "and reissue what is repaired by it",
    ),
    ("kakehashi reconcile --nation GBR --partner JPN --full --json", "compare every record and receipt, as JSON lines"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Decisions")
    def reconcile(
        nation: Annotated[str, typer.Option(help="The nation that has released, for example GBR.")],
        partner: Annotated[str, typer.Option(help="The nation that holds it, for example JPN.")],
        repair: Annotated[
            bool, typer.Option("--repair", help="Reissue, under new versions, what is repaired by that.")
        ] = False,
        key: Annotated[
            Path | None, typer.Option("--key", help="The private key of an officer with the role reissue.")
        ] = None,
        full: Annotated[
            bool,
            typer.Option("--full", help="Ignore the digests: compare every record, and look for its receipt."),
        ] = False,
        grace_s: Annotated[
            int,
            typer.Option("--grace", min=0, help="Ignore what was released in the last seconds: it may be on its way."),
        ] = 60,
        as_json: TextAsJson = False,
    ) -> None:
        """Compare the digests of both sides, name the windows that differ, then the indicators.

        Exit code 4 if a difference was not repaired. The bridge compares by itself too, with metrics.
        """
        from consumers.reconcile.run import Side
        from consumers.reconcile.run import reconcile as compare
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of

        if repair and key is None:
            raise typer.BadParameter("--repair needs --key: an officer orders a reissue")
        settings = Settings.from_env(os.environ)
        home, abroad = (cluster_of(each, settings, os.environ) for each in (nation, partner))
        shards = range(settings.shards)
        found = compare(Side.of(home), Side.of(abroad), shards, full=full, grace_ms=grace_s * 1000, guard=True)
        _show(found, nation, partner, as_json=as_json)
        open_ = [str(each.differs) for each in found.differences]
        if repair and key is not None:
            open_ = _repair(found.differences, home, settings, partner, key)
        if open_:
            from exchange.errors import Refused

            raise Refused(f"{counted(len(open_), 'difference')} not repaired: {', '.join(sorted(set(open_)))}")


def _show(found: "Comparison", home: str, partner: str, *, as_json: bool) -> None:
    if as_json:
        for each in found.differences:
            write_line({"nation": home, "partner": partner, **asdict(each)})
        return
    typer.echo(
        f"{home} has released {counted(found.released, 'indicator')} to {partner}, which holds {found.held:,}: "
        f"{counted(len(found.windows), 'window')} with differences, {counted(len(found.differences), 'indicator')}"
    )
    for shard, window in found.windows:
        typer.echo(f"  shard {shard}, versions from {utc(window)} UTC for an hour")
    if found.windows and not found.differences:
        typer.echo("  what differs is on its way: released within --grace seconds, or not carried yet; compare again")
    for each in found.differences:
        versions = f"released {each.released_version or '–'}, held {each.held_version or '–'}"
        typer.echo(f"  {each.differs:<8} {each.indicator_id}  {versions}  {each.reason}".rstrip())


def _repair(
    differences: "tuple[Difference, ...]", cluster: "Cluster", settings: "Settings", partner: str, key: Path
) -> list[str]:
    """Reissue what is repaired by it, and show the result; the reasons of those that still differ."""
    from consumers.desk.commands import CommandDesk
    from consumers.reconcile.repair import repair
    from exchange.authority.private_key import read_key
    from exchange.clock import now_ms

    desk = CommandDesk(cluster, settings.shards, read_key(key))
    repairs = repair(differences, desk, cluster.nation, partner, now_ms=now_ms())
    for each in repairs:
        if each.detail:
            typer.echo(f"  {each.difference.indicator_id} is not reissued: {each.why}: {each.detail}", err=True)
    failed = [each.why for each in repairs if each.why]
    typer.echo(f"{len(repairs) - len(failed)} of {counted(len(repairs), 'indicator')} reissued", err=True)
    return failed
