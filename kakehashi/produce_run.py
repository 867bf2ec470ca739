"""Runs ``kakehashi produce``: checks the options, wires spool, publisher and view, and prints the result."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from exchange.clock import now_ms
from exchange.errors import Exit
from exchange.kafka.clients import Cluster
from exchange.metrics.kinds import Role
from exchange.metrics.registry import serve
from exchange.role import metrics_of
from exchange.settings import Settings
from kakehashi.conventions import check_recipients, one_of
from kakehashi.produce_recalls import ask
from kakehashi.produce_view import as_json, closing_lines, watching
from kakehashi.terminal import console
from producers.fetch import fetched, is_url
from producers.follow.follow import follow
from producers.follow.places import files_at
from producers.inputs import is_wide, name_in_utf8
from producers.markings.marked import is_caveat
from producers.meter import Meter
from producers.produce import Options, Summary, View, produce
from producers.readers.reading import Defaults
from producers.reviewed import reviewed_values
from producers.signing import signing
from producers.source import STANDARD_INPUT
from producers.spool.batch import Sensor
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool, folder_of
from producers.stop import Stop
from schemas.codec import QUARANTINED, SENSOR_REPORT, SENSOR_REPORT_V2, Codec
from schemas.counting import counted
from schemas.markings import Caveat, Pap, SourceMarking, Tlp, understand


@dataclass(frozen=True, slots=True)
class Command:
    """The options as they were written."""

    nation: str
    sensor: str
    files: tuple[str, ...]
    format: str
    tlp: str
    pap: str
    releasable_to: tuple[str, ...] | None
    caveats: tuple[str, ...]
    confidence: int
    labels: tuple[str, ...]
    home_networks: tuple[str, ...]
    include: frozenset[str]
    reviewed: Path | None
    encoding: str
    columns: tuple[str, ...]
    date_format: str
    rate: int
    again: bool
    deadline_s: float | None
    strict: bool
    json: bool
    explain_skips: bool
    snapshot: bool
    feed: str
    accept_removals: bool
    yes: bool
    follow: bool
    sensor_key: Path | None = None


def run_dry(command: Command, partner: str, settings: Settings) -> Exit:
    """Print what the inputs would become. Raises ``typer.BadParameter`` for an invalid option."""
    from kakehashi.produce_dry import dry_run

    options = _options(command, settings.nations)
    if not options.files:
        raise typer.BadParameter("--dry-run needs a file, or - for standard input")
    with TemporaryDirectory() as folder:
        options = replace(options, files=_fetched(options.files, Path(folder)))
        return dry_run(options, settings, partner, json=command.json, strict=command.strict)


def run(command: Command, settings: Settings, cluster_of: Callable[[], Cluster]) -> Exit:
    """Produce, and print the result. Raises ``typer.BadParameter`` for an invalid option, before it needs a cluster."""
    options = _options(command, settings.nations)
    cluster = cluster_of()
    where = f"{cluster.nation}'s Kafka at {cluster.bootstrap}"
    out, err = console(), console(stderr=True)
    folder = folder_of(settings.home, command.nation, command.sensor)
    stop = Stop()
    codec = cluster.codec(SENSOR_REPORT, SENSOR_REPORT_V2, QUARANTINED)
    sign = signing(codec, command.sensor_key or settings.sensor_key)
    with Spool(folder, command.nation, command.sensor, now_ms()) as spool:
        options = replace(options, files=_fetched(options.files, folder / "fetched"))
        publisher = Publisher(cluster, spool, command.sensor, sign)
        try:
            if not command.yes:
                now = replace(options, files=_there_now(options.files)) if command.follow else options
                ask(now, spool, settings.partners(command.nation), cluster)
            if command.follow and not _there_now(options.files):
                err.print(
                    f"no file is there yet: waiting for {', '.join(map(name_in_utf8, options.files))}", markup=False
                )
            total = None if command.follow else _total(options.files)
            act = follow if command.follow else produce
            with (
                stop.on_signals(),
                watching(err, where, total, explain_skips=command.explain_skips) as watcher,
            ):
                summary = _produced(act, options, spool, publisher, watcher, settings, codec, stop)
        except (KeyboardInterrupt, typer.Abort):
            err.print(
                f"stopped. {counted(spool.pending_reports, 'report')} in {folder}: the same command goes on from here",
                markup=False,
            )
            return Exit.INTERRUPTED
        lines = [as_json(summary, publisher)] if command.json else closing_lines(summary, publisher, where)
        for line in lines:
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    stopped = summary.kept is not None or (command.strict and bool(summary.rejected))
    return Exit.REFUSED if stopped else Exit.OK


def _produced(
    act: Callable[..., Summary],
    options: Options,
    spool: Spool,
    publisher: Publisher,
    watcher: View,
    settings: Settings,
    codec: Codec,
    stop: Stop,
) -> Summary:
    if not settings.metrics_port:
        return act(options, spool, publisher, watcher, codec=codec, now_ms=now_ms, stop=stop)
    nation = options.sensor.nation
    metrics = metrics_of(Role.PRODUCE, nation, settings.partners(nation), ())
    page = serve(metrics, settings.metrics_port, settings.metrics_address)
    try:
        meter = Meter(metrics, watcher, spool, publisher, now_ms)
        summary = act(options, spool, publisher, meter, codec=codec, now_ms=now_ms, stop=stop)
        meter.finish(summary)
    finally:
        page.close()
    return summary


def _options(command: Command, nations: tuple[str, ...]) -> Options:
    marking = _marking(command, nations)
    if command.feed and not command.snapshot:
        raise typer.BadParameter("--feed names a snapshot: add --snapshot")
    if command.snapshot and (not command.files or STANDARD_INPUT in command.files):
        raise typer.BadParameter("--snapshot needs files: whether standard input was whole cannot be known")
    try:
        is_wide(command.encoding)
    except LookupError as error:
        raise typer.BadParameter(f"--encoding {command.encoding}: no such encoding") from error
    if command.follow:
        _check_follow(command)
    unreadable = (
        []
        if command.follow
        else [name for name in command.files if not _is_elsewhere(name) and not _is_readable(Path(name))]
    )
    if unreadable:
        raise typer.BadParameter(f"no readable file: {', '.join(map(name_in_utf8, unreadable))}")
    return Options(
        sensor=Sensor(command.nation, command.sensor),
        files=command.files,
        format=command.format,
        defaults=Defaults(
            marking=marking,
            confidence=command.confidence,
            labels=command.labels,
            encoding=command.encoding,
            columns=command.columns,
            date_format=command.date_format,
            home_networks=tuple(_network(text) for text in command.home_networks),
            include=command.include,
            reviewed=None if command.reviewed is None else reviewed_values(command.reviewed),
        ),
        rate=command.rate,
        again=command.again,
        snapshot=command.feed if command.snapshot else None,
        accept_removals=command.accept_removals,
        deadline_s=command.deadline_s,
    )


def _check_follow(command: Command) -> None:
    if not command.files or STANDARD_INPUT in command.files:
        raise typer.BadParameter("--follow needs files, folders or patterns: a pipe is followed without it")
    if any(map(is_url, command.files)):
        raise typer.BadParameter(
            "--follow cannot follow a feed by HTTP: run the command from cron, it fetches what is new"
        )
    if command.snapshot or command.again:
        raise typer.BadParameter("--follow reads what is added: it goes neither with --snapshot nor with --again")


def _fetched(files: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """The same inputs; of the address of a feed, the file with its present content."""
    return tuple(str(fetched(name, folder)) if is_url(name) else name for name in files)


def _there_now(places: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(path) for place in places for path in files_at(place))


def _marking(command: Command, nations: tuple[str, ...]) -> SourceMarking:
    """The marking that the options state. A wrong label here would hold all of a feed, so it is refused."""
    if Caveat.UNRECOGNISED in understand(SourceMarking(tlp=command.tlp)).caveats:
        one_of("--tlp", command.tlp, (tlp.label for tlp in Tlp))
    if Caveat.UNRECOGNISED in understand(SourceMarking(pap=command.pap)).caveats:
        one_of("--pap", command.pap, (pap.label for pap in Pap))
    if Caveat.UNRECOGNISED in understand(SourceMarking(releasable_to=command.releasable_to)).caveats:
        raise typer.BadParameter("--releasable-to: ISO 3166-1 alpha-3 codes, as GBR or JPN")
    check_recipients(command.releasable_to or (), nations)
    unknown = [caveat for caveat in command.caveats if not is_caveat(caveat)]
    if unknown:
        one_of("--caveat", unknown[0], (caveat.value for caveat in Caveat if caveat is not Caveat.UNRECOGNISED))
    return SourceMarking(command.tlp, command.pap, command.releasable_to, command.caveats)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise typer.BadParameter(f"--home-net {text}: an address or network, as 198.51.100.0/24") from error


def _is_elsewhere(name: str) -> bool:
    return name == STANDARD_INPUT or is_url(name)


def _is_readable(path: Path) -> bool:
    return path.exists() and not path.is_dir() and os.access(path, os.R_OK)


def _total(files: tuple[str, ...]) -> int | None:
    """How many bytes there are to read; ``None`` if one of the inputs is a pipe."""
    if any(_is_elsewhere(name) or not Path(name).is_file() for name in files):
        return None
    return sum(Path(name).stat().st_size for name in files)
