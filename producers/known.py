"""How far an input was read before: its state in the spool, which is found by its content."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from producers.fingerprint import Fingerprint, fingerprint
from producers.inputs import UTF_8, Seekable, name_in_utf8
from producers.source import STANDARD_INPUT, Source
from producers.spool.batch import Sensor
from producers.spool.spool import InputState, Spool

_ALL_ITEMS: Final = 1 << 62


def state_of(
    name: str,
    stream: Source,
    spool: Spool,
    sensor: Sensor,
    now_ms: int,
    *,
    again: bool,
    marking: str,
    encoding: str = UTF_8,
    is_log: bool = False,
) -> tuple[InputState, int | None]:
    """How far this input was read before, and its size in bytes on disk; a pipe was never read, and has no size.

    ``again`` forgets what was read. ``marking`` is what the options state, kept for a later run. ``is_log`` is a
    document that may begin like another one, or be the same: it is known by its name and its content.
    """
    if name == STANDARD_INPUT or not stream.seekable():
        return unknown_state(name, spool, sensor, now_ms, marking=marking), None
    if is_log:
        return _of_document(name, fingerprint(stream, lambda _: ()), spool, now_ms, marking)
    earlier, now = compared(name, stream, spool, encoding)
    known = None if again else _known(now, spool)
    if known is not None:
        return known, now.stored_size
    line, item = (0, 0) if again else _grown(earlier, now)
    state = spool.open_input(
        path_of(name), now.size, now.digest, now_ms, line=line, item=item, prefix=now.prefix, marking=marking
    )
    return state, now.stored_size


def _of_document(name: str, now: Fingerprint, spool: Spool, now_ms: int, marking: str) -> tuple[InputState, int | None]:
    digest = sha256(path_of(name).encode() + b"\0" + now.digest).digest()
    known = spool.same_content(digest)
    return known or spool.open_input(path_of(name), 0, digest, now_ms, prefix=digest, marking=marking), now.stored_size


def was_read(name: str, stream: Source, spool: Spool, encoding: str = UTF_8) -> bool:
    """Whether all of this file, or a beginning of it, was read before. The file is put back to its start."""
    earlier, now = compared(name, stream, spool, encoding)
    return _known(now, spool) is not None or any(
        beginning.digest == state.digest
        for state in earlier
        if (beginning := now.beginnings.get(state.size)) is not None
    )


def compared(name: str, stream: Seekable, spool: Spool, encoding: str = UTF_8) -> tuple[list[InputState], Fingerprint]:
    """The inputs that begin like the file, and its fingerprint with their sizes. The file is put back to its start."""
    earlier: list[InputState] = []

    def sizes(prefixes: Collection[bytes]) -> list[int]:
        earlier.extend(spool.earlier_states(path_of(name), prefixes))
        return [state.size for state in earlier]

    now = fingerprint(stream, sizes, encoding)
    return earlier, now


def _known(now: Fingerprint, spool: Spool) -> InputState | None:
    # Before format 3 a spool knew a compressed file by its compressed bytes.
    return spool.same_content(now.digest) or spool.same_content(now.stored_digest)


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
