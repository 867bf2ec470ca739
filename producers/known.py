"""How far an input was read before: its state in the spool, which is found by its content and its marking."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from producers.fingerprint import Fingerprint, fingerprint
from producers.inputs import UTF_8, OpenInput, Seekable, name_in_utf8
from producers.markings.marked import stricter
from producers.markings.understanding import of_file_names
from producers.readers.reading import Defaults
from producers.source import STANDARD_INPUT, Source
from producers.spool.batch import Sensor
from producers.spool.spool import InputState, Spool
from schemas.markings import SourceMarking, understand

_ALL_ITEMS: Final = 1 << 62


def state_of(
    name: str,
    stream: Source,
    spool: Spool,
    sensor: Sensor,
    now_ms: int,
    defaults: Defaults,
    *,
    again: bool,
    is_log: bool = False,
) -> tuple[InputState, int | None]:
    """How far this input was read before, and its size in bytes on disk; a pipe was never read, and has no size.

    ``again`` forgets what was read; so does a marking that is stricter than when it was read, by its name or by
    ``defaults``. ``is_log`` is a document that may begin like another one, or be the same: it is known by its name and
    its content.
    """
    if name == STANDARD_INPUT or not stream.seekable():
        marking = _as_json(stated_by((name,), defaults))
        return unknown_state(name, spool, sensor, now_ms, marking=marking), None
    stated = stated_by(_names_of(name, stream, defaults), defaults)
    if is_log:
        return _of_document(name, fingerprint(stream, lambda _: ()), spool, now_ms, _as_json(stated))
    earlier, now = compared(name, stream, spool, defaults.encoding)
    known = None if again else next((each for each in _known(now, spool) if covers(each, stated)), None)
    if known is not None:
        return known, now.stored_size
    line, item = (0, 0) if again else _grown((each for each in earlier if covers(each, stated)), now)
    state = spool.open_input(
        path_of(name),
        now.size,
        now.digest,
        now_ms,
        line=line,
        item=item,
        prefix=now.prefix,
        marking=_as_json(stated),
    )
    return state, now.stored_size


def stated_by(names: Iterable[str], defaults: Defaults) -> SourceMarking:
    """What the names of an input, its transport and the options state about all of it."""
    of_names = of_file_names(map(name_in_utf8, names)).marking
    return stricter(stricter(of_names, defaults.around.marking), defaults.marking)


def covers(known: InputState, stated: SourceMarking) -> bool:
    """Whether an input was read with a marking that is as strict as one with this joined: it need not be read again."""
    if known.marking is None:
        return True
    before = msgspec.json.decode(known.marking, type=SourceMarking)
    marking = understand(before)
    return marking.join(understand(stricter(before, stated))) == marking


def _names_of(name: str, stream: Source, defaults: Defaults) -> tuple[str, ...]:
    names = OpenInput(name, stream, encoding=defaults.encoding).names
    stream.seek(0)
    return names


def _as_json(marking: SourceMarking) -> str:
    return msgspec.json.encode(marking).decode()


def _of_document(name: str, now: Fingerprint, spool: Spool, now_ms: int, marking: str) -> tuple[InputState, int | None]:
    digest = sha256(path_of(name).encode() + b"\0" + now.digest).digest()
    known = next(iter(spool.same_content(digest)), None)
    return known or spool.open_input(path_of(name), 0, digest, now_ms, prefix=digest, marking=marking), now.stored_size


class Before(NamedTuple):
    """What was read of a file before: anything of it; and whether that was with a marking that covers the present."""

    was_read: bool
    is_covered: bool


def read_before(name: str, stream: Source, spool: Spool, defaults: Defaults) -> Before:
    """Whether all of this file, or a beginning of it, was read before. The file is put back to its start."""
    stated = stated_by(_names_of(name, stream, defaults), defaults)
    earlier, now = compared(name, stream, spool, defaults.encoding)
    beginnings = (each for each in earlier if each.size in now.beginnings)
    known = [*_known(now, spool), *(each for each in beginnings if now.beginnings[each.size].digest == each.digest)]
    return Before(bool(known), any(covers(each, stated) for each in known))


def compared(name: str, stream: Seekable, spool: Spool, encoding: str = UTF_8) -> tuple[list[InputState], Fingerprint]:
    """The inputs that begin like the file, and its fingerprint with their sizes. The file is put back to its start."""
    earlier: list[InputState] = []

    def sizes(prefixes: Collection[bytes]) -> list[int]:
        earlier.extend(spool.earlier_states(path_of(name), prefixes))
        return [state.size for state in earlier]

    now = fingerprint(stream, sizes, encoding)
    return earlier, now


def _known(now: Fingerprint, spool: Spool) -> list[InputState]:
    # Before format 3 a spool knew a compressed file by its compressed bytes.
    return spool.same_content(now.digest, now.stored_digest)


def path_of(name: str) -> str:
    """A file's name as the spool keeps it."""
    return name_in_utf8(str(Path(name).resolve()))


def unknown_state(name: str, spool: Spool, sensor: Sensor, now_ms: int, *, marking: str | None = None) -> InputState:
    """The state of an input that cannot be opened again."""
    digest = sha256(f"{sensor.nation}/{sensor.name}/{spool.epoch}/{now_ms}/{name}".encode()).digest()
    return spool.open_input("", 0, digest, now_ms, marking=marking)


def _grown(earlier: Iterable[InputState], now: Fingerprint) -> tuple[int, int]:
    """The position to continue from in a file that has grown; the start if it is another file."""
    state = grown_from(earlier, now)
    return (0, 0) if state is None else (state.line, state.item)


def grown_from(earlier: Iterable[InputState], now: Fingerprint) -> InputState | None:
    """The input that a file begins with, with the position to continue from; ``None`` if it is another file."""
    for state in earlier:
        beginning = now.beginnings.get(state.size)
        if beginning is None or beginning.digest != state.digest:
            continue
        # Its last line was not whole then, or its compressed stream was cut there: read that line again.
        if beginning.splits_a_line or state.line == beginning.lines + 1:
            line, item = min((state.line, state.item), (beginning.lines, _ALL_ITEMS))
            return replace(state, line=line, item=item)
        return state
    return None
