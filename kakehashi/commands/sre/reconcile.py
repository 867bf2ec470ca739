"""``kakehashi reconcile``: whether the partner holds what was released to it, and nothing else."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.examples import examples
from kakehashi.terminal import utc

if TYPE_CHECKING:
    from consumers.reconcile.compare import Difference
    from consumers.reconcile.run import Found
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings

_EXAMPLES = examples(
    ("kakehashi reconcile --nation GBR --partner JPN", "compare, and name what differs"),
    (
        "kakehashi reconcile --nation GBR --partner JPN --repair --key b.jones.key",
        "and tell again what can be mended so",
    ),
    ("kakehashi reconcile --nation GBR --partner JPN --full --json", "compare every record and receipt, as JSON lines"),
)
_ANSWER_S = 30.0


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Decisions")
    def reconcile(
        nation: Annotated[str, typer.Option(help="The nation that has released, for example GBR.")],
        partner: Annotated[str, typer.Option(help="The nation that holds it, for example JPN.")],
        repair: Annotated[
            bool, typer.Option("--repair", help="Tell again, under new versions, what is mended by that.")
        ] = False,
        key: Annotated[
            Path | None, typer.Option("--key", help="The private key of an officer with the role reissue.")
        ] = None,
        full: Annotated[
            bool,
            typer.Option("--full", help="Do not believe the digests: compare every record, and look for its receipt."),
        ] = False,
        grace_s: Annotated[
            int, typer.Option("--grace", min=0, help="What was released in the last seconds may be on its way.")
        ] = 60,
        as_json: Annotated[bool, typer.Option("--json", help="JSON lines, one for each difference.")] = False,
    ) -> None:
        """Compare the digests of both sides, name the windows that differ, then the indicators.

        Exit code 4 where something differs that was not mended. The bridge does the same by itself, and shows it.
        """
        from consumers.reconcile.run import Side
        from consumers.reconcile.run import reconcile as compare
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of

        if repair and key is None:
            raise typer.BadParameter("--repair needs --key: what is told again is told by an officer")
        settings = Settings.from_env(os.environ)
        home, abroad = (cluster_of(each, settings, os.environ) for each in (nation, partner))
        shards = range(settings.shards)
        found = compare(Side.of(home), Side.of(abroad), shards, full=full, grace_ms=grace_s * 1000)
        _show(found, nation, partner, as_json=as_json)
        open_ = [str(each.differs) for each in found.differences]
        if repair and key is not None:
            open_ = _repair(found.differences, home, settings, partner, key)
        if open_:
            from exchange.errors import Refused

            raise Refused(f"{len(open_)} indicators differ and are not mended: {', '.join(sorted(set(open_)))}")


def _show(found: "Found", home: str, partner: str, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        for each in found.differences:
            sys.stdout.buffer.write(msgspec.json.encode(each) + b"\n")
        return
    typer.echo(
        f"{home} has released {found.released} indicators to {partner}, which holds {found.held}: "
        f"{len(found.windows)} windows differ, {len(found.differences)} indicators"
    )
    for shard, window in found.windows:
        typer.echo(f"  shard {shard}, versions from {utc(window)} UTC for an hour")
    for each in found.differences:
        versions = f"released {each.released_version or '–'}, held {each.held_version or '–'}"
        typer.echo(f"  {each.differs:<8} {each.indicator_id}  {versions}  {each.reason}".rstrip())


def _repair(
    differences: "tuple[Difference, ...]", cluster: "Cluster", settings: "Settings", partner: str, key: Path
) -> list[str]:
    """Have correlate tell again what is mended by it; why each of the others is not."""
    from consumers.desk.commands import CommandDesk, command
    from consumers.reconcile.compare import MENDED_BY_REISSUE
    from exchange.authority.officer_key import read_key
    from exchange.clock import now_ms
    from schemas.vocabulary import CommandKind

    desk = CommandDesk(cluster, settings.shards, read_key(key))
    mended = [each for each in differences if each.differs in MENDED_BY_REISSUE]
    commands = [
        command(
            CommandKind.REISSUE,
            cluster.nation,
            each.indicator_id,
            reason=f"reconciliation: {each.differs} at {partner}",
            now_ms=now_ms(),
            partner=partner,
            version=each.told_version,
        )
        for each in mended
    ]
    failed = [str(each.differs) for each in differences if each.differs not in MENDED_BY_REISSUE]
    for each, answer in zip(mended, desk.answers(desk.send(commands), _ANSWER_S) if commands else [], strict=True):
        if answer is None:
            failed.append("not answered")
        elif answer.reason:
            typer.echo(f"  {each.indicator_id} is not told again: {answer.reason}: {answer.detail}", err=True)
            failed.append(answer.reason)
    typer.echo(f"{len(differences) - len(failed)} of {len(differences)} are told again", err=True)
    return failed
