"""``kakehashi dispute``: we think that what a partner has told us is wrong."""

import os
from typing import Annotated

import typer

from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi dispute --nation JPN --partner GBR --reason false-positive 198.51.100.7", "it is harmless"),
    ("kakehashi dispute --nation JPN --partner GBR --reason outdated 198.51.100.7", "it was right once"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Decisions")
    def dispute(
        indicator: Annotated[str, typer.Argument(help="The indicator's id or value.")],
        nation: Annotated[str, typer.Option(help="Who thinks so, for example JPN.")],
        partner: Annotated[str, typer.Option(help="The partner whose indicator it is, for example GBR.")],
        reason: Annotated[str, typer.Option(help="false-positive, outdated or wrong-marking.")],
    ) -> None:
        """Tell the partner that an indicator of its is wrong: a receipt that says so, for the version that is held.

        It changes nothing here: what to do about it is for the partner. `kakehashi released show` shows it there.
        """
        from exchange.clock import now_ms
        from exchange.protocol.home import HomeWriter
        from exchange.protocol.record import Output
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from kakehashi.held import held
        from schemas import topics
        from schemas.codec import RECEIPT
        from schemas.identity import key_of_id, shard_of_key
        from schemas.records import Receipt
        from schemas.vocabulary import DisputeReason

        settings = Settings.from_env(os.environ)
        if reason not in set(DisputeReason):
            raise typer.BadParameter(f"--reason {reason}: one of {', '.join(DisputeReason)}")
        cluster = cluster_of(nation, settings, os.environ)
        found = held(cluster, partner, indicator, settings.shards)
        receipt = Receipt(
            indicator_id=found["id"],
            version=found["version"],
            code="disputed",
            reason=reason,
            nation=nation,
            at_ms=now_ms(),
        )
        shard = shard_of_key(key_of_id(found["id"]), settings.shards)
        value = cluster.codec().encode(RECEIPT, receipt)
        HomeWriter(cluster).write([Output(topics.receipts(partner), shard, found["id"].encode(), value)])
        typer.echo(f"{partner} is told that {found['id']}, version {found['version']}, is disputed: {reason}")
