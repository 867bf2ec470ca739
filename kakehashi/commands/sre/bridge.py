"""``kakehashi bridge``: one direction between two nations."""

import os
from typing import Annotated

import typer

from kakehashi.conventions import LogLevel
from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi bridge --nation GBR --partner JPN", "all shards in one process"),
    ("kakehashi bridge --nation GBR --partner JPN --ordinal 1 --of 2", "the second of two processes"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Roles")
    def bridge(
        nation: Annotated[str, typer.Option(help="The nation whose releases are carried, for example GBR.")],
        partner: Annotated[str, typer.Option(help="The nation that receives them, for example JPN.")],
        ordinal: Annotated[int, typer.Option(min=0, help="Which of the processes of this link this one is.")] = 0,
        of: Annotated[int, typer.Option(min=1, help="How many processes share the link's shards.")] = 1,
        loglevel: Annotated[LogLevel, typer.Option(case_sensitive=False, help="How much to log.")] = LogLevel.INFO,
    ) -> None:
        """Carry what a nation has released to its partner: guarded, exactly once, in order.

        The shards of a link are given out by ordinal; a second process with the same ordinal fences the first.
        """
        from consumers.bridge.worker import run
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of

        if ordinal >= of:
            raise typer.BadParameter(f"--ordinal {ordinal} must be below --of {of}")
        settings = Settings.from_env(os.environ)
        settings.agreement(nation, partner)
        home, abroad = (cluster_of(each, settings, os.environ) for each in (nation, partner))
        shards = range(ordinal, settings.shards, of)
        run(home, abroad, settings, tuple(shards), loglevel.value)
