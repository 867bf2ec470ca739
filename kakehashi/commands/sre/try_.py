"""``kakehashi try``: nations on this machine in the foreground, for a first look; Ctrl-C ends them."""

import os

import typer

from exchange.errors import Exit
from kakehashi.examples import examples
from kakehashi.terminal import console

_EXAMPLES = examples(
    ("kakehashi try", "GBR and JPN: clusters, workers and bridges, ready in seconds"),
    ("KAKEHASHI_KAFKA_HEAP=256m kakehashi try", "on a small machine"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("try", epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def try_() -> None:
        """Run both nations in the foreground for a first look: a cluster, a worker and a bridge each.

        It prints what to type next in another terminal. Ctrl-C or SIGTERM ends everything and deletes all its data.
        Clusters of `kakehashi up` are not touched.
        """
        from kakehashi.trial import run, trial_nations
        from kakehashi.trial_view import showing
        from localkafka.settings import home_folder

        terminal = console()
        try:
            with trial_nations(home_folder(os.environ), os.environ) as nations:
                try:
                    with showing(terminal) as view:
                        run(nations, view)
                finally:
                    terminal.print("Ending; this takes a few seconds.")
        except KeyboardInterrupt:
            terminal.print("Everything has ended, and its data is deleted.")
            raise typer.Exit(Exit.INTERRUPTED) from None
