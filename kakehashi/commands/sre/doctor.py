"""``kakehashi doctor``: what this machine lacks, and how to get it."""

import os

import typer

from exchange.errors import Exit
from kakehashi.examples import examples

_EXAMPLES = examples(
    ("kakehashi doctor", "exit code 3 if something that is needed is missing"),
    ("kakehashi doctor | grep missing", "only that"),
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES, rich_help_panel="Local clusters")
    def doctor() -> None:
        """Check this machine: Python, Java, Maven, Docker, disk, memory and ports.

        Kafka needs one of three: brokers named in settings, a Docker daemon, or Java 17 with Maven.
        """
        from rich.console import Console

        from exchange.settings import Settings
        from localkafka.machine import Verdict, examine, is_fit
        from localkafka.settings import BrokerSettings

        findings = examine(BrokerSettings.from_env(os.environ, Settings.from_env(os.environ).nations))
        colours = {Verdict.OK: "green", Verdict.MISSING: "red", Verdict.ABSENT: "yellow"}
        console = Console(soft_wrap=True, highlight=False)
        for finding in findings:
            colour = colours[finding.verdict]
            line = f"[{colour}]{finding.verdict:<7}[/{colour}]  {finding.subject:<19}  {finding.found}"
            get = f"  [dim]→ {finding.remedy}[/dim]" if finding.remedy else ""
            console.print(line + get)
        if not is_fit(findings):
            raise typer.Exit(Exit.CONFIGURATION)
