"""``kakehashi released``: shows what was released to a partner, and what the partner did with it."""

import os
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange import clock
from kakehashi.examples import examples
from kakehashi.filter_options import TypeOfValue, known_type
from kakehashi.listing import AsJson, Column, TextAsJson, write_line
from kakehashi.listing import show as listing
from kakehashi.receipt_words import deed, release
from kakehashi.terminal import printable, utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.queries.released import ReleaseStatus

_SHOW = examples(
    ("kakehashi released show --nation GBR indicator--6ba7b810-9dad-51d1-80b4-00c04fd430c8", "by its id"),
    ("kakehashi released show --nation GBR --partner JPN 198.51.100.7", "by its value, one partner only"),
)
_LIST = examples(
    ("kakehashi released list --nation GBR --waiting", "what has no receipt yet"),
    ("kakehashi released list --nation GBR --recalls", "recalls that the partner has not confirmed"),
    ("kakehashi released list --nation GBR --disputed", "what the partner disputes"),
    ("kakehashi released list --nation GBR | jq .answer", "everything, as JSON lines"),
)
_COLOURS: Final = {"waiting": typer.colors.YELLOW, "refused": typer.colors.RED}
_COLUMNS: Final = (
    Column("answer", lambda row: row["answer"], lambda row: _COLOURS.get(row["answer"], "green"), main=True),
    Column("partner", lambda row: row["partner"], main=True),
    Column("released, UTC", lambda row: utc(row["released_ms"])),
    Column("kind", lambda row: row["kind"] if not row["dispute"] else f"{row['kind']}, disputed", main=True),
    Column("value or id", lambda row: row.get("value") or row["id"], main=True),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What was released to a partner, and what the partner did with it.", no_args_is_help=True)
    group.command(epilog=_SHOW)(show)
    group.command("list", epilog=_LIST)(list_)
    app.add_typer(group, name="released", rich_help_panel="Decisions")


def show(
    indicator: Annotated[str, typer.Argument(help="An indicator's id or value.")],
    nation: Annotated[str, typer.Option(help="Whose releases, for example GBR.")],
    partner: Annotated[str, typer.Option(help="To which partner; to all if not given.")] = "",
    type_: TypeOfValue = "",
    as_json: TextAsJson = False,
) -> None:
    """Show what was released of one indicator, and each receipt for it."""
    from consumers.queries.named import ids_of, named
    from exchange.errors import NotFound

    ids = frozenset(ids_of(indicator, known_type(type_)))
    shown = 0
    for each, status in _released(nation, partner, ids):
        shown += 1
        if as_json:
            write_line(_row(nation, each, status))
        else:
            _print(each, status)
    if as_json and shown:
        return
    closed = _closed(nation, partner)
    for sentence in closed:
        typer.echo(printable(sentence), err=not shown)
    if not shown:
        raise NotFound(
            f"nothing of {printable(named(indicator, type_))} was released by {nation}: "
            f"`kakehashi explain --nation {nation} …` has the decision on it"
        )


def list_(
    nation: Annotated[str, typer.Option(help="Whose releases, for example GBR.")],
    partner: Annotated[str, typer.Option(help="To which partner; to all if not given.")] = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what has no receipt yet.")] = False,
    recalls: Annotated[bool, typer.Option("--recalls", help="Only recalls that are not confirmed.")] = False,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only what the partner disputes.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what was released: the partner's answer, when it was released, and its value, also after a recall."""
    from consumers.queries.released import Answer

    found = (
        _row(nation, each, status)
        for each, status in _released(nation, partner, frozenset())
        if not (waiting and status.answer is not Answer.WAITING)
        and not (recalls and not status.recall_waits)
        and not (disputed and status.dispute is None)
    )
    rows = _with_values(nation, found)
    listing(rows, _COLUMNS, as_json=as_json, empty=nothing(nation, waiting=waiting, recalls=recalls, disputed=disputed))


def nothing(nation: str, *, waiting: bool, recalls: bool, disputed: bool) -> str:
    """What an empty list means."""
    kinds = ("release without a receipt", waiting), ("open recall", recalls), ("disputed release", disputed)
    asked = [name for name, is_asked in kinds if is_asked]
    if not asked:
        return f"{nation} has released nothing."
    return (
        f"{nation} has no {asked[0]}."
        if len(asked) == 1
        else f"{nation} has nothing that is all of: {', '.join(asked)}."
    )


def _with_values(nation: str, rows: "Iterator[dict[str, Any]]") -> "Iterator[dict[str, Any]]":
    """The rows; those that ended come last. Their records have no value any more: it is that of our own record."""
    from consumers.queries.values import values_of
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of

    ended = []
    for row in rows:
        if "value" in row:
            yield row
        else:
            ended.append(row)
    settings = Settings.from_env(os.environ)
    values = values_of(cluster_of(nation, settings, os.environ), {row["id"] for row in ended}, settings.shards)
    for row in ended:
        yield row | ({"value": values[row["id"]]} if row["id"] in values else {})


def _released(nation: str, partner: str, ids: frozenset[str]) -> "Iterator[tuple[str, ReleaseStatus]]":
    from consumers.queries.released import released_to
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from schemas.identity import key_of_id, shard_of_key

    settings = Settings.from_env(os.environ)
    cluster = cluster_of(nation, settings, os.environ)
    of_ids = sorted({shard_of_key(key_of_id(name), settings.shards) for name in ids})
    partners = (partner,) if partner else settings.partners(nation)
    return released_to(cluster, partners, of_ids or range(settings.shards), ids)


def _closed(nation: str, partner: str) -> list[str]:
    """A sentence for each border that is not open, of this partner or of all."""
    from kakehashi.borders import closed_borders
    from kakehashi.clusters import cluster_of
    from kakehashi.published_rules import settings_and_roster

    settings, roster = settings_and_roster(nation)
    found = closed_borders(cluster_of(nation, settings, os.environ), roster, settings)
    return [sentence for name, sentence in found.items() if partner in ("", name)]


def _print(partner: str, status: "ReleaseStatus") -> None:
    """A few lines for a person."""
    released = status.released
    typer.echo(f"{_answer(status)} by {partner}  {released['id']}")
    typer.echo(f"  released        {utc(status.released_ms)} UTC  {release(released)}; version {released['version']}")
    content = released["content"]
    for line in () if content is None else content.get("tearline", "").splitlines():
        typer.echo(f"  tearline        {printable(line)}")
    for receipt in status.receipts:
        what, why = deed(receipt)
        typer.echo(f"  {what:<14}  {utc(receipt['at_ms'])} UTC  version {receipt['version']}{why}")
    if status.dispute is not None:
        typer.echo(f"  An analyst of {partner} disputes it: {status.dispute['reason']}.")
    if status.answer == "waiting":
        minutes = max(0, clock.now_ms() - status.released_ms) // 60_000
        typer.echo(f"  No receipt for this version yet, {minutes} min after its release.")


def _answer(status: "ReleaseStatus") -> str:
    answer = status.answer
    return typer.style(answer.upper(), fg=_COLOURS.get(answer, typer.colors.GREEN), bold=True)


def _row(nation: str, partner: str, status: "ReleaseStatus") -> dict[str, Any]:
    from consumers.queries.layout import indicator as layout

    return {
        "partner": partner,
        "answer": str(status.answer),
        "released_ms": status.released_ms,
        **layout(status.released, nation),
        "receipts": status.receipts,
        "dispute": "" if status.dispute is None else status.dispute["reason"],
    }
