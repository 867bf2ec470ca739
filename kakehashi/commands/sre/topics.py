"""``kakehashi topics``: a nation's topics on its cluster."""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from kakehashi.examples import examples
from kakehashi.listing import Column, OfDryRun
from kakehashi.listing import show as listing
from schemas.counting import counted

if TYPE_CHECKING:
    from schemas.topics import Topic

_EXAMPLES = examples(
    ("kakehashi topics --nation GBR", "create what is missing, check what is there"),
    ("KAKEHASHI_SHARDS=16 kakehashi topics --nation GBR --replication 3", "a cluster for service"),
    ("kakehashi topics --nation GBR --dry-run", "print them, with their settings, and touch nothing"),
)

_COLUMNS: Final = (
    Column("topic", lambda row: row["topic"], main=True),
    Column("partitions", lambda row: str(row["partitions"]), right=True),
    Column("keeps", lambda row: row["settings"]["cleanup.policy"]),
    Column("key", lambda row: row["key"]),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def topics(
        nation: Annotated[str, typer.Option(help="Whose cluster, for example GBR.")],
        replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be there.")] = False,
        as_json: OfDryRun = False,
    ) -> None:
        """Create a nation's topics on its cluster, and check those that are there.

        Where the nation has a schema registry, the schemas are registered there, too.
        """
        from exchange.kafka.topics_admin import ensure_topics
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from schemas.topics import topics_of

        settings = Settings.from_env(os.environ)
        wanted = topics_of(nation, settings.partners(nation), settings.shards)
        if dry_run:
            listing([_row(nation, topic) for topic in wanted], _COLUMNS, as_json=as_json, empty="")
            return
        cluster = cluster_of(nation, settings, os.environ)
        created = ensure_topics(cluster, wanted, replication=replication)
        typer.echo(f"{nation}: {counted(len(created), 'topic')} created, {len(wanted) - len(created)} existed")
        if cluster.registry is not None:
            from exchange.kafka.schema_registry import register

            typer.echo(
                f"{nation}: {counted(register(cluster.registry), 'schema')} in its registry at {cluster.registry.url}"
            )


def _row(nation: str, topic: "Topic") -> dict[str, object]:
    head = {"nation": nation, "topic": topic.name, "partitions": topic.partitions, "key": topic.key}
    return head | {"settings": topic.settings()}
