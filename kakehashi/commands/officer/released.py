"""``kakehashi released``: what was released to a partner, and what the partner says it did with it."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange import clock
from kakehashi.examples import examples
from kakehashi.terminal import printable, utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consumers.queries.released import Standing

_SHOW = examples(
    ("kakehashi released show --nation GBR indicator--6ba7b810-9dad-51d1-80b4-00c04fd430c8", "by its id"),
    ("kakehashi released show --nation GBR --partner JPN 198.51.100.7", "by its value, one partner only"),
)
_LIST = examples(
    ("kakehashi released list --nation GBR --waiting", "what no receipt has come for"),
    ("kakehashi released list --nation GBR --recalls", "recalls that the partner has not confirmed"),
    ("kakehashi released list --nation GBR --disputed", "what the partner thinks is wrong"),
    ("kakehashi released list --nation GBR --json | jq .answer", "everything, as JSON lines"),
)
_COLOURS: Final = {"waiting": typer.colors.YELLOW, "refused": typer.colors.RED}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="What was released to a partner, and what the partner says it did with it.", no_args_is_help=True
    )
    group.command(epilog=_SHOW)(show)
    group.command("list", epilog=_LIST)(list_)
    app.add_typer(group, name="released", rich_help_panel="Decisions")


def show(
    indicator: Annotated[str, typer.Argument(help="An indicator's id or value.")],
    nation: Annotated[str, typer.Option(help="Whose releases, for example GBR.")],
    partner: Annotated[str, typer.Option(help="To which partner; to all if not given.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Say what was released of one indicator, and each receipt that has come home for it."""
    from exchange.errors import NotFound
    from kakehashi.decisions import ids_of

    ids = frozenset(ids_of(indicator))
    shown = 0
    for each, standing in _standings(nation, partner, ids):
        shown += 1
        if as_json:
            sys.stdout.buffer.write(_json(each, standing) + b"\n")
        else:
            _tell(each, standing)
    if not shown:
        raise NotFound(
            f"{', '.join(sorted(ids))} was never released by {nation}: `kakehashi explain --nation {nation} …` has the "
            "decision on it"
        )


def list_(
    nation: Annotated[str, typer.Option(help="Whose releases, for example GBR.")],
    partner: Annotated[str, typer.Option(help="To which partner; to all if not given.")] = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what no receipt has come for.")] = False,
    recalls: Annotated[bool, typer.Option("--recalls", help="Only recalls that are not confirmed.")] = False,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only what the partner thinks is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, as where the output is no terminal.")] = False,
) -> None:
    """List what was released, one line each: how the partner has answered, and since when it stands."""
    from consumers.queries.released import Answer

    lines = as_json or not sys.stdout.isatty()
    for each, standing in _standings(nation, partner, frozenset()):
        if (
            (waiting and standing.answer is not Answer.WAITING)
            or (recalls and not standing.recall_waits)
            or (disputed and standing.dispute is None)
        ):
            continue
        if lines:
            sys.stdout.buffer.write(_json(each, standing) + b"\n")
        else:
            released = standing.released
            typer.echo(f"{_answer(standing):<24} {utc(standing.released_ms)}  {released['id']}  {released['kind']}")


def _standings(nation: str, only: str, ids: frozenset[str]) -> "Iterator[tuple[str, Standing]]":
    from consumers.queries.released import standings
    from consumers.subscription.topic_reader import TopicReader
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from schemas import topics
    from schemas.identity import key_of_id, shard_of_key

    settings = Settings.from_env(os.environ)
    partners = settings.partners(nation)
    cluster = cluster_of(nation, settings, os.environ)
    shards: Iterable[int] = sorted({shard_of_key(key_of_id(name), settings.shards) for name in ids}) or range(
        settings.shards
    )
    for partner in (only,) if only else partners:
        with (
            TopicReader(cluster, topics.released(partner)) as released,
            TopicReader(cluster, topics.partner_receipts(partner)) as receipts,
        ):
            for shard in shards:
                for standing in standings(released.records(shard), receipts.records(shard), cluster.codec(), ids):
                    yield partner, standing


def _tell(partner: str, standing: "Standing") -> None:
    """A few lines for a person."""
    released = standing.released
    typer.echo(f"{_answer(standing)} by {partner}  {released['id']}")
    what = f"{released['kind']} {released['reason']}".rstrip()
    typer.echo(f"  released        {utc(standing.released_ms)} UTC  {what}, version {released['version']}")
    content = released["content"]
    for line in () if content is None else content.get("tearline", "").splitlines():
        typer.echo(f"  tearline        {printable(line)}")
    for receipt in standing.receipts:
        reason = f", {printable(receipt['reason'])}" if receipt["reason"] else ""
        code = receipt["code"].replace("_", " ")
        typer.echo(f"  {code:<14}  {utc(receipt['at_ms'])} UTC  version {receipt['version']}{reason}")
    if standing.dispute is not None:
        typer.echo(f"  An analyst of {partner} thinks that it is wrong: {standing.dispute['reason']}.")
    if standing.answer == "waiting":
        minutes = max(0, clock.now_ms() - standing.released_ms) // 60_000
        typer.echo(f"  No receipt for this version yet, {minutes} min after its release.")


def _answer(standing: "Standing") -> str:
    answer = standing.answer
    return typer.style(answer.upper(), fg=_COLOURS.get(answer, typer.colors.GREEN), bold=True)


def _json(partner: str, standing: "Standing") -> bytes:
    import msgspec

    return msgspec.json.encode(
        {
            "partner": partner,
            "answer": standing.answer,
            "released_ms": standing.released_ms,
            **standing.released,
            "receipts": standing.receipts,
        }
    )
