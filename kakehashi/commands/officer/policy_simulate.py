"""``kakehashi policy simulate``: decides recorded traffic again under other rules."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from exchange import clock
from kakehashi.conventions import group_of
from kakehashi.examples import examples
from kakehashi.terminal import printable
from schemas.counting import counted

if TYPE_CHECKING:
    from streams.rules.policy_set import PolicySet
    from streams.rules.simulate import Simulation

_EXAMPLES = examples(
    ("kakehashi policy simulate ./draft --nation GBR --window 7d", "against what is in force, on a week's decisions"),
)
_UNITS = {"h": 3_600_000, "d": 86_400_000}


def register(app: typer.Typer) -> None:
    """Add the command to ``kakehashi policy``."""
    group_of(app, "policy").command(epilog=_EXAMPLES)(simulate)


def simulate(
    new: Annotated[Path, typer.Argument(help="The policy folder that is to follow what is in force.")],
    nation: Annotated[str, typer.Option(help="Whose recorded decisions, for example GBR.")],
    window: Annotated[str, typer.Option(help="How far back: 12h, 7d.")] = "7d",
) -> None:
    """Decide recorded traffic again under NEW: what would newly be released, held and withheld, with examples.

    By the rules alone: an officer's veto stays in any case, and a verdict answers only the question that was asked.
    """
    from consumers.queries.values import values_of
    from kakehashi.published_rules import published_rules
    from streams.rules.policy_set import load

    window_ms(window)
    rules = published_rules(nation)
    old = rules.history.at(clock.now_ms()).policy_set
    result = simulation(nation, window, old, load(nation, new, version=rules.settings.policy_version))
    ids = {each.indicator_id for examples_of in result.examples.values() for each in examples_of}
    show(result, values_of(rules.cluster, ids, rules.settings.shards))


def simulation(nation: str, window: str, old: "PolicySet", new: "PolicySet") -> "Simulation":
    """The decisions of a window under both sets."""
    from consumers.queries.values import national_records
    from exchange.errors import Refused
    from exchange.settings import Settings
    from kakehashi.clusters import cluster_of
    from streams.audit.log import AuditLog
    from streams.rules.engine import Engine
    from streams.rules.simulate import simulate as simulated

    settings = Settings.from_env(os.environ)
    cluster = cluster_of(nation, settings, os.environ)
    log = AuditLog(cluster, settings.shards)
    since_ms = clock.now_ms() - window_ms(window)
    decisions = (
        entry.decision
        for shard in range(settings.shards)
        for entry in log.entries(shard, since_ms)
        if entry.decision is not None
    )
    try:
        return simulated(
            decisions, Engine(old), Engine(new), lambda ids: national_records(cluster, ids, settings.shards)
        )
    except ValueError as error:
        raise Refused(str(error)) from error


def show(result: "Simulation", values: Mapping[str, str] = MappingProxyType({})) -> None:
    """Print the result. ``values`` are by id: an example is shown with its value if it is known."""
    typer.echo(
        f"{counted(result.indicators, 'indicator')}: {result.newly_released} newly released, "
        f"{result.no_longer_released} no longer released, {result.other_obligations} with other obligations"
    )
    if result.unreadable:
        typer.echo(f"{result.unreadable} could not be decided again: their records have another schema")
    for (before, after), count in sorted(result.changes.items()):
        typer.echo(f"{before} → {after}: {count}")
        for each in result.examples[before, after]:
            was, now = ", ".join(each.rules_before), ", ".join(each.rules_after)
            value = printable(values.get(each.indicator_id, ""))
            name = f"{value}  {each.indicator_id}" if value else each.indicator_id
            typer.echo(f"  {name} to {each.partner} ({each.decision_id}): by {was}; now by {now}")


def window_ms(words: str) -> int:
    """The length of a window in milliseconds."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([hd])", words)
    if found is None:
        raise typer.BadParameter(f"{words}: so many hours or days, for example 12h or 7d")
    return int(found[1]) * _UNITS[found[2]]
