"""``kakehashi explain``: why an indicator may leave, waits, or stays, in the words of the rules."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from kakehashi.examples import examples
from kakehashi.terminal import utc

if TYPE_CHECKING:
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
        every: Annotated[
            bool, typer.Option("--all", help="Every decision, not only the last for each partner.")
        ] = False,
    ) -> None:
        """Say why an indicator was released, is held, or is withheld: by which rules, and on what basis."""
        from consumers.queries.decisions import decisions_on, ids_of
        from exchange.settings import Settings
        from kakehashi.clusters import cluster_of
        from streams.rules.explain import explain as sentences
        from streams.rules.policy_set import load

        settings = Settings.from_env(os.environ)
        cluster = cluster_of(nation, settings, os.environ)
        found = decisions_on(cluster, ids_of(indicator), settings.shards)
        policy = load(nation, settings.policy_folder, version=settings.policy_version)
        shown = found if every else list({decision["partner"]: decision for decision in found}.values())
        for decision in shown:
            typer.echo(_headline(decision))
            for sentence in sentences(decision, policy):
                typer.echo(f"  {sentence}")


def _headline(decision: "Decision") -> str:
    outcome = decision["outcome"].upper()
    colour = {"RELEASE": typer.colors.GREEN, "HOLD": typer.colors.YELLOW}.get(outcome, typer.colors.RED)
    name = typer.style(outcome, fg=colour, bold=True)
    facts = (decision["indicator_id"], decision["decision_id"], utc(decision["at_ms"]))
    return f"{name} to {decision['partner']}  {'  '.join(facts)}"
