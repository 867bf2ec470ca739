"""Produces: reads inputs into the spool and publishes the spool, side by side.

Reading never waits for the cluster until the spool is full of what it has not acknowledged; publishing never waits
for reading. The loop is here; what it shows to people is the command line's.
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
from producers.inputs import Input
from producers.paced import paced
from producers.readers.document import whole
from producers.readers.formats import AUTO, READERS, detect_format
from producers.readers.reading import Defaults, Reading, Rejected
from producers.report import MAX_OBSERVATIONS
from producers.spool.publisher import Publisher
from producers.spool.spool import InputState, Spool
from producers.spooling import Sensor, Step, printable, spooled
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
    """What to produce.

    ``rate`` is observations a second at most, 0 for as fast as can be; ``report_size`` is observations in a report.
    """

    sensor: Sensor
    files: tuple[str, ...]
    format: str = AUTO
    defaults: Defaults = field(default_factory=Defaults)
    rate: int = 0
    report_size: int = MAX_OBSERVATIONS
    again: bool = False
    deadline_s: float | None = None
    max_pending_bytes: int = MAX_PENDING_BYTES


@dataclass(slots=True)
class Summary:
    """What came of it. ``skipped`` are files whose content was produced before."""

    files: int = 0
    skipped: list[str] = field(default_factory=list)
    records: int = 0
    observations: int = 0
    reports: int = 0
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    first_rejected: list[Rejected] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Count one step."""
        self.observations += step.observations
        self.reports += step.reports
        self.rejected += step.rejected
        self.first_rejected += step.first_rejected[: SHOWN_REFUSALS - len(self.first_rejected)]


class View(Protocol):
    """Who watches. Called from the loop, often: it must be quick."""

    def opened(self, name: str, size: int | None, /) -> None: ...

    def progressed(self, bytes_read: int, summary: Summary, spool: Spool, publisher: Publisher, /) -> None: ...


def produce(
    options: Options, spool: Spool, publisher: Publisher, view: View, *, codec: Codec, now_ms: Callable[[], int]
) -> Summary:
    """Read all inputs, publish all that is spooled, and say what came of it."""
    summary, pace = Summary(), _Pace(options.rate, options.report_size)

    def watch(bytes_read: int) -> None:
        view.progressed(bytes_read, summary, spool, publisher)

    for name in options.files:
        with _opened(name) as stream:
            state, size = _state(name, stream, spool, options, now_ms)
            if state.complete:
                summary.skipped.append(name)
                continue
            view.opened(name, size)
            source = Input(printable(name), stream, encoding=options.defaults.encoding, limit=size)
            readings, tool = _readings(source, options)
            steps = spooled(
                paced(readings, _REST_S) if size is None else readings,
                state,
                spool,
                sensor=options.sensor,
                tool=tool,
                codec=codec,
                now_ms=now_ms,
                max_observations=pace.report_size,
            )
            for step in steps:
                summary.add(step)
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
            summary.records += source.records
    publisher.drain(options.deadline_s, partial(watch, 0))
    return summary


class _Pace:
    """Holds a rate over the whole run."""

    def __init__(self, rate: int, report_size: int) -> None:
        self._rate, self._began = rate, time.monotonic()
        self.report_size = min(report_size, max(1, rate // _STEPS_PER_SECOND)) if rate else report_size

    def is_ahead(self, observations: int) -> bool:
        return self._rate > 0 and observations > self._rate * (time.monotonic() - self._began)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
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
    """How far this input was read before, and its size; a pipe has neither past nor size."""
    opened_at_ms = now_ms()
    if name == STANDARD_INPUT or not stream.seekable():
        identity = f"{options.sensor.nation}/{options.sensor.name}/{spool.epoch}/{opened_at_ms}/{name}"
        return spool.open_input("", 0, sha256(identity.encode()).digest(), opened_at_ms), None
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


def _grown(earlier: Iterable[InputState], now: Fingerprint) -> tuple[int, int]:
    """Where to go on in a file that begins with what it was before; the start where it is another file."""
    for state in earlier:
        beginning = now.beginnings.get(state.size)
        if beginning is None or beginning.digest != state.digest:
            continue
        if beginning.splits_a_line:  # its last line was not whole then: read that line again
            return min((state.line, state.item), (beginning.lines, _ALL_ITEMS))
        return state.line, state.item
    return 0, 0


def _readings(source: Input, options: Options) -> tuple[Iterator[Reading], str]:
    """The readings of an input and the format they are read by; of what nobody can read, one refusal of it all."""
    encoding = options.defaults.encoding
    if not source.head:
        reason = source.damage or "the file is empty: does what writes it still run?"
        return iter([whole(source, RejectReason.UNKNOWN_FORMAT, reason)]), ""
    if source.wide_bom:
        advice = "the file is in UTF-16 or UTF-32: say --encoding utf-16 or utf-32"
        return iter([whole(source, RejectReason.UNREADABLE_LINE, advice)]), ""
    found = options.format if options.format != AUTO else detect_format(source.head, source.name, encoding)
    if found is None:
        advice = f"none of the formats {', '.join(READERS)} is recognised: say which it is with --format"
        return iter([whole(source, RejectReason.UNKNOWN_FORMAT, advice)]), ""
    return READERS[found](source, options.defaults), found
