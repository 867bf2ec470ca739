"""``kakehashi shard``: rebuilds a shard that has stopped because its state or its source was lost."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.conventions import one_of
from kakehashi.examples import examples
from kakehashi.listing import TextAsJson, write_line
from schemas.counting import counted

if TYPE_CHECKING:
    from streams.repair.rebuild import Report
    from streams.repair.reset_time import TimeReport

_EXAMPLES = examples(
    ("kakehashi shard rebuild --nation GBR --step correlate --shard 3 --dry-run", "what is wrong, what would be lost"),
    ("kakehashi shard rebuild --nation GBR --step correlate --shard 3", "rebuild it; then start the workers"),
    ("kakehashi shard rebuild --nation GBR --step receive.JPN --shard 0", "the version floors of a partner's keys"),
)

_TIME_EXAMPLES = examples(
    ("kakehashi shard reset-time --nation GBR --step correlate --shard 3 --dry-run", "how far it is ahead"),
    ("kakehashi shard reset-time --nation GBR --step correlate --shard 3", "bring it back; then start the workers"),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    shard = typer.Typer(help="Rebuild a shard whose state or source was lost.", no_args_is_help=True)
    app.add_typer(shard, name="shard", rich_help_panel="Repair")

    @shard.callback()
    def _group() -> None:
        """Rebuild a shard whose state or source was lost."""

    @shard.command(epilog=_EXAMPLES)
    def rebuild(
        nation: Annotated[str, typer.Option(help="Whose exchange, for example GBR.")],
        step: Annotated[str, typer.Option(help="intake, correlate, or receive.<partner>.")],
        shard: Annotated[int, typer.Option(min=0, help="The shard's number: its partition.")],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done and lost.")] = False,
        resume_at: Annotated[
            int | None,
            typer.Option(min=0, help="Resume at this offset of the step's input; only if its position was lost."),
        ] = None,
        as_json: TextAsJson = False,
    ) -> None:
        """Rebuild a shard's rows from what it has written, and list what cannot be recovered.

        For a changelog that was lost or cut, or a source that was deleted and recreated.
        A worker that finds them ends with exit code 5 and names this command.

        Stop the nation's workers first: one that starts meanwhile takes the shard away (exit code 6).
        A rebuilt shard never releases what the lost one would have kept back.
        """
        from exchange.clock import now_ms
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from schemas.topics import streams_steps
        from streams.repair.rebuild import rebuild as rebuild_shard

        settings = Settings.from_env(os.environ)
        one_of("--step", step, (each.name for each in streams_steps(settings.partners(nation))))
        cluster = cluster_of(nation, settings, os.environ)
        report = rebuild_shard(cluster, step, shard, settings, dry_run=dry_run, resume_at=resume_at, now_ms=now_ms)
        if as_json:
            position = report.position and report.position.batch
            write_line({"nation": nation} | asdict(report) | {"position": position})
        else:
            _show(report)

    @shard.command("reset-time", epilog=_TIME_EXAMPLES)
    def reset_time(
        nation: Annotated[str, typer.Option(help="Whose exchange, for example GBR.")],
        step: Annotated[str, typer.Option(help="intake, correlate, receive.<partner> or settle.<partner>.")],
        shard: Annotated[int, typer.Option(min=0, help="The shard's number: its partition.")],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how far it is ahead.")] = False,
        as_json: TextAsJson = False,
    ) -> None:
        """Bring a shard back whose time is ahead, because this machine's clock and the broker's were both wrong.

        Synchronise both clocks, stop the nation's workers, and run it for each step and shard. All indicators are
        looked at again; what ended meanwhile is decided anew, and what a partner may still hold is replaced.
        """
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from streams.repair.reset_time import reset_time as reset

        settings = Settings.from_env(os.environ)
        report = reset(cluster_of(nation, settings, os.environ), step, shard, settings, dry_run=dry_run)
        if as_json:
            write_line({"nation": nation} | asdict(report))
        else:
            _show_time(report)


def _show_time(report: "TimeReport") -> None:
    typer.echo(report.shard)
    typer.echo(f"  ahead     {report.ahead_ms / 1000:,.0f} s")
    typer.echo(f"  again     {counted(report.rows, 'row')}")
    done = "nothing: this was a dry run" if report.batch is None else f"written as batch {report.batch}"
    typer.echo(f"  done      {done}")


def _show(report: "Report") -> None:
    typer.echo(report.shard)
    lines = [("found", line) for line in report.found]
    if report.sources:
        lines += [
            ("kept", f"{counted(report.kept, 'row')} that the changelog still has"),
            ("rebuilt", f"{counted(report.rebuilt, 'row')} from {', '.join(report.sources)}"),
        ]
    else:
        lines.append(("kept", "all rows: the changelog has them"))
    lines += [
        ("lost", f"{'unknown' if loss.count is None else f'{loss.count:,}'}: {loss.what}") for loss in report.lost
    ]
    if not report.lost:
        lines.append(("lost", "nothing"))
    lines.append(("resumes", report.resumes))
    if report.position is None:
        lines.append(("done", "nothing: this was a dry run"))
    else:
        lines.append(("done", f"written as batch {report.position.batch}: start the workers"))
    for name, text in lines:
        typer.echo(f"  {name:<8}  {text}")
