"""``kakehashi up``: a local Kafka cluster for each nation, with its topics, until ``kakehashi down``."""

import os
import threading
from typing import Annotated

import typer

from kakehashi.examples import examples
from kakehashi.listing import AsJson

_EXAMPLES = examples(
    ("kakehashi up", "start what is not running; ports and data are kept"),
    ("KAKEHASHI_KAFKA_HEAP=1g kakehashi up", "with a larger Java heap"),
    ("KAKEHASHI_HOME=/srv/kafka kakehashi up", "with the data elsewhere"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def up(
        nation: Annotated[str, typer.Option(help="Only this nation's cluster.")] = "", as_json: AsJson = False
    ) -> None:
        """Start a local Kafka cluster for each nation, or for one, and create its topics.

        The clusters run on until `kakehashi down`. Kafka comes from Docker if a daemon runs, and otherwise
        from the Apache jars, which Maven fetches the first time.
        """
        from exchange.kafka.schema_registry import register
        from exchange.kafka.topics_admin import ensure_topics
        from exchange.settings import Settings, cluster_from_env
        from kakehashi.commands.sre.status import show
        from localkafka import persistent
        from localkafka.settings import BrokerSettings
        from schemas.topics import topics_of
        from streams.enrichment.installed import installed_enricher

        environment = Settings.from_env(os.environ)
        settings = BrokerSettings.from_env(os.environ, (nation,) if nation else environment.nations)
        # A worker needs them: half a minute on a fresh machine, best spent while the brokers start.
        compiling = threading.Thread(target=installed_enricher, name="warninglists")
        compiling.start()
        clusters = persistent.up(settings, lambda line: typer.echo(line, err=True))
        for cluster in clusters:
            wanted = topics_of(cluster.nation, environment.partners(cluster.nation), environment.shards)
            reached = cluster_from_env(os.environ, cluster.nation, cluster.bootstrap)
            ensure_topics(reached, wanted)
            if reached.registry is not None:
                register(reached.registry)
        if compiling.is_alive():
            typer.echo("compiling the warninglists, once on this machine", err=True)
        compiling.join()
        show([persistent.look(settings.home, cluster) for cluster in clusters], as_json=as_json)
