"""Runs ``kakehashi produce --dry-run``: reads the inputs, and prints what would become of each piece of them."""

from collections.abc import Iterator

import typer

from exchange.clock import now_ms
from exchange.errors import Exit
from exchange.settings import Settings
from kakehashi.dry_run import DryRun
from kakehashi.dry_run_view import Counts, Table, as_json
from kakehashi.fates import REFUSE, Fate, Judge
from producers.inputs import Input, printable
from producers.paced import paced
from producers.produce import STANDARD_INPUT, Options, opened
from producers.readers.formats import readings_of
from streams.correlate.lifecycle import Lifetimes
from streams.enrichment.installed import installed_enricher
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load

_REST_S = 0.5


def dry_run(options: Options, settings: Settings, partner: str, *, json: bool, strict: bool) -> Exit:
    """Print the fates, then the counts; with ``json`` those go to standard error. Nothing is sent or written.

    ``partner`` is empty for all partners. Raises ConfigurationError for a partner without a link, and for a policy
    that cannot be used.
    """
    nation = options.sensor.nation
    if partner:
        settings.agreement(nation, partner)
    partners = (partner,) if partner else settings.partners(nation)
    policy = load(nation, settings.policy_folder, version=settings.policy_version)
    lifetimes = Lifetimes.load(settings.policy_version, settings.policy_folder)
    judge = Judge(partners, Classifier(Engine(policy)), installed_enricher(), lifetimes, now_ms())
    counts, table = Counts(), Table()
    for fate in _fates(options, DryRun(options.sensor, judge)):
        counts.add(fate)
        for line in [as_json(fate)] if json else table.lines(fate):
            typer.echo(line)
    titles = {rule.id: rule.title for rule in policy.rules.values()}
    for line in counts.lines(partners, titles, policy.version[:12]):
        typer.echo(line, err=json)
    return Exit.REFUSED if strict and counts.outcomes[REFUSE] else Exit.OK


def _fates(options: Options, run: DryRun) -> Iterator[Fate]:
    for name in options.files:
        with opened(name) as stream:
            source = Input(printable(name), stream, encoding=options.defaults.encoding)
            readings, _ = readings_of(source, options.format, options.defaults)
            yield from run.fates(paced(readings, _REST_S) if name == STANDARD_INPUT else readings)
