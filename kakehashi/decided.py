"""The decisions on an indicator with their reasons, for commands that show them."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import typer

from kakehashi.terminal import console, utc

if TYPE_CHECKING:
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings
    from schemas.records import Decision, Indicator

_WIDE: Final = 100  # columns for a headline with the indicator's id


def decided(
    cluster: "Cluster", settings: "Settings", ids: Sequence[str], *, every: bool = False
) -> "Iterator[tuple[Decision, list[str]]]":
    """The last decision for each partner, or with ``every`` each one, and why in sentences: with the warninglists that
    have the value, the labels that stay in the nation, and a border that is not open. Raises NotFound if there is no
    audit, BrokerUnavailable."""
    from consumers.queries.decisions import decisions_on
    from consumers.queries.values import national_records
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
    records = national_records(cluster, {decision["indicator_id"] for decision in shown}, settings.shards)
    for decision in shown:
        border, record = borders.get(decision["partner"]), records.get(decision["indicator_id"])
        own = [] if record is None else _own(record, cluster.nation)
        yield decision, [*sentences(decision, policy), *own, *([border] if border else [])]


def _own(record: "Indicator", nation: str) -> "Iterator[str]":
    """What only the nation's own record has."""
    from streams.rules.labels import may_leave

    if record["warninglists"]:
        yield f"Its value is on these warninglists now: {', '.join(record['warninglists'])}."
    kept = [label for label in record["labels"] if not may_leave(label)]
    if kept:
        yield f"These labels stay in {nation}, because no vocabulary of the policy has them: {', '.join(kept)}."


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
