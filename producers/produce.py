"""Produces: reads inputs into the spool and publishes the spool, side by side.

Reading waits for the cluster only when the spool is full of unacknowledged records; publishing never waits for
reading. The loop is here; the command line shows its progress.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from exchange.errors import DeliveryTimeout, Refused
from producers.heartbeat import HEARTBEAT_S, Heartbeat
from producers.inputs import OpenInput, name_in_utf8
from producers.known import state_of, unknown_state
from producers.pace import Pace
from producers.readers.formats import AUTO, readings_of
from producers.readers.reader import Reader
from producers.readers.reading import Defaults, LeftOut
from producers.report import MAX_OBSERVATIONS
from producers.snapshot import Snapshot, withdraw
from producers.source import Source, opened
from producers.spool.batch import Batch, Kept, Sensor, Step
from producers.spool.fill import NOT_A_SNAPSHOT, Filling, fill
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.stop import Stop, Stopped
from producers.summary import FileRead, Summary
from schemas.codec import Codec

MAX_PENDING_BYTES: Final = 1 << 30
_REST_S: Final = 0.5
_TURN_S: Final = 0.05
_LAST_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """The inputs, and how to produce them. ``format`` is the name of a reader, ``auto``, or a reader of another kind.

    ``rate`` is the limit of observations a second, 0 for no limit; ``report_size`` is observations in a report;
    ``heartbeat_s`` is how often a live input's sensor reports that it is there.
    ``snapshot`` is the name of the list that the inputs are all of (``producers.snapshot``), None if they are not;
    ``accept_removals`` lets it, and events that are whole, withdraw more than half of what they named before.
    ``is_document`` is a document of a live input, which no operator has named; ``is_log`` is one of lines, which may be
    the same as another one.
    """

    sensor: Sensor
    files: tuple[str, ...]
    format: str | Reader = AUTO
    defaults: Defaults = field(default_factory=Defaults)
    rate: int = 0
    report_size: int = MAX_OBSERVATIONS
    again: bool = False
    snapshot: str | None = None
    accept_removals: bool = False
    is_document: bool = False
    is_log: bool = False
    deadline_s: float | None = None
    max_pending_bytes: int = MAX_PENDING_BYTES
    heartbeat_s: float = HEARTBEAT_S


class Unreviewed(Refused):
    """A report in prose, without a list of its values that a person has agreed to."""


class View(Protocol):
    """A watcher of the loop. It is called often and must be quick."""

    def opened(self, name: str, size: int | None, /) -> None: ...

    def left_out(self, piece: LeftOut, /) -> None: ...

    def gap(self, text: str, /) -> None: ...

    def failed(self, text: str, /) -> None: ...

    def progressed(self, bytes_read: int, summary: Summary, spool: Spool, publisher: Publisher, /) -> None: ...


def produce(
    options: Options,
    spool: Spool,
    publisher: Publisher,
    view: View,
    *,
    codec: Codec,
    now_ms: Callable[[], int],
    stop: Stop | None = None,
    summary: Summary | None = None,
) -> Summary:
    """Read all inputs and publish all that is spooled. ``summary`` is counted on, if it is given.

    Raises Stopped once ``stop`` is requested: all that was read is in the spool then, and published if the cluster
    takes it at once.
    """
    run = Run(options, spool, publisher, view, codec, now_ms, stop or Stop(), summary)
    try:
        run.read_all()
    except Stopped:
        if not publisher.trouble:
            with suppress(DeliveryTimeout):
                publisher.drain(_LAST_S)
        raise
    return run.summary


def _is_page(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))


class Run:
    """One run. ``_turn`` is its work beside reading, done while an input is read and while it is quiet."""

    def __init__(
        self,
        options: Options,
        spool: Spool,
        publisher: Publisher,
        view: View,
        codec: Codec,
        now_ms: Callable[[], int],
        stop: Stop,
        summary: Summary | None = None,
    ) -> None:
        self.summary = Summary() if summary is None else summary
        self._options, self._spool, self._publisher, self._view = options, spool, publisher, view
        self._codec, self._now_ms, self._stop = codec, now_ms, stop
        self._pace = Pace(options.rate, options.report_size)
        self._snapshot: Snapshot | None = None
        self._source: OpenInput | None = None
        self._pipe: Filling | None = None
        self._stepped_at = self._turned_at = time.monotonic()
        self._heart = Heartbeat(spool, options.sensor, codec, now_ms, options.heartbeat_s)
        self.is_live = False  # whether the input may be endless: a pipe, or followed files

    def read_all(self) -> None:
        """Read all inputs, and wait until all is published. Reports that need a review do not keep others back.

        Raises Unreviewed for one in a snapshot: what it still asserts is not known.
        """
        self._snapshot = self._begun()
        for name in self._options.files:
            try:
                self.read(name)
            except Unreviewed as report:
                if self._snapshot is not None:
                    raise
                self.summary.unreviewed.append(str(report))
        if self._snapshot is not None:
            self._finish(self._snapshot)
        self._publisher.drain(self._options.deadline_s, self._watch, given_up=self._is_stopping)
        if self._spool.pending_records:
            self._stop.check()

    def read_document(self, name: str, options: Options) -> Kept | None:
        """Read a document of a live input. If the run is of a snapshot, each document is one by itself.

        Returns what was not withdrawn, because too much of it is missing, or ``None``.
        """
        self._snapshot = self._begun()
        self.read(name, options)
        return None if self._snapshot is None else self._finish(self._snapshot)

    def read(self, name: str, options: Options | None = None, *, descriptor: int | None = None) -> None:
        """Read one input, from where an earlier run has stopped; with the run's options, or these.

        With a descriptor it is that file, whatever has the name by now.
        """
        with opened(name, self.turn, self._stop, descriptor) as stream:
            self._read(name, stream, options or self._options)

    def _read(self, name: str, stream: Source, options: Options) -> None:
        spool = self._spool
        defaults, again, at_ms = options.defaults, options.again, self._now_ms()
        state, size = state_of(name, stream, spool, options.sensor, at_ms, defaults, again=again, is_log=options.is_log)
        if state.complete and self._snapshot is None and not options.accept_removals:
            if not options.is_document:
                self.summary.skipped.append(name)
            return
        self._view.opened(name, size)
        self._stepped_at, before = time.monotonic(), self.summary.totals()
        self._source = source = OpenInput(name_in_utf8(name), stream, encoding=defaults.encoding, limit=size)
        readings, reader = readings_of(source, options.format, options.defaults)
        if reader is not None and reader.is_reviewed and options.defaults.reviewed is None:
            what = "a web page, read as a report in prose" if _is_page(source.head) else "a report in prose"
            raise Unreviewed(
                f"{name_in_utf8(name)} is {what}, of which nothing is published without a review: write the list with "
                "--dry-run --json, remove what is no indicator, and name the list with --reviewed"
            )
        steps = fill(
            self.summary.marked.counting(readings, options.defaults),
            state,
            spool,
            sensor=options.sensor,
            tool="" if reader is None else reader.name,
            codec=self._codec,
            now_ms=self._now_ms,
            max_observations=self._pace.report_size,
            on_left_out=self._view.left_out,
            scope=NOT_A_SNAPSHOT if self._snapshot is None else self._snapshot.scope,
            agreed=options.accept_removals,
            again=again,
        )
        self._pipe = steps if size is None else None
        for step in steps:
            self.stepped(step)
            self.hold_back()
            if size is not None:
                self._stop.check()  # the file is still there tomorrow; what came from a pipe is kept first
        if self._snapshot is not None:
            self._snapshot.could_not_read(steps.unreadable)
        self._source = self._pipe = None
        self.summary.files += 1
        unit = "line" if reader is None else reader.unit
        self.summary.records[unit] += source.records
        if not (self.is_live or options.is_document):
            read = (name_in_utf8(name), "" if reader is None else reader.name, unit, source.records)
            self.summary.by_file.append(FileRead(*read, self.summary.totals() - before))

    def stepped(self, step: Step) -> None:
        """Count a commit, and send waiting records."""
        self._stepped_at = time.monotonic()
        self.summary.add(step)
        if self._snapshot is not None:
            self._snapshot.saw(step)
        self._publisher.pump()
        self._watch()

    def hold_back(self) -> None:
        """Wait until the rate and the spool allow more."""
        while self._pace.is_ahead(self.summary.observations) and not self._stop.requested:
            self._publisher.pump(0.02)
            self._watch()
        most = self._options.max_pending_bytes
        if self._spool.pending_bytes > most:
            self._publisher.drain(
                self._options.deadline_s, self._watch, keep_bytes=most // 2, given_up=self._is_stopping
            )

    def turn(self) -> None:
        """Do the work beside reading, several times a second."""
        now = time.monotonic()
        if now - self._turned_at < _TURN_S:
            return
        self._turned_at = now
        if self._pipe is not None and now - self._stepped_at >= _REST_S:
            step = self._pipe.rest()
            if step is not None:
                self.stepped(step)
                return
        if (self.is_live or self._pipe is not None) and not self._publisher.trouble:
            self._heart.beat(now)
        self._publisher.pump()
        self._watch()

    def _watch(self) -> None:
        bytes_read = 0 if self._source is None else self._source.bytes_read
        self._view.progressed(bytes_read, self.summary, self._spool, self._publisher)

    def _is_stopping(self) -> bool:
        return self._stop.requested

    def _begun(self) -> Snapshot | None:
        options = self._options
        if options.snapshot is None:
            return None
        return Snapshot(options.snapshot, self._spool.assertions.next_generation(), agreed=options.accept_removals)

    def _finish(self, snapshot: Snapshot) -> Kept | None:
        """Withdraw what the snapshot does not name any more, or note why not, and return that."""
        gone = snapshot.gone(self._spool)
        if isinstance(gone, Kept):
            self.summary.keep(gone)
            return gone
        if gone:
            options = self._options
            state = unknown_state("snapshot", self._spool, options.sensor, self._now_ms())
            batch = Batch(
                state, self._spool, options.sensor, "snapshot", self._codec, self._now_ms, options.report_size
            )
            for step in withdraw(gone, self._spool, batch):
                self.summary.add(step)
        return None
