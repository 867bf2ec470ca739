"""``kakehashi explain``: why an indicator may leave, waits, or stays, in the words of the rules."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.decided import headline
from kakehashi.examples import examples
from kakehashi.filter_options import TypeOfValue, known_type
from kakehashi.listing import TextAsJson, write_line
from kakehashi.receipt_words import dispute, search
from kakehashi.terminal import printable, utc, wrapped

if TYPE_CHECKING:
    from consumers.queries.disputes import Disputes
    from consumers.queries.origins import Accepted
    from schemas.records import Decision

_EXAMPLES = examples(
    ("kakehashi explain --nation GBR indicator--6ba7b810-9dad-51d1-80b4-00c04fd430c8", "by its id"),
    ("kakehashi explain --nation GBR http://198.51.100.7/a", "by its value; defanged is understood"),
    ("kakehashi explain --nation GBR --all 198.51.100.7", "every decision that was made on it"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Decisions")
    def explain(
        indicator: Annotated[str, typer.Argument(help="An indicator's id or value.")],
        nation: Annotated[str, typer.Option(help="Whose decisions, for example GBR.")],
        type_: TypeOfValue = "",
        every: Annotated[
            bool, typer.Option("--all", help="Every decision, not only the last for each partner.")
        ] = False,
        as_json: TextAsJson = False,
    ) -> None:
        """Say why an indicator was released, is held, or is withheld: by which rules, and on what basis.

        If the border to a partner is not open, it reports this. Of an indicator from a partner it names the origin.
        """
        from consumers.queries.disputes import Disputes
        from consumers.queries.layout import indicator as layout
        from consumers.queries.named import ids_of, named
        from consumers.queries.origins import accepted_from
        from exchange.errors import NotFound
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from kakehashi.decided import decided
        from schemas.identity import key_of_id, shard_of_key
        from schemas.topics import partner_receipts, receipts

        settings = Settings.from_env(os.environ)
        cluster, ids = cluster_of(nation, settings, os.environ), ids_of(indicator, known_type(type_))
        has_own = False
        accepted = list(accepted_from(cluster, settings.partners(nation), ids, settings.shards))
        partners = settings.partners(nation)
        with Disputes(cluster, [*map(receipts, partners), *map(partner_receipts, partners)]) as disputes:
            disputes.read(*{shard_of_key(key_of_id(name), settings.shards) for name in ids})
        for decision, lines in decided(cluster, settings, ids, every=every):
            has_own = True
            theirs = _answers(disputes, decision["indicator_id"], partner_receipts(decision["partner"]), nation)
            _show(nation, decision, lines + theirs, as_json=as_json)
        if not (has_own or accepted):
            raise NotFound(
                f"{nation} has no decision on {printable(named(indicator, type_))}, and has it from no partner: it was "
                f"never reported, it is in quarantine (`kakehashi quarantine list --nation {nation}`), its audit was "
                f"truncated, or the workers have not come to it yet (`kakehashi wait --nation {nation}` waits for "
                "workers)"
            )
        for each in accepted:
            ours = _answers(disputes, each.record["id"], receipts(each.origin), nation)
            if as_json:
                write_line(
                    {
                        "nation": nation,
                        "accepted_ms": each.accepted_ms,
                        **layout(each.record, nation),
                        "sentences": ours,
                    }
                )
            else:
                typer.echo(_origin(nation, each, has_own=has_own))
                for line in ours:
                    typer.echo(wrapped(line))


def _answers(disputes: "Disputes", name: str, topic: str, nation: str) -> list[str]:
    """What analysts answered on an indicator, in sentences."""
    disputed = [dispute(each, nation) for each in disputes.of(name, topic)]
    return disputed + [search(each, nation) for each in disputes.not_seen(name, topic)]


def _show(nation: str, decision: "Decision", lines: list[str], *, as_json: bool) -> None:
    if as_json:
        write_line({"nation": nation, **decision, "sentences": lines})
        return
    typer.echo(headline(decision))
    for line in lines:
        typer.echo(wrapped(line))


def _origin(nation: str, each: "Accepted", *, has_own: bool) -> str:
    """What a partner has sent of it, for a person."""
    record, own = each.record, "" if has_own else f"{nation} has not reported it itself, so it decides nothing on it. "
    why = f" ({printable(record['reason'])})" if record["reason"] else ""
    when = f"{utc(each.accepted_ms)} UTC"
    if record["content"] is not None:
        state = f"{nation} holds it from {each.origin}, since {when}."
    else:
        state = f"{nation} held it from {each.origin} until it was {record['kind']}{why}, {when}."
    return f"FROM {each.origin}  {record['id']}\n{wrapped(own + state)}"
