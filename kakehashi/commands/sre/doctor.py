"""``kakehashi doctor``: what this machine lacks, and how to get it."""

import os

import typer

from exchange.errors import Exit
from kakehashi.examples import examples
from kakehashi.terminal import console

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
        from rich.text import Text

        from exchange.settings import Settings
        from localkafka.machine import Verdict, examine, is_fit
        from localkafka.settings import BrokerSettings

        findings = examine(BrokerSettings.from_env(os.environ, Settings.from_env(os.environ).nations))
        colours = {Verdict.OK: "green", Verdict.MISSING: "red", Verdict.ABSENT: "yellow"}
        shown = console(soft_wrap=True)
        for finding in findings:
            colour = colours[finding.verdict]
            line = Text(f"{finding.verdict:<7}", colour)
            line.append(f"  {finding.subject:<19}  {finding.found}", "default")
            shown.print(line.append(f"  → {finding.remedy}" if finding.remedy else "", "dim"))
        if not is_fit(findings):
            raise typer.Exit(Exit.CONFIGURATION)
