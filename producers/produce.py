"""Produces: reads inputs into the spool and publishes the spool, side by side.

Reading waits for the cluster only when the spool is full of unacknowledged records; publishing never waits for
reading. The loop is here; the command line shows its progress.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from exchange.errors import ConfigurationError
from producers.fingerprint import Fingerprint, fingerprint
from producers.inputs import Input, printable
from producers.paced import paced
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Defaults, LeftOut, Rejected
from producers.report import MAX_OBSERVATIONS
from producers.snapshot import Kept, Snapshot, withdraw
from producers.spool.batch import Batch, Sensor, Step
from producers.spool.fill import NOT_A_SNAPSHOT, fill
from producers.spool.publisher import Publisher
from producers.spool.spool import InputState, Spool
from schemas.codec import Codec
from schemas.vocabulary import RejectReason

STANDARD_INPUT: Final = "-"
SHOWN_REFUSALS: Final = 5
MAX_PENDING_BYTES: Final = 1 << 30
_REST_S: Final = 0.5
_STEPS_PER_SECOND: Final = 4
_ALL_ITEMS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Options:
    """The inputs, and how to produce them.

    ``rate`` is the limit of observations a second, 0 for no limit; ``report_size`` is observations in a report.
    ``snapshot`` is the name of the list that the inputs are all of (``producers.snapshot``), None if they are not;
    ``accept_removals`` lets it withdraw more than half of what it named before.
    """

    sensor: Sensor
    files: tuple[str, ...]
    format: str = AUTO
    defaults: Defaults = field(default_factory=Defaults)
    rate: int = 0
    report_size: int = MAX_OBSERVATIONS
    again: bool = False
    snapshot: str | None = None
    accept_removals: bool = False
    deadline_s: float | None = None
    max_pending_bytes: int = MAX_PENDING_BYTES


@dataclass(slots=True)
class Summary:
    """The result of a run. ``skipped`` are files whose content was produced before.

    ``records`` counts what was read by the readers' units: lines, objects and so on.
    """

    files: int = 0
    skipped: list[str] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    reports: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    first_rejected: list[Rejected] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    kept: Kept | None = None

    def add(self, step: Step) -> None:
        """Count one step."""
        self.observations += step.observations
        self.reports += step.reports
        self.rejected += step.rejected
        self.left_out += step.left_out
        self.withdrawn += step.withdrawn
        self.first_rejected += step.first_rejected[: SHOWN_REFUSALS - len(self.first_rejected)]


class View(Protocol):
    """A watcher of the loop. It is called often and must be quick."""

    def opened(self, name: str, size: int | None, /) -> None: ...

    def left_out(self, piece: LeftOut, /) -> None: ...

    def progressed(self, bytes_read: int, summary: Summary, spool: Spool, publisher: Publisher, /) -> None: ...


def produce(
    options: Options, spool: Spool, publisher: Publisher, view: View, *, codec: Codec, now_ms: Callable[[], int]
) -> Summary:
    """Read all inputs and publish all that is spooled."""
    summary, pace = Summary(), _Pace(options.rate, options.report_size)
    snapshot = None
    if options.snapshot is not None:
        snapshot = Snapshot(options.snapshot, spool.assertions.next_generation(), agreed=options.accept_removals)

    def watch(bytes_read: int) -> None:
        view.progressed(bytes_read, summary, spool, publisher)

    for name in options.files:
        with opened(name) as stream:
            state, size = _state(name, stream, spool, options, now_ms)
            if state.complete and snapshot is None:
                summary.skipped.append(name)
                continue
            view.opened(name, size)
            source = Input(printable(name), stream, encoding=options.defaults.encoding, limit=size)
            readings, reader = readings_of(source, options.format, options.defaults)
            steps = fill(
                paced(readings, _REST_S) if size is None else readings,
                state,
                spool,
                sensor=options.sensor,
                tool="" if reader is None else reader.name,
                codec=codec,
                now_ms=now_ms,
                max_observations=pace.report_size,
                on_left_out=view.left_out,
                scope=NOT_A_SNAPSHOT if snapshot is None else snapshot.scope,
            )
            for step in steps:
                summary.add(step)
                if snapshot is not None:
                    snapshot.saw(step)
                publisher.pump()
                watch(source.bytes_read)
                while pace.is_ahead(summary.observations):
                    publisher.pump(0.02)
                    watch(source.bytes_read)
                if spool.pending_bytes > options.max_pending_bytes:
                    publisher.drain(
                        options.deadline_s, partial(watch, source.bytes_read), keep_bytes=options.max_pending_bytes // 2
                    )
            summary.files += 1
            summary.records["line" if reader is None else reader.unit] += source.records
    if snapshot is not None:
        _finish(snapshot, options, spool, summary, codec, now_ms)
    publisher.drain(options.deadline_s, partial(watch, 0))
    return summary


def _finish(
    snapshot: Snapshot, options: Options, spool: Spool, summary: Summary, codec: Codec, now_ms: Callable[[], int]
) -> None:
    """Withdraw what the snapshot does not name any more, or note why not."""
    gone = snapshot.gone(spool)
    if isinstance(gone, Kept):
        summary.kept = gone
    elif gone:
        opened_at_ms = now_ms()
        state = spool.open_input("", 0, _identity(options, spool, opened_at_ms, "snapshot"), opened_at_ms)
        batch = Batch(state, spool, options.sensor, "snapshot", codec, now_ms, options.report_size)
        for step in withdraw(gone, spool, batch):
            summary.add(step)


class _Pace:
    """Holds a rate over the whole run."""

    def __init__(self, rate: int, report_size: int) -> None:
        self._rate, self._began = rate, time.monotonic()
        self.report_size = min(report_size, max(1, rate // _STEPS_PER_SECOND)) if rate else report_size

    def is_ahead(self, observations: int) -> bool:
        return self._rate > 0 and observations > self._rate * (time.monotonic() - self._began)


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input. Raises ConfigurationError if it cannot be read."""
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise ConfigurationError(f"{printable(name)} cannot be read: {error.strerror}") from error
    with stream:
        yield stream


def _state(
    name: str, stream: BinaryIO, spool: Spool, options: Options, now_ms: Callable[[], int]
) -> tuple[InputState, int | None]:
    """How far this input was read before, and its size in bytes; a pipe has neither."""
    opened_at_ms = now_ms()
    if name == STANDARD_INPUT or not stream.seekable():
        return spool.open_input("", 0, _identity(options, spool, opened_at_ms, name), opened_at_ms), None
    path = printable(str(Path(name).resolve()))
    size = stream.seek(0, 2)
    stream.seek(0)
    earlier = [] if options.again else spool.earlier_states(path, size)
    print_ = fingerprint(stream, [state.size for state in earlier])
    known = None if options.again else spool.same_content(print_.digest)
    if known is not None:
        return known, print_.size
    line, item = _grown(earlier, print_)
    return spool.open_input(path, print_.size, print_.digest, opened_at_ms, line=line, item=item), print_.size


def _identity(options: Options, spool: Spool, opened_at_ms: int, name: str) -> bytes:
    """The identity of an input that cannot be opened again."""
    return sha256(
        f"{options.sensor.nation}/{options.sensor.name}/{spool.epoch}/{opened_at_ms}/{name}".encode()
    ).digest()


def _grown(earlier: Iterable[InputState], now: Fingerprint) -> tuple[int, int]:
    """The position to continue from in a file that has grown; the start if it is another file."""
    for state in earlier:
        beginning = now.beginnings.get(state.size)
        if beginning is None or beginning.digest != state.digest:
            continue
        if beginning.splits_a_line:  # its last line was not whole then: read that line again
            return min((state.line, state.item), (beginning.lines, _ALL_ITEMS))
        return state.line, state.item
    return 0, 0
