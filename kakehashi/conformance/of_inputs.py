"""Facts of inputs: files through the readers, as ``kakehashi produce`` takes them, and then through intake's laws."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedRandom, BufferedReader
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO

from exchange.errors import ConfigurationError, Refused
from kakehashi.conformance.statements import statements
from producers.admission import admitted
from producers.conformance.facts import Ended, Fact, FactPlace, Listed, Skipped, Statement, Unread
from producers.conformance.report import Fed
from producers.inputs import OpenInput, name_in_utf8
from producers.produce import Options
from producers.readers.formats import readings_of
from producers.readers.reading import LeftOut, Reading, Rejected, Seen, Withdrawn
from producers.report import MAX_OBSERVATIONS, report_of
from producers.source import STANDARD_INPUT
from schemas.observation import Observation
from schemas.vocabulary import RejectReason
from streams.intake.collapse import Normaliser


class Inputs:
    """Reads inputs, and remembers what they were: ``fed`` has each with its digest, once it was read."""

    def __init__(self, nation: str, sensor: str, now_ms: int) -> None:
        self.fed: list[Fed] = []
        self._nation, self._sensor, self._now_ms = nation, sensor, now_ms
        self._normaliser = Normaliser()

    def facts(self, options: Options) -> Iterator[Fact]:
        """The facts of these inputs. Raises ConfigurationError if one cannot be read, and Refused if it changes."""
        for name in options.files:
            with _opened(name) as stream:
                digest, size = _digest(stream)
                before = os.fstat(stream.fileno())
                yield from self._of(name_in_utf8(name), stream, options)
                after = os.fstat(stream.fileno())
                if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                    raise Refused(f"{name_in_utf8(name)} was written while it was read: check a copy of it")
            self.fed.append(Fed(name=name_in_utf8(name), sha256=digest, size=size))

    def listed(self, options: Options) -> Iterator[Fact]:
        """The same inputs as the source's own list: what it asserts now, and where it cannot be read."""
        for fact in self.facts(options):
            if isinstance(fact, Statement):
                if fact.refused is not None:
                    yield Unread(fact.place, fact.refused, is_listed=True)
                elif not fact.is_withdrawal:
                    yield Listed(fact.place, fact.key)
            elif isinstance(fact, Unread):
                yield Unread(fact.place, fact.reason, fact.is_whole, is_listed=True)
            elif isinstance(fact, Ended) and fact.is_damaged:
                yield Unread(fact.place, RejectReason.TRUNCATED, is_whole=True, is_listed=True)

    def _of(self, name: str, stream: BinaryIO, options: Options) -> Iterator[Fact]:
        source = OpenInput(name, stream, encoding=options.defaults.encoding)
        readings, _ = readings_of(source, options.format, options.defaults)
        rows: list[Observation] = []
        places: list[FactPlace] = []
        for reading in readings:
            taken = _taken(reading)
            if isinstance(taken, Observation):
                rows.append(taken)
                places.append(FactPlace(name, reading.place.line))
                if len(rows) == MAX_OBSERVATIONS:
                    yield from self._statements(rows, places)
                    rows, places = [], []
            elif taken is not None:
                yield taken
        yield from self._statements(rows, places)
        yield Ended(FactPlace(name, 0), bool(source.damage))

    def _statements(self, rows: list[Observation], places: list[FactPlace]) -> Iterable[Statement]:
        report = report_of(
            rows,
            nation=self._nation,
            sensor=self._sensor,
            epoch=1,
            sequence=0,
            produced_at_ms=self._now_ms,
            tool="",
        )
        return statements(report, places.__getitem__, self._now_ms, self._normaliser)


def _taken(reading: Reading) -> Observation | Fact | None:
    """The result of one piece: an observation or withdrawal, a fact, or nothing if it is no piece of the input."""
    if isinstance(reading, Seen):
        fitting = admitted(reading)
        if isinstance(fitting, Seen):
            return fitting.observation
        reading = fitting
    place = FactPlace(reading.place.file, reading.place.line)
    if isinstance(reading, Rejected):
        return Unread(place, reading.reason, is_whole=reading.place.line == 0)
    if isinstance(reading, Withdrawn) and not reading.implied:
        return Observation(kind=reading.kind, value=reading.value, withdrawal=reading.withdrawal)
    return Skipped(place, reading.rule) if isinstance(reading, LeftOut) else None


@contextmanager
def _opened(name: str) -> Iterator[BufferedReader | BufferedRandom]:
    """The file itself; of a pipe a copy, so that its digest is that of the bytes read."""
    try:
        if name != STANDARD_INPUT and Path(name).is_file():
            with Path(name).open("rb") as file:
                yield file
            return
        with TemporaryFile() as copy:
            source = sys.stdin.buffer if name == STANDARD_INPUT else Path(name).open("rb")  # noqa: SIM115
            with source:
                copyfileobj(source, copy)
            copy.flush()
            copy.seek(0)
            yield copy
    except OSError as error:
        raise ConfigurationError(f"{name_in_utf8(name)} cannot be read: {error.strerror}") from error


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex. Raises ConfigurationError if it cannot be read."""
    with _opened(str(path)) as stream:
        return _digest(stream)[0]


def _digest(stream: BufferedReader | BufferedRandom) -> tuple[str, int]:
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = stream.tell()
    stream.seek(0)
    return digest, size
