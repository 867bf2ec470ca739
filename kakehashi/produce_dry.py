"""Runs ``kakehashi produce --dry-run``: reads the inputs, and prints what would become of each piece of them."""

from collections.abc import Iterable
from itertools import chain

import typer

from exchange.clock import now_ms
from exchange.errors import Exit
from exchange.settings import Settings
from kakehashi.dry_run import DryRun
from kakehashi.dry_run_view import WIDTH, Counts, Table, as_json, folded
from kakehashi.fates import REFUSE, Fate, Judge
from kakehashi.terminal import console, printable
from producers.default_marking import DefaultMarking
from producers.inputs import OpenInput, name_in_utf8
from producers.produce import Options
from producers.readers.formats import readings_of
from producers.source import opened
from producers.spool.batch import Sensor
from producers.stop import Stop
from streams.correlate.lifecycle import Lifetimes
from streams.enrichment.installed import installed_enricher
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load


def dry_run(
    sensor: Sensor, runs: Iterable[Options], settings: Settings, partner: str, *, json: bool, strict: bool
) -> Exit:
    """Print the fates, then the counts; with ``json`` those go to standard error. Nothing is sent or written.

    ``partner`` is empty for all partners. Raises ConfigurationError for a partner without a
    link, and for a policy that cannot be used.
    """
    nation = sensor.nation
    if partner:
        settings.agreement(nation, partner)
    partners = (partner,) if partner else settings.partners(nation)
    policy = load(nation, settings.policy_folder, version=settings.policy_version)
    lifetimes = Lifetimes.load(settings.policy_version, settings.policy_folder)
    judge = Judge(partners, Classifier(Engine(policy)), installed_enricher(), lifetimes, now_ms())
    width = max(WIDTH, console().width)
    counts, table, run, marked = Counts(width), Table(width), DryRun(sensor, judge), DefaultMarking()

    unreviewed: list[str] = []

    def show(fates: Iterable[Fate]) -> None:
        for fate in fates:
            counts.add(fate)
            for line in [as_json(fate)] if json else table.lines(fate):
                typer.echo(line)

    for options, name in ((each, name) for each in runs for name in each.files):
        with opened(name, lambda: show(run.rest()), Stop()) as stream:
            source = OpenInput(name_in_utf8(name), stream, encoding=options.defaults.encoding)
            readings, reader = readings_of(source, options.format, options.defaults)
            if reader is not None and reader.is_reviewed and options.defaults.reviewed is None:
                unreviewed.append(f"{printable(source.name)}: a report in prose, published only with --reviewed")
            show(run.fates(marked.counting(readings, options.defaults)))
    titles = {rule.id: rule.title for rule in policy.rules.values()}
    lines = (
        *chain.from_iterable(folded(line, "", width) for line in (*unreviewed, *marked.lines())),
        *counts.lines(partners, titles, policy.version[:12]),
    )
    for line in lines:
        typer.echo(line, err=json)
    return Exit.REFUSED if strict and counts.outcomes[REFUSE] else Exit.OK
