"""The decisions on an indicator with their reasons, for commands that show them."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import typer

from kakehashi.terminal import console, utc

if TYPE_CHECKING:
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings
    from schemas.records import Decision

_WIDE: Final = 100  # columns for a headline with the indicator's id


def decided(
    cluster: "Cluster", settings: "Settings", ids: Sequence[str], *, every: bool = False
) -> "Iterator[tuple[Decision, list[str]]]":
    """The last decision for each partner, or with ``every`` each one, and why in sentences; a border that is not open
    is one of them. Raises NotFound if there is no audit, BrokerUnavailable."""
    from consumers.queries.decisions import decisions_on
    from kakehashi.borders import closed_borders
    from kakehashi.published_rules import settings_and_roster
    from streams.rules.explain import explain as sentences
    from streams.rules.policy_set import load

    found = decisions_on(cluster, ids, settings.shards)
    shown = found if every else list({decision["partner"]: decision for decision in found}.values())
    if not shown:
        return
    settings, roster = settings_and_roster(cluster.nation)
    policy = load(cluster.nation, settings.policy_folder, version=settings.policy_version)
    borders = closed_borders(cluster, roster, settings)
    for decision in shown:
        border = borders.get(decision["partner"])
        yield decision, [*sentences(decision, policy), *([border] if border else [])]


def headline(decision: "Decision") -> str:
    """Its outcome, coloured, with the facts that name it."""
    from streams.rules.explain import was_sent

    outcome = decision["outcome"].upper()
    if outcome == "RELEASE" and not was_sent(decision):
        outcome = "NOT SENT"
    colour = {"RELEASE": typer.colors.GREEN, "HOLD": typer.colors.YELLOW}.get(outcome, typer.colors.RED)
    name = typer.style(outcome, fg=colour, bold=True)
    facts = [decision["indicator_id"], decision["decision_id"], utc(decision["at_ms"])]
    if sys.stdout.isatty() and console().width < _WIDE:
        del facts[0]  # the first sentence has it
    return f"{name} to {decision['partner']}  {'  '.join(facts)}"
