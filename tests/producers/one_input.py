"""One input, given as a file, through a pipe, as a file that grows between runs, and as one that is followed."""

import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import pairwise
from pathlib import Path

from producers.default_marking import DefaultMarking
from producers.follow.before import Before
from producers.follow.followed import Followed, Surroundings
from producers.inputs import OpenInput
from producers.produce import Options
from producers.readers.formats import readers, readings_of
from producers.readers.reading import Defaults, Reading, Seen
from producers.report import observations_of
from producers.spool.spool import Spool
from schemas.markings import Marking, SourceMarking, understand
from schemas.observation import Observation
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, SENSOR, Unwatched, reports_in, run

Value = tuple[str, str]
_MOST_TURNS = 100


class _Pipe(io.RawIOBase):
    """Bytes that come in pieces, and cannot be read again."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._left = iter(pieces), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._left = self._left or next((each for each in self._pieces if each), b"")
        got, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(got)] = got
        return len(got)


def cut(content: bytes, places: Iterable[int]) -> list[bytes]:
    """The content in pieces."""
    ends = [0, *sorted({place for place in places if 0 < place < len(content)}), len(content)]
    return [content[start:end] for start, end in pairwise(ends)]


def of_file(content: bytes, name: str, defaults: Defaults) -> list[Reading]:
    """The readings of a file."""
    return list(_read(io.BytesIO(content), name, defaults))


def of_pipe(pieces: Iterable[bytes], name: str, defaults: Defaults) -> list[Reading]:
    """The readings of what comes through a pipe."""
    return list(_read(_Pipe(pieces), name, defaults))


def _read(stream: io.RawIOBase | io.BytesIO, name: str, defaults: Defaults) -> Iterator[Reading]:
    source = OpenInput("made-up", stream, encoding=defaults.encoding)  # type: ignore[arg-type]
    yield from readings_of(source, name, defaults)[0]


def seen(readings: Iterable[Reading]) -> list[Observation]:
    """What was seen."""
    return [reading.observation for reading in readings if isinstance(reading, Seen)]


def grown(spool: Spool, file: Path, pieces: Sequence[bytes], name: str, defaults: Defaults) -> list[Observation]:
    """What is spooled of a file that has grown before each run."""
    file.write_bytes(b"")
    for piece in pieces:
        with file.open("ab") as stream:
            stream.write(piece)
        run(spool, file, format=name, defaults=defaults)
    return spooled(spool)


def followed(
    spool: Spool, file: Path, pieces: Sequence[bytes], name: str, defaults: Defaults, kills: Iterable[int]
) -> list[Observation]:
    """What is spooled of a file that is followed while it grows; by another follower after these pieces."""
    options, marked = Options(SENSOR, (str(file),), defaults=defaults), DefaultMarking()
    shared = Surroundings(SENSOR, spool, CODEC, lambda: NOW_MS, defaults, 500, Unwatched().left_out, marked)
    before, reader, ended = Before(spool, options, lambda: NOW_MS), readers()[name], set(kills)

    def begun() -> Followed | None:
        head = file.read_bytes()
        if b"\n" not in head:
            return None
        descriptor = os.open(file, os.O_RDONLY)
        state = before.known_state(file, descriptor, (), is_named=True, is_reused=False)
        assert state is not None
        return Followed(file, descriptor, (0, 0), head, reader, state, shared)

    file.write_bytes(b"")
    following: Followed | None = None
    for number, piece in enumerate(pieces):
        with file.open("ab") as stream:
            stream.write(piece)
        following = following or begun()
        if following is not None:
            _read_all(following, lambda each: each.is_quiet)
            if number in ended:
                following.commit()
                following.close()
                following = None
    following = following or begun()
    assert following is not None
    _read_all(following, lambda each: each.is_quiet)
    following.tail.is_ending = True
    _read_all(following, lambda each: each.has_ended)
    for _ in following.finish():
        pass
    following.close()
    return spooled(spool)


def _read_all(following: Followed, is_done: Callable[[Followed], bool]) -> None:
    for _ in range(_MOST_TURNS):
        for _ in following.steps():
            pass
        if is_done(following):
            return
    raise AssertionError("the follower does not reach the end of the file")


def spooled(spool: Spool) -> list[Observation]:
    """All observations that wait, in order."""
    return [row for report in reports_in(spool) for row in observations_of(report)]


def counts(rows: Iterable[Observation]) -> Counter[Value]:
    """How often each value was seen."""
    found = Counter[Value]()
    for row in rows:
        found[row.kind.label, row.value] += row.count
    return found


def markings(rows: Iterable[Observation]) -> dict[Value, Marking]:
    """The marking of each value: of all that was seen of it."""
    found: dict[Value, list[Marking]] = {}
    for row in rows:
        found.setdefault((row.kind.label, row.value), []).append(understand(row.marking))
    return {value: reduce(Marking.join, each) for value, each in found.items()}


GREEN = SourceMarking(tlp="TLP:GREEN")
