"""Produces without a cluster, and looks into the spool afterwards."""

from pathlib import Path
from typing import Any

from exchange.kafka.clients import Cluster
from producers.produce import Options, produce
from producers.report import observations_of
from producers.spool.batch import Sensor
from producers.spool.publisher import Publisher
from producers.spool.spool import QUARANTINED, REPORT, Spool
from producers.summary import Summary
from schemas.codec import QUARANTINED as QUARANTINED_SCHEMA
from schemas.codec import SENSOR_REPORT, Codec
from schemas.observation import Observation
from schemas.records import Quarantined, SensorReport
from tests.builders import NOW_MS

CODEC = Codec()
NOWHERE = Cluster("GBR", "127.0.0.1:1")  # no one answers there
SENSOR = Sensor("GBR", "edge-1")


class Unwatched:
    """A view that looks away."""

    def opened(self, *_: object) -> None:
        """See nothing."""

    def left_out(self, *_: object) -> None:
        """See nothing."""

    def gap(self, *_: object) -> None:
        """See nothing."""

    def failed(self, *_: object) -> None:
        """See nothing."""

    def progressed(self, *_: object) -> None:
        """See nothing."""


class OfflinePublisher(Publisher):
    """A sensor that is not connected: it reads, and sends nothing."""

    def pump(self, *_: object) -> None:
        """Send nothing."""

    def drain(self, *_: Any, **__: Any) -> None:
        """Wait for nothing."""


def run(spool: Spool, *files: Path | str, sensor: Sensor = SENSOR, **options: Any) -> Summary:
    """Read the files into the spool."""
    publisher = OfflinePublisher(NOWHERE, spool, sensor.name)
    named = Options(sensor, tuple(map(str, files)), **options)
    return produce(named, spool, publisher, Unwatched(), codec=CODEC, now_ms=lambda: NOW_MS)


def a_secret(path: Path, text: str) -> Path:
    """A file with these credentials, which others cannot read."""
    path.touch(0o600)
    path.write_text(text)
    return path


class LiveSensor:
    """A sensor that reads a live input into its spool, as ``produce`` does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def spool(self) -> Spool:
        """Its spool, which one at a time can have."""
        return Spool(self.folder / "spool", SENSOR.nation, SENSOR.name, NOW_MS)

    @property
    def rows(self) -> list[Observation]:
        """All that was spooled, in order."""
        with self.spool() as spool:
            return [row for report in reports_in(spool) for row in observations_of(report)]


def reports_in(spool: Spool) -> list[SensorReport]:
    """All reports that wait, in order."""
    entries = [entry for entry in spool.unsent(0, 1 << 30) if entry.kind == REPORT]
    return [CODEC.decode(SENSOR_REPORT, entry.payload) for entry in entries]  # type: ignore[misc]


def quarantined_in(spool: Spool) -> list[Quarantined]:
    """All refusals that wait, in order."""
    entries = [entry for entry in spool.unsent(0, 1 << 30) if entry.kind == QUARANTINED]
    return [CODEC.decode(QUARANTINED_SCHEMA, entry.payload) for entry in entries]  # type: ignore[misc]


def values_in(spool: Spool) -> list[str]:
    """All values that wait, in order."""
    return [value for report in reports_in(spool) for value in report["values"]]
