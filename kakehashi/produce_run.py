"""Runs ``kakehashi produce`` and ``kakehashi sensor run``: wires spool, publisher and view, and prints the result."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from exchange.clock import now_ms
from exchange.errors import ConfigurationError, Exit
from exchange.kafka.clients import Cluster
from exchange.metrics.kinds import Role
from exchange.metrics.labels import HitFate
from exchange.metrics.registry import serve
from exchange.role import metrics_of
from exchange.settings import Settings
from kakehashi.produce_recalls import ask
from kakehashi.produce_view import show_summary, waiting_in, watching
from kakehashi.terminal import console
from producers.fetch import fetched, is_url
from producers.follow.follow import follow
from producers.follow.places import files_at, files_of, folders_at, is_one_file, why_none
from producers.inputs import name_in_utf8
from producers.live.documents import Document, Gap, LiveInput
from producers.live.feed import Live
from producers.live.kinds import Kind, followed_kind_of, kind_of, reads
from producers.meter import Meter
from producers.produce import Options, View, produce
from producers.profile.model import Profile
from producers.profile.options import Plan, plans_of
from producers.signing import signing
from producers.source import STANDARD_INPUT
from producers.spool.batch import Kept, Sensor
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool, folder_of
from producers.stop import Stop
from producers.summary import Summary
from schemas.codec import QUARANTINED, SENSOR_REPORT, SENSOR_REPORT_V2, Codec
from schemas.counting import counted


@dataclass(frozen=True, slots=True)
class Command:
    """A valid profile, and what is asked of this run alone. ``file`` is the profile's, None if options made it."""

    profile: Profile
    file: Path | None = None
    again: bool = False
    strict: bool = False
    json: bool = False
    explain_skips: bool = False
    accept_removals: bool = False
    yes: bool = False

    def plans(self, settings: Settings) -> list[Plan]:
        """The inputs, in order. Raises ConfigurationError for a bad list of reviewed values."""
        return plans_of(self.profile, settings.nations, again=self.again, accept_removals=self.accept_removals)


def run_dry(command: Command, partner: str, settings: Settings) -> Exit:
    """Print what the inputs would become.

    Raises ``typer.BadParameter`` without an input, ConfigurationError for a profile without one.
    """
    from kakehashi.produce_dry import dry_run

    if not command.profile.inputs and command.file is not None:
        raise ConfigurationError(
            f"{command.file}: `inputs` has no entry, so nothing is read: name a file or a feed there"
        )
    if not command.profile.inputs:
        raise typer.BadParameter("--dry-run needs a file, or - for standard input")
    with TemporaryDirectory() as folder:
        runs = (
            _of_now(found, is_rehearsal=True) if plan.is_followed and not found.is_document else found
            for plan in command.plans(settings)
            for found in _runs(plan, Path(folder), is_rehearsal=True, stop=Stop())
            if isinstance(found, Options)
        )
        return dry_run(
            Sensor(command.profile.nation, command.profile.sensor),
            runs,
            settings,
            partner,
            json=command.json,
            strict=command.strict,
        )


def run(command: Command, settings: Settings, cluster_of: Callable[[], Cluster]) -> Exit:
    """Produce, and print the result. Raises Refused if another process produces as this sensor."""
    profile, plans = command.profile, command.plans(settings)
    cluster = cluster_of()
    where = f"{cluster.nation}'s Kafka at {cluster.bootstrap}"
    out, err = console(), console(stderr=True)
    folder = folder_of(settings.home, profile.nation, profile.sensor)
    stop = Stop()
    codec = cluster.codec(SENSOR_REPORT, SENSOR_REPORT_V2, QUARANTINED)
    sign = signing(codec, Path(profile.key) if profile.key else settings.sensor_key)
    with Spool(folder, profile.nation, profile.sensor, now_ms()) as spool:
        publisher, summary = Publisher(cluster, spool, profile.sensor, sign), Summary()
        try:
            for options, live in _acts(plans, folder / "fetched", stop, summary):
                is_followed = live is not None
                now = _of_now(options) if is_followed and options.files else options
                for each in (now, *(one.options for one in live or ())):
                    if not command.yes:
                        ask(each, spool, settings.partners(profile.nation), cluster)
                total = None if is_followed else _total(options.files)
                act = produce if live is None else partial(follow, live=live)
                with (
                    stop.on_signals(),
                    watching(err, where, total, explain_skips=command.explain_skips) as watcher,
                ):
                    metered(act, options, spool, publisher, watcher, settings, codec, stop, summary)
        except (KeyboardInterrupt, typer.Abort):
            if any(plan.is_followed for plan in plans):  # its only end
                show_summary(out, summary, publisher, where, json=command.json, has_again=False)
            err.print(
                f"stopped. {waiting_in(spool)} in {folder}: the same command goes on from here",
                markup=False,
            )
            return Exit.INTERRUPTED
        show_summary(out, summary, publisher, where, json=command.json, has_again=command.file is None)
    stopped = summary.kept is not None or summary.unreviewed or (command.strict and summary.rejected)
    return Exit.REFUSED if stopped else Exit.OK


def metered(
    act: Callable[..., Summary],
    options: Options,
    spool: Spool,
    publisher: Publisher,
    watcher: View,
    settings: Settings,
    codec: Codec,
    stop: Stop,
    summary: Summary,
    fates: Mapping[str, HitFate] | None = None,
) -> None:
    """Produce or follow, counting on ``summary``, with a page of metrics if the settings name a port.

    With ``fates`` the inputs are hits, and they count by these rules.
    """
    if not settings.metrics_port:
        act(options, spool, publisher, watcher, codec=codec, now_ms=now_ms, stop=stop, summary=summary)
        return
    nation = options.sensor.nation
    metrics = metrics_of(Role.PRODUCE, nation, settings.partners(nation), ())
    page = serve(metrics, settings.metrics_port, settings.metrics_address)
    try:
        meter = Meter(metrics, watcher, spool, publisher, now_ms, fates)
        act(options, spool, publisher, meter, codec=codec, now_ms=now_ms, stop=stop, summary=summary)
        meter.finish(summary)
    finally:
        page.close()


def _acts(plans: list[Plan], folder: Path, stop: Stop, summary: Summary) -> Iterator[tuple[Options, list[Live] | None]]:
    """The readings, one after the other: inputs that end, and then all that is followed, with its live inputs."""
    for found in (found for plan in plans if not plan.is_followed for found in _runs(plan, folder, stop=stop)):
        if isinstance(found, Options):
            yield found, None
        elif isinstance(found, Kept):
            summary.keep(found)
        else:
            summary.gaps.append(found.text)
    followed = [plan for plan in plans if plan.is_followed]
    if followed:
        lives = [
            Live(kind, _place(plan, name, folder, stop=stop), kind.options_of(plan.options))
            for plan in followed
            for name in plan.options.files
            if (kind := _kind(plan, name)) is not None
        ]
        # Files that are followed are read alike, so that one plan has all of them (producers.profile.rules).
        of_files = next((plan for plan in followed if _not_live(plan)), followed[0])
        yield replace(of_files.options, files=_not_live(of_files), snapshot=None), lives


def _kind(plan: Plan, name: str) -> Kind | None:
    return followed_kind_of(name) if plan.is_followed else kind_of(name)


def _not_live(plan: Plan) -> tuple[str, ...]:
    return tuple(name for name in plan.options.files if _kind(plan, name) is None)


def _runs(plan: Plan, folder: Path, *, is_rehearsal: bool = False, stop: Stop) -> Iterator[Options | Kept | Gap]:
    """The readings, one after the other: a live input makes its next document once the last one was read."""
    names, others = plan.options.files, _not_live(plan)
    if others or not names:
        yield replace(plan.options, files=others if plan.is_followed else _files(others, folder))
    for name in names:
        if (kind := _kind(plan, name)) is not None:
            options = kind.options_of(plan.options)
            for found in kind.documents(_place(plan, name, folder, is_rehearsal=is_rehearsal, stop=stop)):
                yield reads(options, found) if isinstance(found, Document) else found


def _place(plan: Plan, name: str, folder: Path, *, is_rehearsal: bool = False, stop: Stop) -> LiveInput:
    agreed = plan.options.accept_removals
    is_followed = plan.is_followed and not is_rehearsal
    return LiveInput(
        name, folder, plan.credentials, plan.authorities, plan.reviewed, is_rehearsal, is_followed, agreed, stop
    )


def _files(places: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """The files to read: those of a folder or pattern; of the address of a feed, the one with its present content."""
    found: list[str] = []
    for place in places:
        files = [str(fetched(place, folder))] if is_url(place) else files_of(place)
        if not files:
            _report_nothing((place,))
        if not is_one_file(place) and (folders := folders_at(place)):
            name = name_in_utf8(place)
            typer.echo(f"{name}: files of {counted(folders, 'folder')} in it are not read: name them", err=True)
        found += files
    return tuple(found)


def _of_now(options: Options, *, is_rehearsal: bool = False) -> Options:
    """The files that are there now of what is followed; a place without any is a line on standard error.

    One that cannot be read is, too, in a rehearsal: else following reports it.
    """
    found: list[str] = []
    for place in options.files:
        trouble = why_none(place)
        files = [] if trouble else list(map(str, files_at(place)))
        if trouble and is_rehearsal:
            typer.echo(f"{name_in_utf8(place)} {trouble}", err=True)
        elif not (files or trouble):
            _report_nothing((place,))
        found += files
    return replace(options, files=tuple(found))


def _report_nothing(places: tuple[str, ...]) -> None:
    typer.echo(f"no file is there yet at {', '.join(map(name_in_utf8, places))}", err=True)


def _is_elsewhere(name: str) -> bool:
    return name == STANDARD_INPUT or is_url(name)


def _total(files: tuple[str, ...]) -> int | None:
    """How many bytes there are to read; ``None`` if one of the inputs is a pipe."""
    if any(_is_elsewhere(name) or not Path(name).is_file() for name in files):
        return None
    return sum(Path(name).stat().st_size for name in files)
