"""``kakehashi sighting follow``: the run that follows a tool's logs, and keeps the picture beside it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from consumers.picture.keeping import Keeping
from consumers.picture.shared import Shared
from consumers.picture.tables import path_of
from exchange.clock import now_ms
from exchange.errors import Exit, TransientError
from exchange.kafka.clients import Cluster
from exchange.role import end_at_once
from exchange.settings import Settings
from kakehashi.hits import reader_of
from kakehashi.picture_of import bring_up_to_date, origins_of
from kakehashi.produce_run import metered
from kakehashi.produce_view import show_summary, watching
from kakehashi.sighting_ends import Ends
from kakehashi.terminal import console
from producers.beside import Beside
from producers.follow.follow import follow
from producers.follow.places import files_at
from producers.hits.hit import FATES
from producers.produce import Options, produce
from producers.signing import signing
from producers.spool.batch import Sensor
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool, folder_of
from producers.stop import Stop, Stopped
from producers.summary import Summary
from schemas.codec import QUARANTINED, SENSOR_REPORT, SENSOR_REPORT_V2, Codec
from schemas.counting import counted


@dataclass(frozen=True, slots=True)
class Following:
    """What is followed, and how its hits are reported. With ``once`` the files are read to their present end."""

    files: tuple[str, ...]
    format: str
    partner: str
    tlp: str
    sensor: Sensor
    key: Path | None
    once: bool
    json: bool
    explain_skips: bool


def run(asked: Following, cluster: Cluster, settings: Settings) -> Exit:
    """Report hits until asked to stop. Raises Refused if another process reports as this sensor."""
    catch_up(cluster, settings)
    path, nation = path_of(settings.home, cluster.nation), cluster.nation
    keeping = Keeping(path, nation, origins_of(cluster, settings), cluster.codec(), now_ms, end_at_once).start()
    reader = reader_of(asked.format, path, nation, asked.partner, asked.tlp)
    try:
        return _report(asked, Options(asked.sensor, asked.files, format=reader), cluster, settings)
    finally:
        keeping.stop()


def catch_up(cluster: Cluster, settings: Settings) -> None:
    """Bring the picture up to date. If no broker answers, the run begins with the picture that there is, and what it
    reports is on disk until one does. Raises TransientError if there is no picture."""
    try:
        bring_up_to_date(cluster, settings)
    except TransientError as error:
        if not path_of(settings.home, cluster.nation).exists():
            raise
        typer.echo(f"kakehashi: {error}. The picture of this machine is used meanwhile.", err=True)


@contextmanager
def _ends(asked: Following, cluster: Cluster, settings: Settings, codec: Codec) -> Iterator[Ends]:
    path = path_of(settings.home, cluster.nation)
    with closing(Shared(path, cluster.nation, asked.partner, now_ms)) as shared:
        yield Ends(shared, asked.partner, asked.sensor, codec, now_ms)


def _report(asked: Following, options: Options, cluster: Cluster, settings: Settings) -> Exit:
    where = f"{cluster.nation}'s Kafka at {cluster.bootstrap}"
    out, err, stop = console(), console(stderr=True), Stop()
    codec = cluster.codec(SENSOR_REPORT, SENSOR_REPORT_V2, QUARANTINED)
    sign = signing(codec, asked.key or settings.sensor_key)
    folder = folder_of(settings.home, cluster.nation, asked.sensor.name)
    with Spool(folder, cluster.nation, asked.sensor.name, now_ms()) as spool:
        publisher, summary, ended = Publisher(cluster, spool, asked.sensor.name, sign), Summary(), Exit.OK
        act: Callable[..., Summary] = produce if asked.once else follow
        if not asked.once and not any(True for each in options.files for _ in files_at(each)):
            err.print(f"no file is there yet: waiting for {', '.join(options.files)}", markup=False)
        try:
            with (
                stop.on_signals(),
                watching(err, where, None, explain_skips=asked.explain_skips) as watcher,
                _ends(asked, cluster, settings, codec) as ends,
            ):
                ends.look(spool, summary)
                view = Beside(watcher, ends.look)
                metered(act, options, spool, publisher, view, settings, codec, stop, summary, fates=FATES)
        except Stopped:
            err.print(f"stopped. {counted(spool.pending_reports, 'report')} in {folder}", markup=False)
            ended = Exit.INTERRUPTED
        show_summary(out, summary, publisher, where, json=asked.json, has_again=False)
    return ended
